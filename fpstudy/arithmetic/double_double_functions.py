"""Sums, exponentials and logarithms of double-double numbers, each with its radius."""

from typing import Any

import numpy as np

from fpstudy.arithmetic import arb
from fpstudy.arithmetic.double_double import (
    ADD,
    FAR,
    GROWTH,
    LOST,
    DoubleDouble,
    add,
    at,
    kept,
    limited,
    lost,
    multiply,
    normalized,
    relative,
)
from fpstudy.arithmetic.double_word import two_sum
from fpstudy.arithmetic.double_word_functions import (
    EXP,
    LOG,
    MOST_EXPONENT,
    exp_pair,
    log_pair,
)
from fpstudy.formats import Floats

CHUNK = 2**10  # terms of a sum that are added in three slices
SUM = 2.0**-98  # the relative error of such a sum


def total(x: DoubleDouble) -> DoubleDouble:
    """Sums along the last axis; exact where no bit of them is lost."""
    exact = _sum_of_integers(x) if x.single else None
    return _sum_of_last(x) if exact is None else exact


def _sum_of_integers(x: DoubleDouble) -> DoubleDouble | None:
    """Sums along the last axis where all are integers: exact, if sizes add up to 2**53 at most."""
    size = np.abs(x.hi).sum(axis=-1)
    if not (size <= 2.0**53).all() or (x.hi != np.rint(x.hi)).any():
        return None
    return DoubleDouble(x.hi.sum(axis=-1))


def _sum_of_last(x: DoubleDouble) -> DoubleDouble:
    """Sums along the last axis: chunks of 2**10 terms by three slices, then their sums likewise.

    At a chunk's own scale, all |hi| <= 1.01, the terms are cut at 2**-33 and 2**-69 by adding and
    subtracting constants whose last place that is. The cut parts are sums of at most 2**11 and
    2**-23 of multiples of those, so exact in any order. The rests are at most 2**-69 each, and so
    are their roundings 2**-122; added in float64 they are off by 2**10 (2**10 u 2**-69) + 2**10
    2**-122 <= 2**-101.9, where the largest term is at least 1/8: SUM of the sizes' sum, in which
    the last rounding, u**2, and what underflows, 2**-990, have room.
    """
    n = x.shape[-1]
    if n > CHUNK:
        width = [(0, 0)] * (x.ndim - 1) + [(0, -n % CHUNK)]
        shape = (*x.shape[:-1], -1, CHUNK)
        return _sum_of_last(_sum_of_last(x.each(lambda part: np.pad(part, width).reshape(shape))))
    x = normalized(x) if x.plain else x
    live = x.hi != 0
    exponent = np.where(live, x.exponent, np.iinfo(np.int64).min // 2).max(axis=-1) + 1
    exponent = np.where(live.any(axis=-1), exponent, 0)
    hi, lo = at(x, exponent[..., None])
    h, l, left_out = _slices(hi, lo)
    if not x.exact and (hi >= 0).all():
        radius = _largest(x.radius, x.shape) + SUM
    else:
        one = np.count_nonzero(live, axis=-1) <= 1  # whose sum is that term
        h, l = np.where(one, hi.sum(axis=-1), h), np.where(one, lo.sum(axis=-1), l)
        size = np.abs(hi).sum(axis=-1)
        error = np.where(one | ~left_out, 0.0, SUM * size) + size * _largest(x.radius, x.shape)
        error += np.broadcast_to(lost(x, exponent[..., None]), hi.shape).sum(axis=-1)
        radius = relative(error, h)
    return kept(h, l, exponent, radius * GROWTH, lambda: x.hi.sum(axis=-1))


def _largest(radius: Any, shape: tuple[int, ...]) -> Any:
    """The largest radius of each row."""
    return radius if np.ndim(radius) == 0 else np.broadcast_to(radius, shape).max(axis=-1)


def _slices(hi: Floats, lo: Floats) -> tuple[Any, Any, Any]:
    """The sum along the last axis as a pair, and whether more than that was there to add."""
    first = (hi + _SLICE_1) - _SLICE_1
    hi = hi - first
    second, third = (hi + _SLICE_2) - _SLICE_2, (lo + _SLICE_2) - _SLICE_2
    hi, lo = hi - second, lo - third
    h, l = two_sum(first.sum(axis=-1), (second + third).sum(axis=-1))
    l, error = two_sum(l, (hi + lo).sum(axis=-1))
    left_out = (hi.any(axis=-1)) | (lo.any(axis=-1)) | (error != 0)
    return *two_sum(h, l), left_out


_SLICE_1 = 1.5 * 2.0 ** (52 - 33)  # x + 1.5 2**k is rounded to a multiple of 2**(k - 52)
_SLICE_2 = 1.5 * 2.0 ** (52 - 69)


def exp(x: DoubleDouble) -> DoubleDouble:
    """e**x: (1 + EXP) for the function, and |x| radius for what is not known of x.

    e**-inf is 0. Beyond |x| = 2**16 each number goes to Arb.
    """
    shift = np.clip(x.exponent, FAR, 64).astype(np.int32)
    hi, lo = (x.hi, x.lo) if x.plain else (np.ldexp(x.hi, shift), np.ldexp(x.lo, shift))
    near = np.abs(hi) <= MOST_EXPONENT
    everywhere = bool(near.all())
    h, l, k = exp_pair((hi if everywhere else np.where(near, hi, 0.0), lo))
    radius: Any = EXP if x.exact else np.abs(hi) * x.radius * GROWTH + (EXP + 2 * LOST)
    if not everywhere:
        nothing = hi == -np.inf
        h, l = np.where(nothing, 0.0, h), np.where(nothing, 0.0, l)
        far = ~near & ~nothing
        if far.any():
            radius = np.where(far, np.inf, radius)
            _put_exponentials(x, far, h, l, k, radius)
        elif not x.exact:
            radius = np.where(nothing, EXP, radius)
    return DoubleDouble(h, l, k, limited(radius))


def _put_exponentials(x: DoubleDouble, far: Any, h: Any, l: Any, k: Any, radius: Any) -> None:
    """Put in Arb's e**x and its radius where `far`; what Arb cannot hold keeps an infinite one."""
    parts = (x.hi, x.lo, x.exponent, x.radius)
    cases = zip(*(np.broadcast_to(part, x.shape)[far].tolist() for part in parts), strict=True)
    for place, (hi, lo, exponent, known) in zip(np.argwhere(far), cases, strict=True):
        i = tuple(place)
        value = arb.exponential(hi, lo, exponent)
        if value is not None:
            h[i], l[i], k[i] = value
            radius[i] = EXP + abs(np.ldexp(hi, min(exponent, 64))) * known * GROWTH


def log1p(x: DoubleDouble) -> DoubleDouble:
    """log(1 + x), x >= 0: x / ((1 + x) log(1 + x)) <= 1, so a relative radius stays one."""
    x = normalized(x)
    middle = DoubleDouble(x.hi, x.lo, x.exponent, ADD)  # whose sum need not be looked at for bits
    y = _log(normalized(add(DoubleDouble(np.ones(x.shape)), middle)), x)
    zero = x.hi == 0
    y.hi, y.lo = np.where(zero, 0.0, y.hi), np.where(zero, 0.0, y.lo)
    y.radius = limited((x.radius + LOG) * GROWTH)
    return y


def log(x: DoubleDouble) -> DoubleDouble:
    """log(x), x > 0: a relative radius of x is an absolute one of the logarithm."""
    x = normalized(x)
    own = DoubleDouble(x.hi, x.lo, x.exponent)
    z = add(own, DoubleDouble(-np.ones(x.shape)))
    y = _log(own, normalized(z))
    size = np.abs(np.ldexp(y.hi, np.clip(y.exponent, FAR, 64).astype(np.int32)))
    carried = np.where(size > 0, (x.radius * GROWTH) / np.where(size > 0, size, 1.0), 0.0)
    one = (y.hi == 0) & (np.broadcast_to(x.radius, x.shape) > 0)
    y.radius = limited(np.where(one, np.inf, carried + LOG) * GROWTH)
    return y


def _log(m: DoubleDouble, z: DoubleDouble) -> DoubleDouble:
    """log(m) for normalized m = 1 + z; both given as exact, up to 2**-103 of m."""
    low = m.hi < np.sqrt(0.5)
    scale = np.where(low, 2.0, 1.0)
    k = np.asarray(m.exponent - low, dtype=np.float64)
    h, l, e = log_pair((m.hi * scale, m.lo * scale), k, (z.hi, z.lo), z.exponent)
    return normalized(DoubleDouble(h, l, e))


def power(b: DoubleDouble, x: DoubleDouble) -> DoubleDouble:
    """b**x = e**(x log(b)), b > 0."""
    return exp(multiply(x, log(b)))
