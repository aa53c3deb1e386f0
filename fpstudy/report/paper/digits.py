"""A number to so many significant digits, apart from the language that it is written in."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

WHOLE = 10_000  # below it a number on an axis is written without a power
LEAST_POWER = -3  # of ten: a smaller number is written with a power


class Digits(NamedTuple):
    """mantissa times 10**power; no power where the mantissa is the number."""

    mantissa: str
    power: int | None = None


def significant(x: float, digits: int) -> Digits:
    """A finite x, correctly rounded: 0.125, 12.5, 9.77 times 10**-4; an integer is a count."""
    if isinstance(x, int) or x == 0:
        return Digits(f"{int(x):,}")
    mantissa, _, exponent = f"{x:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if LEAST_POWER <= power < digits:
        return Digits(f"{Decimal(x):.{digits - 1 - power}f}")
    return Digits(mantissa, power)


def apart(values: Sequence[float]) -> list[float]:
    """The values with as few digits, but three at least, as still tell them apart."""
    numbers = [float(value) for value in values]
    for digits in range(3, 17):
        short = [float(f"{x:.{digits}g}") for x in numbers]
        if len(set(short)) == len(set(numbers)):
            return short
    return numbers


def short(x: float) -> Digits:
    """x in the fewest digits that mean it: the heading of a column."""
    if x == 0 or LEAST_POWER <= math.log10(abs(x)) < math.log10(WHOLE):
        return Digits(f"{Decimal(repr(x)).normalize():f}")
    mantissa, _, power = f"{Decimal(repr(x)).normalize():e}".partition("e")
    return Digits(mantissa, int(power))
