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
    beside the head.
    """
    shape = np.broadcast_shapes(head.shape, tail.shape)
    head, tail = (_full(normalized(part), shape) for part in (head, tail))
    infinite = np.isinf(head.hi) & np.isfinite(tail.hi)
    with np.errstate(invalid="ignore", over="ignore"):
        alone = head.hi == 0
        if alone.all():
            total = _of_tail(tail)
        elif 4 * np.count_nonzero(~alone) > alone.size:
            total = _added(head, tail)
        else:
            total = _of_tail(tail)
            some = ~alone
            for whole, part in zip(
                total, _added(_some(head, some), _some(tail, some)), strict=True
            ):
                whole[some] = part
        hi, lo, exponent, radius, known = _placed(total)
    if infinite.any():
        hi, known = np.where(infinite, head.hi, hi), known | infinite
        lo, radius = (np.where(infinite, 0.0, part) for part in (lo, radius))
        exponent = np.where(infinite, 0, exponent)
    return Decided(hi, lo, exponent, radius, known)


def _full(x: DoubleDouble, shape: tuple[int, ...]) -> DoubleDouble:
    return DoubleDouble(
        *(np.broadcast_to(part, shape) for part in (x.hi, x.lo, x.exponent, x.radius))
    )


def _some(x: DoubleDouble, chosen: Any) -> DoubleDouble:
    return DoubleDouble(x.hi[chosen], x.lo[chosen], x.exponent[chosen], x.radius[chosen])


def _of_tail(tail: DoubleDouble) -> _Sum:
    """The tail as the whole value."""
    error = np.where(tail.hi == 0, 0.0, np.abs(tail.hi) * tail.radius)
    nothing = np.zeros(tail.shape)
    return _Sum(
        tail.hi.copy(), tail.lo.copy(), nothing, tail.exponent.copy(), error, nothing.copy()
    )


def _added(head: DoubleDouble, tail: DoubleDouble) -> _Sum:
    """Head + tail, aligned at the larger exponent of those that are not 0."""
    larger = np.maximum(head.exponent, tail.exponent)
    exponent = np.where(head.hi == 0, tail.exponent, larger)
    exponent = np.where(tail.hi == 0, head.exponent, exponent)
    (hh, hl), head_unseen = _shifted(head, exponent)
    (th, tl), tail_unseen = _shifted(tail, exponent)
    hi, lo, rest = add_pairs_and_rest((hh, hl), (th, tl))
    error = _error(hh, head) + _error(th, tail) + np.abs(rest) * 2.0**-52
    return _Sum(hi, lo, rest, exponent, error, head_unseen + tail_unseen)


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
    """|x| radius; none for 0, and none that counts for a number that stands for its sign."""
    return np.where(hi == 0, 0.0, np.abs(hi) * x.radius)


def _placed(t: _Sum) -> tuple[Any, ...]:
    """Sums as (hi, lo, exponent, radius, known) with 1/2 <= |hi| < 1.

    lo = l + r is rounded, by at most 2**-53 of it. An l on a breakpoint with an r beside it moves
    by its last place towards r: then it lies on the value's side.
    """
    hi, shift = np.frexp(t.hi)
    lo, rest, error, unseen = (np.ldexp(part, -shift) for part in (t.lo, t.rest, t.error, t.unseen))
    both = lo + rest
    on_break = (np.abs(lo) == HALF_ULP) | ((np.abs(hi) == 0.5) & (np.abs(lo) == HALF_ULP / 2))
    beside = on_break & (both == lo) & (np.abs(rest) > error)
    rounding = np.where((lo == 0) | (rest == 0), 0.0, np.abs(both) * 2.0**-53)
    wide = error + rounding
    distance = np.minimum(np.abs(both), np.abs(HALF_ULP - np.abs(both)))
    at_half = np.abs(hi) == 0.5
    if at_half.any():
        below = np.abs(HALF_ULP / 2 - np.abs(both))
        distance = np.where(at_half, np.minimum(distance, below), distance)
    exact = (error == 0) & (rest == 0) & (unseen == 0)
    narrow = wide <= WIDEST
    held = np.abs(t.exponent) <= MOST_EXPONENT
    known = (exact | (narrow & ((distance > wide) | beside))) & np.isfinite(t.hi) & held
    moved = np.where(beside, np.nextafter(both, np.copysign(np.inf, rest)), both)
    radius = np.where(beside, np.abs(moved) * 2.0**-51, wide) + unseen
    known &= (hi != 0) | exact
    over = np.abs(moved) > HALF_ULP  # by its last place: then the next hi is nearer
    if over.any():
        step = np.copysign(2 * HALF_ULP, moved)
        hi, moved = np.where(over, hi + step, hi), np.where(over, moved - step, moved)
    below = at_half & (moved * hi < 0)  # a binade further down, where hi is 1
    if below.any():
        hi, moved, radius = (np.where(below, 2 * part, part) for part in (hi, moved, radius))
        shift = shift - below
    exponent = np.where(hi == 0, 0, t.exponent + shift)
    return hi, moved, exponent, np.where(exact, 0.0, radius), known
