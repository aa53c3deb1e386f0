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
    finite = np.isfinite(t.hi)
    sign = np.where(np.signbit(t.hi), -1.0, 1.0)
    hi, lo = (np.where(finite, sign * part, 0.0) for part in (t.hi, t.lo))  # |t|
    quantum = np.maximum(floor_log2(hi, lo, t.exponent, f.emin), f.emin) - f.precision + 1
    shift = np.clip(t.exponent - quantum, LEAST_SHIFT, 64)
    hi, lo = np.ldexp(hi, shift), np.ldexp(lo, shift)  # |t| in ulps: below 2**p

    whole = np.floor(hi)
    part = hi - whole  # exact; part - 1 and part - 1/2 are where they are near 0 (Sterbenz)
    floor = whole - (part + lo < 0) + (part - 1 + lo >= 0)
    part = part + (whole - floor)  # |t| = floor + part + lo, in [floor, floor + 1)
    exact = part + lo == 0  # a floating-point sum is 0 only where the exact sum is
    half = (part - 0.5) + lo
    odd = np.mod(floor, 2) == 1
    nearest = floor + ((half > 0) | ((half == 0) & odd))

    with np.errstate(over="ignore"):
        inner, outer, nearest = (np.ldexp(k, quantum) for k in (floor, floor + ~exact, nearest))
    inner = np.minimum(inner, f.largest)  # rounding towards 0 stops at the largest number
    outer = np.where(outer > f.largest, np.inf, outer)
    nearest = f.clamp(nearest)
    exact &= np.abs(nearest) <= f.largest
    at_infinity = np.isinf(t.hi)
    inner, outer = (np.where(at_infinity, np.inf, end) for end in (inner, outer))
    nearest = np.where(at_infinity, np.inf if f.infinity else f.overflow, nearest)
    down, up = np.where(sign > 0, inner, -outer), np.where(sign > 0, outer, -inner)
    none = np.isnan(t.hi)
    return Rounded(
        nearest=np.where(none, np.nan, sign * nearest),
        down=np.where(none, np.nan, down),
        up=np.where(none, np.nan, up),
        exact=np.where(finite, exact, at_infinity & f.infinity),
        quantum=quantum,
    )


def floor_log2(hi: Floats, lo: Floats, exponent: Ints, zero: int) -> Ints:
    """floor(log2 |hi + lo|) + exponent; `zero` for 0. At a power of two the sign of lo decides."""
    mantissa, binade = np.frexp(hi)
    below = (np.abs(mantissa) == 0.5) & (hi * lo < 0)
    return np.where(hi == 0, zero, exponent + binade - 1 - below)
