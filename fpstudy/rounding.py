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
    """Round every decided finite truth; the others keep their hi (infinite or NaN)."""
    finite = np.isfinite(t.hi)
    hi, lo = np.where(finite, t.hi, 0.0), np.where(finite, t.lo, 0.0)
    quantum = np.maximum(floor_log2(hi, lo, t.exponent, f.emin), f.emin) - f.precision + 1
    shift = np.clip(t.exponent - quantum, LEAST_SHIFT, 64)
    hi, lo = np.ldexp(hi, shift), np.ldexp(lo, shift)  # t in ulps: below 2**p

    whole = np.floor(hi)
    part = hi - whole  # exact, as is every sum of part and an integer below
    floor = whole - (part + lo < 0) + (part - 1 + lo >= 0)
    part = part + (whole - floor)  # t = floor + part + lo, in [floor, floor + 1)
    exact = part + lo == 0  # a floating-point sum is 0 only where the exact sum is
    half = (part - 0.5) + lo
    up = floor + ~exact
    odd = np.mod(floor, 2) == 1
    nearest = floor + ((half > 0) | ((half == 0) & odd))

    with np.errstate(over="ignore"):
        down, up, nearest = (np.ldexp(k, quantum) for k in (floor, up, nearest))
    nearest = np.copysign(f.clamp(nearest), np.where(nearest == 0, hi, nearest))
    # directed rounding stops at the largest number on the way to 0
    down = np.where(down > f.largest, f.largest, np.where(down < -f.largest, -np.inf, down))
    up = np.where(up < -f.largest, -f.largest, np.where(up > f.largest, np.inf, up))
    exact &= np.abs(nearest) <= f.largest
    at_infinity = np.isinf(t.hi)
    nearest = np.where(at_infinity, np.copysign(f.overflow, t.hi), nearest)
    return Rounded(
        nearest=np.where(np.isnan(t.hi), np.nan, nearest),
        down=np.where(finite, down, t.hi),
        up=np.where(finite, up, t.hi),
        exact=np.where(finite, exact, at_infinity & f.infinity),
        quantum=quantum,
    )


def floor_log2(hi: Floats, lo: Floats, exponent: Ints, zero: int) -> Ints:
    """floor(log2 |hi + lo|) + exponent; `zero` for 0. At a power of two the sign of lo decides."""
    mantissa, binade = np.frexp(hi)
    below = (np.abs(mantissa) == 0.5) & (hi * lo < 0)
    return np.where(hi == 0, zero, exponent + binade - 1 - below)
