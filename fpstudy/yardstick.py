"""The truth as results in one format are scored against it: in ulps, and rounded to the format.

All of it depends on the truth and the format alone, so it is made once and serves every formula.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpstudy.formats import Floats, Format, Ints
from fpstudy.rounding import Rounded, power_of_two, round_truth
from fpstudy.truth import State, Truth

# Numbers scored at a time, in whole samples: 128 KiB of float64, so that temporaries stay in cache.
BLOCK = 2**14


@dataclass(frozen=True)
class Yardstick:
    """Some samples of a truth, (samples, n), measured in a format; ulp(t) = 2**q.

    hi, lo:   t / ulp(t), infinite or NaN as t.hi is
    factors:  a number y is the product of y and these in ulps; two where 2**-q is no float64
    size:     max(|t|, lambda) in ulps, lambda where t is no number
    norm:     (samples, 1): max_j |t_j|, or lambda where that is larger, in units of each sample's
    weight:   ulp(t) in the sample's unit, and 0 at the indices `far`, where that is below 2**-1022
    exponent: log2 of ulp(t) in the sample's unit, at those indices
    usual:    whether every t is a number that rounds to a number of the format
    """

    truth: Truth
    format: Format
    rounded: Rounded
    hi: Floats
    lo: Floats
    factors: tuple[Floats, ...]
    size: Floats
    norm: Floats
    weight: Floats
    far: tuple[Ints, ...]
    exponent: Ints
    usual: bool


class Yardsticks:
    """A truth's blocks of samples in a format, each made when it is first asked for and kept.

    A scalar problem's truth, (samples,), counts as vectors of one component.
    """

    def __init__(self, t: Truth, f: Format) -> None:
        """Make none yet."""
        self.shape, self.format = t.hi.shape, f
        self._truth = t if t.hi.ndim == 2 else t[:, None]
        self._made: list[Yardstick] = []

    def __iter__(self) -> Iterator[Yardstick]:
        """The blocks in the order of the samples."""
        samples, n = self._truth.hi.shape
        size = max(1, BLOCK // max(1, n))
        for number, start in enumerate(range(0, samples, size)):
            if number == len(self._made):
                block = self._truth[start : start + size]
                self._made.append(yardstick(block, self.format))
            yield self._made[number]


def yardstick(t: Truth, f: Format) -> Yardstick:
    """The yardstick of a block of samples, (samples, n)."""
    rounded, number = round_truth(t, f), np.isfinite(t.hi)
    fits = number & np.isfinite(rounded.nearest) & (t.state == State.DECIDED)
    # |t| < 2**p ulps, so only 0, of no exponent, and what is no number would need a larger power
    in_ulps = power_of_two(np.minimum(t.exponent - rounded.quantum, 64))
    hi, least = t.hi * in_ulps, 2.0 ** (f.precision - 1)  # lambda in ulps of any subnormal t
    size = np.maximum(np.abs(hi), least)
    unit, norm = _norm(t, number, f)
    exponent = rounded.quantum - unit
    far = np.nonzero(exponent < -1022) if exponent.min() < -1022 else (np.arange(0),) * 2
    weight = power_of_two(exponent)
    weight[far] = 0.0
    return Yardstick(
        truth=t,
        format=f,
        rounded=rounded,
        hi=hi,
        lo=t.lo * in_ulps,
        factors=_factors(rounded.quantum),
        size=size if number.all() else np.where(number, size, least),
        norm=norm,
        weight=weight,
        far=far,
        exponent=np.maximum(exponent[far], -4000),
        usual=bool(fits.all()),
    )


def _factors(quantum: Ints) -> tuple[Floats, ...]:
    """Powers of two whose product is 2**-q, each a normal number or too small to matter.

    A product with the first is exact where the second is above 1. Where that is below 1, the truth
    is above 2**1022, and what rounding y / 2**q twice can change is lost beside t / 2**q >= 1.
    """
    if quantum.min() >= -1023 and quantum.max() <= 1022:
        return (power_of_two(-quantum),)
    first = np.minimum(np.maximum(-quantum, -1022), 1023)
    return power_of_two(first), power_of_two(-quantum - first)


def _norm(t: Truth, number: NDArray[np.bool_], f: Format) -> tuple[Ints, Floats]:
    """(samples, 1): the largest |t_j|, or lambda, over 2**unit, and that unit."""
    nonzero = number & (t.hi != 0)
    hi, exponent = t.hi, t.exponent
    if not nonzero.all():
        hi, exponent = np.where(nonzero, hi, 0.0), np.where(nonzero, exponent, f.emin)
    unit = np.maximum(exponent.max(axis=-1, keepdims=True), f.emin)
    size = np.abs(hi) * power_of_two(exponent - unit)
    return unit, np.maximum(size.max(axis=-1, keepdims=True), power_of_two(f.emin - unit))
