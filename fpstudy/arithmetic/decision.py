"""Decided truths from double-double: head + tail as two float64 numbers, on whole arrays.

What `fpstudy.dyadic` does with one ball of integers, for every value of a batch at once. A value is
*decided* when its enclosure holds no number of at most 54 bits (a *breakpoint*: every number and
every midpoint of a format is one) other than the value itself, and is narrow enough to tell errors
by: 2**-88 of it, 2**-35 of float64's last place.
"""

from typing import Any, NamedTuple

import numpy as np

from fpstudy.arithmetic.double_double import FAR, DoubleDouble, normalized
from fpstudy.arithmetic.double_word import add_pairs_and_rest
from fpstudy.formats import Floats, Ints

WIDEST = 2.0**-88
HALF_ULP = 2.0**-54  # half the last place of 1/2 <= hi < 1: with hi a number, hi +- this a midpoint
MOST_EXPONENT = 2**39  # beyond, values are left to Arb
SIGN_ONLY = -960  # a tail of so many bits less than its head counts by its sign


class Decided(NamedTuple):
    """Values t with |t - (hi + lo) 2**exponent| <= radius 2**exponent where `known`.

    hi, lo, exponent, radius: as in fpstudy.truth.Truth
    """

    hi: Floats
    lo: Floats
    exponent: Ints
    radius: Floats
    known: Any


class _Sum(NamedTuple):
    """t = (hi + lo + rest) 2**exponent up to error 2**exponent, all arrays alike.

    unseen: what is left of tails too small to add; they have the sign of `rest`, so they are part
            of the radius but decide nothing
    """

    hi: Any
    lo: Any
    rest: Any
    exponent: Any
    error: Any
    unseen: Any


def decide(head: DoubleDouble, tail: DoubleDouble) -> Decided:
    """The values head + tail, of which the unknown ones need more precision.

    A head that is exact and a tail of known sign decide a value however small the tail is: it lies
    beside the head. Most heads of a softmax are 0.
    """
    shape = np.broadcast_shapes(head.shape, tail.shape)
    with np.errstate(all="ignore"):  # what has no value is not known
        headed = head.hi != 0
        alike = head.shape == tail.shape
        if not alike or 4 * np.count_nonzero(headed) > headed.size:
            return _added(*(normalized(_some(part, shape, ...)) for part in (head, tail)))
        result = _alone(tail)
        places = np.nonzero(headed)
        if places[0].size:
            added = _added(*(normalized(_some(part, shape, places)) for part in (head, tail)))
            for whole, part in zip(result, added, strict=True):
                whole[places] = part
    return result


def _some(x: DoubleDouble, shape: tuple[int, ...], places: Any) -> DoubleDouble:
    """The numbers at some places of x broadcast to the shape, none with an exponent for all."""
    parts = (x.hi, x.lo, x.exponent, x.radius)
    hi, lo, exponent, radius = (np.broadcast_to(part, shape)[places] for part in parts)
    return DoubleDouble(hi, lo, exponent, radius)


def _alone(tail: DoubleDouble) -> Decided:
    """Tails as they are, where no head is beside them."""
    x = normalized(tail)
    x.lo = np.zeros(x.shape) if isinstance(x.lo, float) else x.lo
    radius = np.abs(x.hi) * x.radius
    result = Decided(x.hi, x.lo, x.exponent, radius, _ordinary(np.abs(x.lo), radius))
    return _looked_at(result, _Sum(x.hi, x.lo, 0.0, x.exponent, _error(x.hi, x), 0.0))


def _added(head: DoubleDouble, tail: DoubleDouble) -> Decided:
    """Heads and tails, added at the larger exponent of those that are not 0."""
    larger = np.maximum(head.exponent, tail.exponent)
    exponent = np.where(head.hi == 0, tail.exponent, larger)
    exponent = np.where(tail.hi == 0, head.exponent, exponent)
    (hh, hl), head_unseen = _shifted(head, exponent)
    (th, tl), tail_unseen = _shifted(tail, exponent)
    hi, lo, rest = add_pairs_and_rest((hh, hl), (th, tl))
    error = _error(hh, head) + _error(th, tail) + np.abs(rest) * 2.0**-52
    result = _placed(_Sum(hi, lo, rest, exponent, error, head_unseen + tail_unseen))
    infinite = np.isinf(head.hi) & np.isfinite(tail.hi)
    if infinite.any():
        values = (head.hi[infinite], 0.0, 0, 0.0, True)
        for whole, value in zip(result, values, strict=True):
            whole[infinite] = value
    return result


def _shifted(x: DoubleDouble, exponent: Ints) -> tuple[tuple[Any, Any], Any]:
    """x in units of 2**exponent; where it is too small, a number of its sign, and how far off."""
    shift = x.exponent - exponent
    places = np.clip(shift, FAR, 0).astype(np.int32)
    hi, lo = np.ldexp(x.hi, places), np.ldexp(x.lo, places)
    small = (shift < SIGN_ONLY) & (x.hi != 0)
    if not small.any():
        return (hi, lo), np.zeros(x.shape)
    least = 2.0**SIGN_ONLY  # above any such number
    signed = np.where(x.radius < 0.5, np.copysign(least, x.hi), np.nan)
    hi, lo = np.where(small, signed, hi), np.where(small, 0.0, lo)
    return (hi, lo), np.where(small, least, 0.0)


def _error(hi: Any, x: DoubleDouble) -> Any:
    """|x| radius, for x with this hi; none for 0, which is exact."""
    error = np.abs(hi) * x.radius
    return np.where(hi == 0, 0.0, error) if np.isinf(x.radius).any() else error


def _placed(t: _Sum) -> Decided:
    """Sums as decided values with 1/2 <= |hi| <= 1.

    Almost all are ordinary: lo + rest, which is off by 2**-53 of it, is further from the
    breakpoints 0 and 2**-54 than the error. A closer look is taken at the others, and at powers of
    two, below which the breakpoints are twice as dense.
    """
    hi, shift = np.frexp(t.hi)
    lo = np.ldexp(t.lo + t.rest, -shift)
    size = np.abs(lo)
    radius = np.ldexp(t.error + t.unseen, -shift) + size * 2.0**-53
    return _looked_at(Decided(hi, lo, t.exponent + shift, radius, _ordinary(size, radius)), t)


def _ordinary(size: Any, radius: Any) -> Any:
    """Where |lo| of this size is far enough from the breakpoints 0 and 2**-54."""
    return (radius <= WIDEST) & (np.minimum(size, HALF_ULP - size) > radius)


def _looked_at(result: Decided, t: _Sum) -> Decided:
    """The result with a closer look at what is not ordinary."""
    hi, known = result.hi, result.known
    if result.exponent.max() > MOST_EXPONENT or result.exponent.min() < -MOST_EXPONENT:
        known &= np.abs(result.exponent) <= MOST_EXPONENT
    closer = np.nonzero(~known | (np.abs(hi) == 0.5))
    if closer[0].size:
        parts = (np.broadcast_to(part, hi.shape)[closer] for part in t)
        for whole, values in zip(result, _placed_closely(_Sum(*parts)), strict=True):
            whole[closer] = values
    return result


def _placed_closely(t: _Sum) -> Decided:
    """The same, by what the rest says beside each breakpoint.

    With |lo| = l, and r the rest in its direction, the value lies (l - b) + r from the breakpoint
    hi + b; l - b is exact where that is small. lo + rest is rounded, never across a breakpoint;
    where it falls on one it is moved by its last place.
    """
    hi, shift = np.frexp(t.hi)
    lo, rest, error, unseen = (np.ldexp(part, -shift) for part in (t.lo, t.rest, t.error, t.unseen))
    size, outwards = np.abs(lo), rest * np.copysign(1.0, lo)
    beyond = (size - HALF_ULP) + outwards  # the midpoint
    distance = np.minimum(np.abs(size + outwards), np.abs(beyond))
    half = np.abs(hi) == 0.5
    middle = (size - HALF_ULP / 2) + outwards
    distance = np.where(half, np.minimum(distance, np.abs(middle)), distance)
    beyond = np.where(half & (size < 0.75 * HALF_ULP), middle, beyond)
    both = lo + rest
    exact = (error == 0) & (rest == 0) & (unseen == 0)
    wide = error + np.where((lo == 0) | (rest == 0), 0.0, np.abs(both) * 2.0**-53)
    held = np.isfinite(t.hi) & (np.abs(t.exponent) <= MOST_EXPONENT) & (hi != 0)
    known = exact | (held & (wide <= WIDEST) & (distance > error * (1 + 2.0**-50)))

    on_break = (np.abs(both) == HALF_ULP) | (half & (np.abs(both) == HALF_ULP / 2))
    beside = on_break & known & ~exact
    aim = np.copysign(np.where(beyond > 0, np.inf, 0.0), both)
    both = np.where(beside, np.nextafter(both, aim), both)
    wide = np.where(beside, wide + 2.0**-105, wide)
    return _canonical(hi, both, t.exponent + shift, np.where(exact, 0.0, wide + unseen), known)


def _canonical(hi: Any, lo: Any, exponent: Any, radius: Any, known: Any) -> Decided:
    """The same values with |lo| <= 2**-54, and as far below 1 as others are below 1/2."""
    over = np.abs(lo) > HALF_ULP  # by its last place: then the next hi is nearer
    if over.any():
        step = np.copysign(2 * HALF_ULP, lo)
        hi, lo = np.where(over, hi + step, hi), np.where(over, lo - step, lo)
    below = (np.abs(hi) == 0.5) & (lo * hi < 0)
    if below.any():
        hi, lo, radius = (np.where(below, 2 * part, part) for part in (hi, lo, radius))
        exponent = exponent - below
    return Decided(hi, lo, np.where(hi == 0, 0, exponent), radius, known)
