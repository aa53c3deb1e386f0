"""Rounding a truth to a format: nearest, down and up, decided from (hi, lo, exponent)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpstudy.formats import Floats, Format, Ints
from fpstudy.truth import Truth

# In units of an ulp, a value below 2**-200 rounds as any other smaller than 2**-54 does.
LEAST_SHIFT = -200


@dataclass(frozen=True)
class Rounded:
    """A truth t in a format.

    nearest: RN(t), ties to even, beyond the largest number the format's overflow
    down:    RD(t), the largest number of the format at most t (or -inf)
    up:      RU(t), the smallest one at least t (or inf)
    exact:   whether t is a number of the format
    quantum: q with ulp(t) = 2**q
    """

    nearest: Floats
    down: Floats
    up: Floats
    exact: NDArray[np.bool_]
    quantum: Ints


def round_truth(t: Truth, f: Format) -> Rounded:
    """Round every truth; an infinite one stays so, one without a value gives NaN."""
    size, lo, number = np.abs(t.hi), t.lo * np.copysign(1.0, t.hi), np.isfinite(t.hi)  # of |t|
    numbers = bool(number.all())
    if not numbers:
        size, lo = np.where(number, size, 0.0), np.where(number, lo, 0.0)
    quantum = np.maximum(floor_log2(size, lo, t.exponent, f.emin), f.emin) - (f.precision - 1)
    unit = power_of_two(np.minimum(np.maximum(t.exponent - quantum, LEAST_SHIFT), 64))
    floor, nearest, exact = _round_whole(size * unit, lo * unit)

    ulp = power_of_two(quantum)  # infinite only where floor > 0, a value beyond every format
    with np.errstate(over="ignore"):
        inner, outer, nearest = floor * ulp, (floor + ~exact) * ulp, nearest * ulp
    beyond = outer > f.largest
    if beyond.any():
        inner = np.minimum(inner, f.largest)  # rounding towards 0 stops at the largest number
        outer = np.where(beyond, np.inf, outer)
    exact &= nearest <= f.largest
    rounded = Rounded(f.clamp(nearest), inner, outer, exact, quantum)
    return _signed(rounded if numbers else _without_size(rounded, t, f), t)


def _round_whole(hi: Floats, lo: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """(floor(v), the whole number nearest to v, whether v is whole) of v = hi + lo >= 0.

    As |lo| is at most half an ulp of hi, v leaves [floor(hi), floor(hi) + 1) only downwards.
    """
    floor = np.floor(hi)
    part = hi - floor  # exact; and so is part - 1/2 where it is near 0 (Sterbenz)
    below = part + lo < 0
    floor -= below
    part += below  # v = floor + part + lo, in [floor, floor + 1)
    exact = part + lo == 0  # a floating-point sum is 0 only where the exact sum is
    half = (part - 0.5) + lo
    pairs = floor * 0.5
    odd = pairs != np.floor(pairs)
    return floor, floor + ((half > 0) | ((half == 0) & odd)), exact


def _without_size(r: Rounded, t: Truth, f: Format) -> Rounded:
    """The same, with |t| infinite where t is, and NaN where t has no value."""
    infinite, none = np.isinf(t.hi), np.isnan(t.hi)
    ends = ((r.nearest, np.inf if f.infinity else f.overflow), (r.down, np.inf), (r.up, np.inf))
    nearest, inner, outer = (
        np.where(none, np.nan, np.where(infinite, end, size)) for size, end in ends
    )
    exact = np.where(infinite, f.infinity, r.exact & ~none)
    return Rounded(nearest, inner, outer, exact, r.quantum)


def _signed(r: Rounded, t: Truth) -> Rounded:
    """|t| rounded, towards 0 as `down` and away from it as `up`, given the sign of t."""
    negative = np.signbit(t.hi)
    if not negative.any():
        return r
    down, up = np.where(negative, -r.up, r.down), np.where(negative, -r.down, r.up)
    return Rounded(np.copysign(r.nearest, t.hi), down, up, r.exact, r.quantum)


def power_of_two(k: Ints) -> Floats:
    """2**k exactly for -1074 <= k <= 1023, 0 for a smaller k and infinity for a larger one.

    A product with it is rounded once, as ldexp is, at a tenth of its cost.
    """
    power: Floats = (np.minimum(np.maximum(k, -1023), 1024) + 1023 << 52).view(np.float64)
    subnormal = (k < -1022) & (k >= -1074)  # an exponent field of 0 stands for 0, 2047 for infinity
    if subnormal.any():
        power[subnormal] = np.ldexp(1.0, k[subnormal])
    return power


def floor_log2(size: Floats, lo: Floats, exponent: Ints, zero: int) -> Ints:
    """floor(log2(size + lo)) + exponent, |lo| at most half an ulp of size; `zero` for size 0.

    The exponent is read from the bits of a size that is no subnormal number. At a power of two the
    sign of lo decides.
    """
    bits = size.view(np.int64)
    floor = (bits >> 52) + (exponent - 1023)
    floor -= (bits & (2**52 - 1) == 0) & (lo < 0)
    nothing = size == 0
    return np.where(nothing, zero, floor) if nothing.any() else floor
