"""RN of rational numbers by its definition, and exact operations: nothing of fpstudy but facts.

The slow twin that the tests of the `rounded` arithmetic hold it against, for any Format's primary
facts (precision, emax, emin, infinity, subnormals, saturate).
"""

import math
from fractions import Fraction

import mpmath
import numpy as np

from fpstudy.formats import FORMATS, Format

TF32 = Format("tf32", precision=11, emax=127, emin=-126)
FORMATS_OF_OUR_OWN = [
    TF32,
    Format("bfloat16_flushing", precision=8, emax=127, emin=-126, subnormals=False),
    Format("float16_saturating", precision=11, emax=15, emin=-14, saturate=True),
    Format("e4m3_saturating", precision=4, emax=8, emin=-6, infinity=False, saturate=True),
    Format("e3m2", precision=3, emax=4, emin=-2, infinity=False),
    Format("p25_widest", precision=25, emax=1023, emin=-1000),
    Format("p25_widest_saturating", precision=25, emax=1023, emin=-1000, saturate=True),
    Format("p11_widest", precision=11, emax=1023, emin=-1022),
    Format("p17_widest", precision=17, emax=1023, emin=-1022, infinity=False),
    Format("p53_short", precision=53, emax=127, emin=-126),
    Format("p53_saturating", precision=53, emax=1023, emin=-1022, saturate=True),
    Format("p2", precision=2, emax=3, emin=-2),
]
ALL = [*FORMATS.values(), *FORMATS_OF_OUR_OWN]


def floor_log2(size: Fraction) -> int:
    e = size.numerator.bit_length() - size.denominator.bit_length()
    return e if Fraction(2) ** e <= size else e - 1


def rn(f: Format, v: Fraction, sign: float = 1.0) -> float:
    """RN(v), ties to even; `sign` is that of a zero that v itself is."""
    if v == 0:
        return math.copysign(0.0, sign)
    size, p, way = abs(v), f.precision, 1.0 if v > 0 else -1.0
    step = Fraction(2) ** (max(floor_log2(size), f.emin) - p + 1)
    k, rest = divmod(size / step, 1)
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and k % 2 == 1):
        k += 1
    rounded = k * step
    largest = (2**p - (1 if f.infinity else 2)) * Fraction(2) ** (f.emax - p + 1)
    if rounded > largest:
        beyond = float(largest) if f.saturate else (math.inf if f.infinity else math.nan)
        return math.copysign(beyond, way)
    if not f.subnormals and rounded < Fraction(2) ** f.emin:
        rounded = Fraction(0)
    return math.copysign(float(rounded), way)


def of_infinite(f: Format, y: float) -> float:
    """An infinity or NaN that IEEE 754 gives, in a format that may lack infinity."""
    if math.isinf(y) and not f.infinity:
        return rn(f, (1 if y > 0 else -1) * Fraction(2) ** 5000)
    return y


def of_mpf(y: mpmath.mpf) -> Fraction:
    sign, man, exp, _ = y._mpf_
    return (-1) ** int(sign) * Fraction(int(man)) * Fraction(2) ** int(exp)


def numbers(f: Format, count: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of a format: every exponent alike, random significands, many short ones, signs."""
    p = f.precision
    k = rng.integers(2 ** (p - 1), 2**p, count)
    short = rng.integers(0, p, count)
    k = np.where(rng.random(count) < 0.3, (k >> short) << short, k)
    q = rng.integers(f.emin, f.emax + 1, count) - p + 1
    near = rng.integers(max(f.emin, -6), min(f.emax, 6) + 1, count) - p + 1
    q = np.where(rng.random(count) < 0.4, near, q)
    below = f.subnormals & (rng.random(count) < 0.1)
    k, q = np.where(below, k >> rng.integers(1, p, count), k), np.where(below, f.emin - p + 1, q)
    x = np.ldexp(k.astype(float), q) * rng.choice([-1, 1], count)
    return np.where(np.abs(x) > f.largest, np.copysign(f.largest, x), x)


def edges(f: Format) -> np.ndarray:
    """Zeros, both ends of the range and of the subnormals, and what lies around 1."""
    u = f.unit_roundoff
    x = [0.0, 1.0, 1 + 2 * u, 1 - u, 1.5, 2.0, f.largest, f.largest / 2, f.least_normal]
    x += [f.least_normal * (1 + 2 * u), f.least_normal * 1.5]
    if f.subnormals:
        x += [f.least_subnormal, 2 * f.least_subnormal, f.least_normal - f.least_subnormal]
    if f.infinity:
        x.append(math.inf)
    return np.asarray([*x, *np.negative(x), math.nan])


def assert_same(ours: np.ndarray, theirs: np.ndarray, *operands: np.ndarray) -> None:
    """Equal in value and in the sign of zero, NaN where NaN; shows the operands where not."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    same = (ours == theirs) & (np.signbit(ours) == np.signbit(theirs))
    same |= np.isnan(ours) & np.isnan(theirs)
    if not same.all():
        i = np.argmin(same)
        at = ", ".join(float(part.ravel()[i]).hex() for part in operands)
        found, wanted = (float(part.ravel()[i]).hex() for part in (ours, theirs))
        raise AssertionError(f"{(~same).sum()} differ; at ({at}): {found}, not {wanted}")
