"""Correctly rounded decimal digits of an exact value: of a rational number, or of a ball.

Exponents are Python integers: exp(-1e308) has one of 308 digits, more than the decimal module
bears.
"""

import math
import re
from fractions import Fraction
from typing import Any

import flint

from fpstudy.arithmetic import arb
from fpstudy.dyadic import Ball

MOST_EXPONENT = 2**18  # of two, for integers: 78,000 decimal digits
GUARD_DIGITS = 10  # the digits after the last one must not look like a tie or a carry
POSITIONAL = range(-7, 21)  # decimal exponents that are written without one


def of_fraction(value: Fraction, digits: int, padded: bool = False) -> str:
    """A rational number rounded to nearest, ties to even; exact ones without zeros at the end.

    So a value that shows fewer digits than were asked for is exact. With `padded` all are shown:
    the rational only stands for a number beside it.
    """
    if value == 0:
        return "0"
    size = abs(value)
    exponent = _floor_log10(size)
    exact = size / Fraction(10) ** (exponent - digits + 1)
    text, last = _carried(round(exact), exponent - digits + 1, digits)  # ties to even
    if exact.denominator == 1 and not padded:
        short = text.rstrip("0")
        text, last = short, last + len(text) - len(short)
    return _written(value < 0, text, last)


def of_sum(head: Any, tail: Any, digits: int, bits: int) -> str | None:
    """The digits to which all numbers of an Arb ball head + tail round; None where it is too wide.

    A tail too small to be seen beside an exact head decides by its sign.
    """
    with arb.precision(bits):
        number = head + tail
    total = arb.ball(number, bits)
    if total is None or abs(total.exp) > MOST_EXPONENT:
        return _of_far_ball(number, digits, bits)
    if abs(total.man) > total.rad:
        ends = {of_fraction(_value(total, side), digits, True) for side in (-1, 1)}
        if len(ends) == 1:
            return ends.pop()
    head_ball, tail_ball = arb.ball(head, bits), arb.ball(tail, bits)
    if head_ball is None or tail_ball is None or head_ball.man == 0 or head_ball.rad != 0:
        return None
    return _beside(head_ball, tail_ball, digits)


def _value(ball: Ball, side: int) -> Fraction:
    return (ball.man + side * ball.rad) * Fraction(2) ** ball.exp


def _beside(head: Ball, tail: Ball, digits: int) -> str | None:
    """The digits of an exact head and a tiny tail of known sign.

    A number at which rounding turns is k / (2 10**p); the head is h / 2**l. They are equal or at
    least 2**-(l + 1) 10**-p apart, so any tail of one sign below that gives the same digits.
    """
    if abs(tail.man) <= tail.rad:
        return None
    value = head.man * Fraction(2) ** head.exp
    places = max(0, digits - _floor_log10(abs(value)))
    cut = min(head.exp, 0) - 4 * places - 2  # 10**p < 2**(4 p)
    if (abs(tail.man) + tail.rad).bit_length() + tail.exp > cut:
        return None
    tiny = Fraction(2) ** (cut - 1)
    return of_fraction(value + (tiny if tail.man > 0 else -tiny), digits, True)


def _of_far_ball(number: Any, digits: int, bits: int) -> str | None:
    """The same for a number with an exponent too large for integers, from Arb's own text."""
    more = digits + GUARD_DIGITS
    if not number.is_finite() or number.rel_accuracy_bits() < 3.33 * more + 8:  # log2(10) < 3.33
        return None
    with arb.precision(bits + 64):
        text = number.str(more, radius=False)  # off by at most a unit of its last digit
    parts = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?", text)
    if parts is None:
        return None
    sign, whole, fraction, exponent = parts.groups(default="")
    scaled, last = int(flint.fmpz(whole + fraction)), int(exponent or 0) - len(fraction)
    excess = len((whole + fraction).lstrip("0")) - digits
    if excess < GUARD_DIGITS - 1:
        return None
    ends = {round(Fraction(scaled + unit, 10**excess)) for unit in (-2, 2)}
    if len(ends) > 1:
        return None
    return _written(sign == "-", *_carried(ends.pop(), last + excess, digits))


def _carried(scaled: int, last: int, digits: int) -> tuple[str, int]:
    """The digits of scaled * 10**last, one fewer where rounding carried into a new one."""
    text = str(flint.fmpz(scaled))  # Python's own str stops at 4,300 digits
    return (text[:-1], last + 1) if len(text) > digits else (text, last)


def _floor_log10(size: Fraction) -> int:
    """The e with 10**e <= size < 10**(e + 1)."""
    log2 = size.numerator.bit_length() - size.denominator.bit_length()
    exponent = math.floor((log2 - 1) * math.log10(2)) - 1  # too small by 2 at most
    while size >= Fraction(10) ** (exponent + 1):
        exponent += 1
    return exponent


def _written(negative: bool, text: str, last: int) -> str:
    """Digits times 10**last in positional notation where that is short, else as d.ddde-ddd."""
    exponent = last + len(text) - 1
    sign = "-" if negative else ""
    if exponent not in POSITIONAL:
        mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
        return f"{sign}{mantissa}e{exponent:+d}"
    if last >= 0:
        return f"{sign}{text}{'0' * last}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{text}"
    return f"{sign}{text[: exponent + 1]}.{text[exponent + 1 :]}"
