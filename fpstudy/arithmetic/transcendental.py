"""RN(exp(x)), and so with log, log2, log1p, expm1 and b**e: correctly rounded to a format.

Float64's function decides wherever all of its error interval rounds alike. That interval is taken
as |y| 2**-45 + 2**-1070, 128 units in the last place: those libraries that claim least claim 4.
It is in doubt about one number in 2**(44 - p), and every number at p = 53: there exp, log and log1p
are decided in double-double, but for about one number in 2**35. What is in doubt is enclosed by Arb
at a precision that doubles until the enclosure rounds to one number.

That ends: of rational x only 0 (exp, log1p, expm1) and 1 (log) have rational values (Lindemann),
where Arb is exact; powers and log2 that are rational are taken from integers.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from fpstudy.arithmetic import arb
from fpstudy.arithmetic import double_double_functions as dd
from fpstudy.arithmetic.correct_rounding import elementwise, saturated
from fpstudy.arithmetic.decision import decide
from fpstudy.arithmetic.double_double import DoubleDouble
from fpstudy.dyadic import Ball, Packed, pack
from fpstudy.formats import DOUBLE, Floats, Format

RELATIVE, ABSOLUTE = 2.0**-45, 2.0**-1070  # of the error of float64's functions, generously
FIRST_BITS = 128
FAR = 800.0  # e**800 > 2**1150 is beyond float64's numbers, and its inverse rounds to 0
MINUS_ONE = -100.0  # e**-100 < 2**-144: from here downwards e**x - 1 rounds to -1
# 1 + t rounds to 1 at up to 53 bits for -2**-54 <= t <= 2**-53, and x (1 + t) to a number x.
TINY = 2.0**-55
FAR_POWER = 1200  # as FAR: 2**1200 stands for what is larger
LONGEST = 64  # an odd integer of more than 54 bits is neither a number nor a midpoint of a format

Enclose = Callable[..., Ball | None]  # (bits, operands) -> the value's ball at so many bits
Fast = Callable[[DoubleDouble], DoubleDouble]


def exp(f: Format, x: Floats) -> Floats:
    """RN(e**x), which is 1 for |x| <= 2**-55."""

    def ball(bits: int, x: float) -> Ball | None:
        return arb.ball(flint.arb(x).exp(), bits)

    def evaluate(x: Floats) -> Floats:
        y = saturated(f, np.exp(x), False, x)
        tiny = np.abs(x) <= TINY
        known = tiny | ~np.isfinite(x)
        return _decided(f, np.where(tiny, 1.0, y), known, ball, np.clip(x, -FAR, FAR), fast=dd.exp)

    return elementwise(evaluate, x)


def expm1(f: Format, x: Floats) -> Floats:
    """RN(e**x - 1), within x (1 +- 2**-55) for |x| <= 2**-55, which rounds to x."""

    def ball(bits: int, x: float) -> Ball | None:
        return arb.ball(flint.arb(max(MINUS_ONE, min(x, FAR))).expm1(), bits)

    def evaluate(x: Floats) -> Floats:
        y = saturated(f, np.expm1(x), False, x)
        tiny = np.abs(x) <= TINY
        return _decided(f, np.where(tiny, x, y), tiny | ~np.isfinite(x), ball, x)

    return elementwise(evaluate, x)


def log(f: Format, x: Floats) -> Floats:
    """RN(log(x)); -inf at 0, NaN below."""

    def ball(bits: int, x: float) -> Ball | None:
        return arb.ball(flint.arb(x).log(), bits)

    def evaluate(x: Floats) -> Floats:
        known = ~((x > 0) & np.isfinite(x))
        return _decided(f, np.log(x), known, ball, x, fast=dd.log)

    return elementwise(evaluate, x)


def log2(f: Format, x: Floats) -> Floats:
    """RN(log(x) / log(2)), rational only where x is a power of two; -inf at 0, NaN below."""

    def ball(bits: int, x: float) -> Ball | None:
        mantissa, exponent = math.frexp(x)
        if mantissa == 0.5:
            return Ball(exponent - 1, 0)
        return arb.ball(flint.arb(x).log() / flint.arb.const_log2(), bits)

    def evaluate(x: Floats) -> Floats:
        known = ~((x > 0) & np.isfinite(x))
        return _decided(f, np.log2(x), known, ball, x)

    return elementwise(evaluate, x)


def log1p(f: Format, x: Floats) -> Floats:
    """RN(log(1 + x)); -inf at -1, NaN below; within x (1 +- 2**-55) for |x| <= 2**-55."""

    def ball(bits: int, x: float) -> Ball | None:
        return arb.ball(flint.arb(x).log1p(), bits)

    def evaluate(x: Floats) -> Floats:
        tiny = np.abs(x) <= TINY
        known = tiny | ~((x > -1) & np.isfinite(x))
        return _decided(f, np.where(tiny, x, np.log1p(x)), known, ball, x, fast=dd.log1p)

    return elementwise(evaluate, x)


def power(f: Format, b: Floats, e: Floats) -> Floats:
    """RN(b**e); a negative base has powers at integers only, at others NaN."""

    def evaluate(b: Floats, e: Floats) -> Floats:
        y = np.power(b, e)
        known = ~(np.isfinite(b) & np.isfinite(e)) | (b == 0) | (e == 0) | (b == 1) | np.isnan(y)
        return _decided(f, saturated(f, y, b == 0, b, e), known, _power, b, e)

    return elementwise(evaluate, b, e)


def _decided(
    f: Format, y: Floats, known: Any, ball: Enclose, *operands: Floats, fast: Fast | None = None
) -> Floats:
    """RN of the exact values behind y, float64's; where `known`, y itself is to be rounded.

    Both ends of a value's interval rounding alike, all of it does: rounding is monotonic.
    fast: the function of one operand in double-double, for the numbers of 53 bits
    """
    if f.precision == DOUBLE and fast is not None and not known.all():
        y, known = _by_double_double(f, y, known, fast, operands[0])
    error = np.where(known | np.isinf(y), 0.0, np.abs(y) * RELATIVE + ABSOLUTE)
    low, high = f.round(y - error), f.round(y + error)
    doubtful = (low != high) & ~(np.isnan(low) & np.isnan(high)) & ~known
    if f.precision == DOUBLE:  # at the largest number 53 bits of float64 do not decide either
        doubtful |= np.isinf(y) & ~known
    rounded = np.copysign(low, y)
    if doubtful.any():
        cases = zip(*(part[doubtful].tolist() for part in _alike(y, operands)), strict=True)
        rounded[doubtful] = nearest(f, ball, list(cases))
    return rounded


def _by_double_double(
    f: Format, y: Floats, known: Any, fast: Fast, x: Floats
) -> tuple[Floats, Any]:
    """y with RN put in where double-double decides it, and where y is known with those.

    A decided hi is RN to 53 bits: |lo| < 2**-54. So it is RN in the format's normal range, and
    what lies beyond the largest number is rounded as the format has it.
    """
    found = decide(DoubleDouble(np.zeros_like(x)), fast(DoubleDouble(np.where(known, 1.0, x))))
    value = np.ldexp(found.hi, np.clip(found.exponent, -2000, 2000).astype(np.int32))
    sure = found.known & ~known & (np.abs(value) >= f.least_normal) & (np.abs(value) <= f.largest)
    return np.where(sure, value, y), known | sure


def _alike(y: Floats, operands: Sequence[Floats]) -> list[Floats]:
    return [np.broadcast_to(part, y.shape) for part in operands]


def nearest(f: Format, ball: Enclose, cases: list[tuple[float, ...]]) -> Floats:
    """RN of each case's value, enclosed at a precision that doubles until it is decided."""
    values: list[Packed | None] = [None] * len(cases)
    left, bits = list(range(len(cases))), FIRST_BITS
    while left:
        with arb.precision(bits):
            for i in left:
                enclosed = ball(bits, *cases[i])
                values[i] = None if enclosed is None else pack(enclosed)
        left, bits = [i for i in left if values[i] is None], 2 * bits
    return np.asarray([_round(f, value) for value in values if value is not None])


def _round(f: Format, value: Packed) -> float:
    """RN of a decided value: normal numbers of 53 bits by Python's conversion of an integer."""
    if f.precision == DOUBLE and f.emin < value.exp + 105 and value.exp + 106 <= f.emax:
        return value.sign * math.ldexp(float(value.q), value.exp)
    return math.copysign(f.round_fraction(Fraction(value.q) * Fraction(2) ** value.exp), value.sign)


def _power(bits: int, b: float, e: float) -> Ball | None:
    """b**e as a ball, for finite b other than 0 and finite e."""
    size = abs(b)
    negative = b < 0 and math.fmod(e, 2) != 0  # then e is an odd integer
    far = e * math.log2(size)
    if abs(far) > FAR_POWER:
        ball: Ball | None = Ball(1, FAR_POWER if far > 0 else -FAR_POWER)
    else:
        ball = _dyadic_power(size, e) or arb.ball(flint.arb(size) ** flint.arb(e), bits)
    return ball._replace(man=-ball.man) if ball is not None and negative else ball


def _dyadic_power(b: float, e: float) -> Ball | None:
    """b**e where it is k 2**j with k short, exactly; None where it is not.

    b = B 2**k with B odd, e = n / 2**h with n odd or h = 0. The value is rational only if b has a
    2**h-th root: B and 2**k are h times squares (unique factorisation). Then it is a power of the
    root; with B > 1 it is dyadic only for n >= 0, and longer than a midpoint unless n is small.
    """
    num, den = b.as_integer_ratio()
    k = (num & -num).bit_length() - den.bit_length()
    B = num // (num & -num)
    exponent = Fraction(e)
    for _ in range(exponent.denominator.bit_length() - 1):
        root = math.isqrt(B)
        if root * root != B or k % 2:
            return None
        B, k = root, k // 2
    n = exponent.numerator
    if B == 1:
        return Ball(1, k * n)
    if n < 0 or n * (B.bit_length() - 1) > LONGEST:
        return None
    return Ball(B**n, k * n)
