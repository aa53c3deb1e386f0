"""Sums along an axis, in a chosen order and width: every addition rounded to a format.

    sequential  ((x_1 + x_2) + x_3) + ...                        (n - 1) u
    pairwise    neighbours added, then their sums, and so on     ceil(log2 n) u
    blocked     128 by 128 sequentially, then the blocks' sums   (126 + ceil(n / 128)) u
    kahan       an addition's rounding error goes into the next  2 u + O(n u**2)
    neumaier    the rounding errors are summed apart             u + O((n u)**2)
    exact       the sum itself, rounded once                     u |sum| alone

On the right the error at most, to first order, in parts of sum |x_i|, while nothing overflows. Each
but the last can be carried out in a wider format, as "sequential:float32": every addition there,
then one rounding. Neumaier's sum of errors is itself a sequential one, and stands still in a format
of 8 bits after some hundred errors of a size; Kahan's is used up at once. Once a sum is infinite
the corrections of both are inf - inf = NaN.

Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, chapter 4; A. Neumaier,
doi:10.1002/zamm.19740540106.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from fpstudy.arithmetic.correct_rounding import add, contains, subtract
from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.formats import DOUBLE, FORMATS, Floats, Format

Array = Any  # (n, ...), the terms along the first axis: float64 values, or a native dtype
Sum = Callable[[Array, Format], Array]
TERMS = 128  # of a block


def parse(accumulation: str) -> tuple[str, Format | None]:
    """The order of "order" or "order:format", and the format; ValueError for unknown ones."""
    order, colon, width = accumulation.partition(":")
    if order not in ACCUMULATIONS:
        raise ValueError(f"no accumulation {order!r}; known: {', '.join(ACCUMULATIONS)}")
    if colon and width not in FORMATS:
        raise ValueError(f"no format {width!r} to add up in; known: {', '.join(FORMATS)}")
    return order, FORMATS[width] if colon else None


def refusal(f: Format, accumulation: str) -> str | None:
    """Why sums of numbers of f cannot be accumulated so; None where they can.

    ValueError for an accumulation that there is not.
    """
    order, wide = parse(accumulation)
    if wide is None:
        return None
    if order == "exact":
        return f"an exact sum is rounded once, to {f.name}; {wide.name} between would be twice"
    if contains(wide, f):
        return None
    return f"{wide.name} does not hold all numbers of {f.name}"


def total(x: Floats, axis: int, f: Format, accumulation: str) -> Floats:
    """The sums of numbers x of the format along the axis, as numbers of the format.

    A format to add up in that is narrower than f leaves f as it is. The sum of nothing is 0.
    ValueError for an accumulation that there is not.
    """
    order, wide = parse(accumulation)
    if wide is not None and not contains(wide, f):
        wide = None
    terms = np.moveaxis(x, axis, 0)
    if len(terms) == 0:
        return np.zeros(terms.shape[1:])
    with np.errstate(all="ignore"):
        y = ACCUMULATIONS[order](terms, wide or f)
        return np.asarray(y if wide is None else f.round(y))


def sequential(x: Array, f: Format) -> Floats:
    """((x_1 + x_2) + x_3) + ..."""
    native = _native(f)
    if native is not None:  # NumPy accumulates one by one, each sum rounded to the dtype
        last = np.add.accumulate(x.astype(native), axis=0, dtype=native)[-1]
        return np.asarray(last, dtype=np.float64)
    x, plus, _ = _operations(x, f)
    s = x[0]
    for term in x[1:]:
        s = plus(s, term)
    return np.asarray(s)


def pairwise(x: Array, f: Format) -> Floats:
    """(x_1 + x_2) + (x_3 + x_4) + ..., then so again with the sums; an odd last one passes on."""
    while len(x) > 1:
        x = _filled(x, 2)
        x = add(f, x[0::2], x[1::2])
    return np.asarray(x[0])


def blocked(x: Array, f: Format) -> Floats:
    """The sequential sum of the sequential sums of 128 terms each."""
    x = _filled(x, TERMS)
    blocks = x.reshape(-1, TERMS, *x.shape[1:])
    return sequential(sequential(np.moveaxis(blocks, 1, 0), f), f)


def kahan(x: Array, f: Format) -> Floats:
    """y = x_i - c, t = s + y, c = (t - s) - y, s = t: c is what the last addition rounded away."""
    x, plus, minus = _operations(x, f)
    s, c = x[0], np.zeros_like(x[0])
    for term in x[1:]:
        y = minus(term, c)
        t = plus(s, y)
        c = minus(minus(t, s), y)
        s = t
    return np.asarray(s, dtype=np.float64)


def neumaier(x: Array, f: Format) -> Floats:
    """t = s + x_i, c += (the larger of s, x_i - t) + the smaller, s = t; the sum is s + c."""
    x, plus, minus = _operations(x, f)
    s, c = x[0], np.zeros_like(x[0])
    for term in x[1:]:
        t = plus(s, term)
        swapped = np.abs(s) < np.abs(term)
        large, small = np.where(swapped, term, s), np.where(swapped, s, term)
        c = plus(c, plus(minus(large, t), small))
        s = t
    return np.asarray(plus(s, c), dtype=np.float64)


def exact(x: Array, f: Format) -> Floats:
    """RN(sum_i x_i), from math.fsum's sum rounded to 53 bits and the sign of what that dropped."""
    vectors = np.moveaxis(x, 0, -1)
    rows = vectors.reshape(-1, len(x))
    sums: Floats = np.asarray([_exact_sum(row, f) for row in rows], dtype=np.float64)
    return sums.reshape(vectors.shape[:-1])


def _exact_sum(row: Floats, f: Format) -> float:
    if not np.isfinite(row).all():
        return float(f.round(row.sum()))  # infinite, or NaN, in any order
    terms = row.tolist()
    try:
        s = math.fsum(terms)
        rest = math.fsum([*terms, -s])
    except OverflowError:  # of a partial sum, perhaps
        return f.round_fraction(sum(map(Fraction, terms), Fraction(0)))
    if s == 0:
        return -0.0 if np.signbit(row).all() else 0.0
    if f.precision < DOUBLE and rest != 0 and s / math.ulp(s) % 2 == 0:
        s = math.nextafter(s, math.copysign(math.inf, rest))  # rounded to odd: no midpoint
    return float(f.round(s))


ACCUMULATIONS: dict[str, Sum] = {
    "sequential": sequential,
    "pairwise": pairwise,
    "blocked": blocked,
    "kahan": kahan,
    "neumaier": neumaier,
    "exact": exact,
}


def _native(f: Format) -> np.dtype[Any] | None:
    """The dtype whose additions are the format's, for those built in.

    float32 and float64 add as IEEE 754 says; the narrower ones add in float32 and round again,
    which is innocuous as 24 >= 2 p + 2 for p <= 11 (see correct_rounding).
    """
    return DTYPES[f.name] if FORMATS.get(f.name) == f else None


def _operations(x: Floats, f: Format) -> tuple[Array, Callable[..., Array], Callable[..., Array]]:
    """The terms, and what adds and subtracts them: natively where that gives the same bits.

    Else as `add` and `subtract` do, without what those take from each call for any shapes.
    """
    native = _native(f)
    if native is not None:
        return x.astype(native), np.add, np.subtract
    if f.saturate:  # an exact infinity stays one, see correct_rounding.saturated
        return x, partial(add, f), partial(subtract, f)
    return x, lambda a, b: f.round(a + b), lambda a, b: f.round(a - b)


def _filled(x: Array, multiple: int) -> Array:
    """The terms and as many -0 as make their number a multiple: x + -0 = x, also for x = -0."""
    short = -len(x) % multiple
    return np.concatenate([x, np.full((short, *x.shape[1:]), -0.0)]) if short else x
