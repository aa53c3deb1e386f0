"""Arb's balls: every result is a proven enclosure. The engine of the truth.

Source: F. Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic,
doi:10.1109/TC.2017.2690633; by way of python-flint.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flint

from fpstudy.arithmetic.object_arrays import ObjectArrays
from fpstudy.dyadic import Ball

NAMESPACE = ObjectArrays(
    number=flint.arb,
    exp=flint.arb.exp,
    log=flint.arb.log,
    log1p=flint.arb.log1p,
)
PROVEN = True


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Run what is inside at a working precision of so many bits, then restore Arb's own."""
    with flint.ctx.workprec(bits):
        yield


def ball(number: Any, bits: int) -> Ball | None:
    """An Arb ball as integers; None where it is infinite, NaN or absurdly wide."""
    if not number.is_finite():
        return None
    man, exp = (int(part) for part in number.mid().man_exp())
    if number.is_exact():
        return Ball(man, exp)
    rad, rad_exp = (int(part) for part in number.rad().man_exp())
    if man == 0:
        return Ball(0, rad_exp, rad)
    if abs(exp - rad_exp) > 8 * bits + 64:  # the radius says nothing, or all, about the midpoint
        return None
    low = min(exp, rad_exp)
    return Ball(man << (exp - low), low, rad << (rad_exp - low))


def total(head: Any, tail: Any, bits: int) -> Ball | None:
    """Head + tail as a ball; None where it is too wide to say anything."""
    return ball(head + tail, bits)


def first_bits(spread: float) -> int:
    """The precision to begin with: 106 bits to decide and 22 to lose do for all but hard cases."""
    return 128


def infinity(number: Any) -> float | None:
    """The float infinity where the number is exactly infinite, else None."""
    if number.is_finite() or number.is_nan() or not number.is_exact():
        return None
    return float("inf") if number > 0 else float("-inf")


def exponential(hi: float, lo: float, exponent: int) -> tuple[float, float, int] | None:
    """e**((hi + lo) 2**exponent) = (h + l) 2**k to 2**-104, 1/2 <= h <= 1; None where Arb has none.

    The radius at 256 bits is negligible beside that wherever the exponent of the result is one of
    64 bits; a wider ball is refused.
    """
    with flint.ctx.workprec(256):
        x = (flint.arb(hi) + flint.arb(lo)) * flint.arb(2) ** exponent
        enclosed = ball(x.exp(), 256)
    if enclosed is None or enclosed.man <= 0 or enclosed.rad * 2**110 > enclosed.man:
        return None
    k = enclosed.man.bit_length()
    h = enclosed.man / (1 << k)
    rest = enclosed.man - int(h * 2.0**53) * 2 ** (k - 53) if k >= 53 else 0
    return (h, rest / (1 << k), enclosed.exp + k) if abs(enclosed.exp + k) < 2**60 else None
