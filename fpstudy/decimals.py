"""Correctly rounded decimal digits of an exact value: of a rational number, or of a ball.

Exponents are Python integers: exp(-1e308) has one of 308 digits, more than the decimal module
bears.
"""

import math
import re
from fractions import Fraction
from typing import Any

from fpstudy.arithmetic import arb

GUARD_DIGITS = 10  # the digits after the last one must not look like a tie or a carry
POSITIONAL = range(-7, 21)  # decimal exponents that are written without one


def of_fraction(value: Fraction, digits: int) -> str:
    """A rational number rounded to nearest, ties to even; without the zeros at its end.

    So a value that shows fewer digits than were asked for is exact; one that is not shows all.
    """
    if value == 0:
        return "0"
    size = abs(value)
    exponent = _floor_log10(size)
    exact = size / Fraction(10) ** (exponent - digits + 1)
    text, last = str(round(exact)), exponent - digits + 1  # ties to even
    if exact.denominator == 1:
        short = text.rstrip("0")
        text, last = short, last + len(text) - len(short)
    return _written(value < 0, text, last)


def of_ball(number: Any, digits: int, bits: int) -> str | None:
    """The digits to which every number of an Arb ball rounds; None where the ball is too wide."""
    more = digits + GUARD_DIGITS
    if number.rel_accuracy_bits() < 3.33 * more + 8:  # log2(10) = 3.32...
        return None
    with arb.precision(bits + 64):
        text = number.str(more, radius=False)  # off by at most a unit of its last digit
    parts = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?", text)
    if parts is None:
        return None
    sign, whole, fraction, exponent = parts.groups(default="")
    scaled, last = int(whole + fraction), int(exponent or 0) - len(fraction)
    excess = len(str(scaled)) - digits
    if excess < GUARD_DIGITS - 1:
        return None
    ends = {round(Fraction(scaled + unit, 10**excess)) for unit in (-2, 2)}
    return _written(sign == "-", str(ends.pop()), last + excess) if len(ends) == 1 else None


def _floor_log10(size: Fraction) -> int:
    """E with 10**e <= size < 10**(e + 1)."""
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
