"""Balls of integers: what an engine of the truth hands over, and how a ball becomes two floats.

A ball (man, exp, rad) is the set of numbers within rad * 2**exp of man * 2**exp, all three Python
integers. A ball is *decided* when it lies strictly between two neighbours of the grid of 106-bit
numbers, or is a single number. Then its numbers round alike to every format of up to 53 bits, and
two float64 numbers carry all of it: the first 106 bits, the last one set to 1 when anything
follows (rounding to odd, Boldo & Melquiond, doi:10.1109/TC.2007.70819).
"""

from typing import NamedTuple

BITS = 106  # two float64 significands
# A midpoint of a format of at most 53 bits has at most 54 significant bits, a number has 53.
BREAKPOINT_BITS = 54
# float64's least midpoint is 2**-1075: below it all numbers of one sign round alike in all formats.
NEGLIGIBLE = -1080
# Smaller values are only known to lie between 0 and 2**(LEAST_EXPONENT + 106): no format can tell.
LEAST_EXPONENT = -(2**40)


class Ball(NamedTuple):
    """{t : |t - man * 2**exp| <= rad * 2**exp}."""

    man: int
    exp: int
    rad: int = 0


class Packed(NamedTuple):
    """sign * q * 2**exp with 2**105 <= q < 2**106 (or q = 0), off by at most radius * 2**exp."""

    sign: int
    q: int
    exp: int
    radius: float


def add(a: Ball, b: Ball, widest: int) -> Ball | None:
    """a + b exactly; None where their exponents lie further apart than `widest` bits."""
    if abs(a.exp - b.exp) > widest:
        return None
    low = min(a.exp, b.exp)
    man = (a.man << (a.exp - low)) + (b.man << (b.exp - low))
    return Ball(man, low, (a.rad << (a.exp - low)) + (b.rad << (b.exp - low)))


def pack(ball: Ball) -> Packed | None:
    """The decided value of a ball; None when the ball is too wide to decide."""
    man, exp, rad = abs(ball.man), ball.exp, ball.rad
    sign = -1 if ball.man < 0 else 1
    if man == 0:
        return Packed(1, 0, 0, 0.0) if rad == 0 else None
    short = BITS + 24 - man.bit_length()
    if short > 0:  # 24 spare bits, so that shift >= 24 below
        man, exp, rad = man << short, exp - short, rad << short
    shift = man.bit_length() - BITS
    q, rest, cell = man >> shift, man & ((1 << shift) - 1), 1 << shift
    if rad == 0:
        return _clamped(sign, q | 1 if rest else q, exp + shift, 1.0 if rest else 0.0)
    if rest > rad and rest + rad < cell:
        return _clamped(sign, q | 1, exp + shift, 1.0)
    return _beside_harmless_point(sign, man, exp, rad, shift)


def _beside_harmless_point(sign: int, man: int, exp: int, rad: int, shift: int) -> Packed | None:
    """A narrow ball around a grid point that no format rounds at: the point stands for it all."""
    cell = 1 << shift
    if 4 * rad >= cell:
        return None
    point = (man + (cell >> 1)) >> shift
    exponent = exp + shift
    bits = point.bit_length() - (point & -point).bit_length() + 1
    harmless = bits > BREAKPOINT_BITS or exponent + BITS < NEGLIGIBLE
    if not harmless:
        return None
    radius = (abs(man - (point << shift)) + rad) / cell
    if point.bit_length() > BITS:  # only 2**106, which is below NEGLIGIBLE here
        point, exponent, radius = point >> 1, exponent + 1, radius / 2
    return _clamped(sign, point, exponent, radius * (1 + 2.0**-50))


def _clamped(sign: int, q: int, exponent: int, radius: float) -> Packed:
    if exponent < LEAST_EXPONENT:
        return Packed(sign, q, LEAST_EXPONENT, 2.0**BITS)  # from below 0 to 2**107, in its units
    return Packed(sign, q, exponent, radius)


def beside(head: Ball, tail: Ball) -> Ball | None:
    """Head + tail for an exact head and a tail too small to reach the next grid point.

    All numbers of the tail have one sign, and |tail| < 2**cut where both the head and every grid
    point near it are multiples of 2**(cut + 2). Moving the tail within (0, 2**cut) crosses no
    grid point, so sign * 2**(cut - 1) stands for it. None where this does not apply.
    """
    if head.rad != 0 or head.man == 0 or abs(tail.man) <= tail.rad:
        return None
    top = abs(head.man).bit_length() + head.exp
    trailing = (head.man & -head.man).bit_length() - 1
    cut = min(head.exp + trailing, top - BITS - 2) - 2
    if (abs(tail.man) + tail.rad).bit_length() + tail.exp > cut:
        return None
    tiny = 1 if tail.man > 0 else -1
    return Ball((head.man << (head.exp - cut + 1)) + tiny, cut - 1)


def pack_ratio(num: int, den: int) -> Packed:
    """num / den, den > 0, rounded to odd at 106 bits; never undecided."""
    if num == 0:
        return Packed(1, 0, 0, 0.0)
    shift = num.bit_length() - den.bit_length() - BITS - 2
    q, rest = divmod(abs(num) << max(-shift, 0), den << max(shift, 0))
    packed = pack(Ball(2 * q + bool(rest), shift - 1))  # q has over 106 bits: rest shows as odd
    assert packed is not None  # an exact ball is always decided
    return packed._replace(sign=-1 if num < 0 else 1)
