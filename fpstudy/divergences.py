"""Divergences: how far a computed probability distribution lies from the exact one.

With t the exact distribution of a sample, which sums to 1, and y the computed one, exact numbers of
a format:

    sum error        |sum_j y_j - 1|
    total variation  sum_j |y_j - t_j| / 2
    KL divergence    sum_j (y_j log(y_j / t_j) - y_j + t_j)
    mass lost        the sum of the t_j with y_j = 0
    top-1 flip       whether the first of the largest y_j is no class with the largest t_j

The third is KL(y || t) in nats where y sums to 1, and no term of it is negative, whatever y sums
to. A class that underflows to zero costs its probability there, whereas KL(t || y) would be
infinite at any honest zero. It is infinite where y_j > 0 = t_j, and where y_j < 0.

Where y has a NaN or an infinity and t is known, the sizes are infinite and the top class counts as
flipped. Where a component of t is undecided or does not exist, there is nothing to measure: the
sizes are NaN, and nothing flips.

A difference that is smaller than the truth's own radius is only known to be that small.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from fpstudy.formats import Floats, Ints
from fpstudy.rounding import power_of_two
from fpstudy.truth import State, Truth
from fpstudy.yardstick import BLOCK

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Divergences:
    """Of each sample, (samples,): four sizes, as above, and whether the top class flipped."""

    sum_error: Floats
    total_variation: Floats
    kl_divergence: Floats
    mass_lost: Floats
    top1_flip: Flags


SIZES: tuple[str, ...] = tuple(field.name for field in fields(Divergences))[:-1]


@dataclass(frozen=True)
class Target:
    """Some samples of an exact distribution, (samples, n), as float64 numbers.

    truth:     t itself
    near:      the number nearest to t, NaN where there is no t
    rest:      t - near
    likeliest: whether no class is known to be more probable
    """

    truth: Truth
    near: Floats
    rest: Floats
    likeliest: Flags


def targets(t: Truth) -> list[Target]:
    """The blocks of an exact distribution, (samples, n), in the order of the samples."""
    samples, n = t.hi.shape
    size = max(1, BLOCK // max(1, n))
    with np.errstate(invalid="ignore"):  # where there is no t
        return [_target(t[start : start + size]) for start in range(0, samples, size)]


def diverge(y: Floats, t: list[Target]) -> Divergences:
    """The divergences of computed distributions y, (samples, n), as float64, from t."""
    parts = list(_blocks(y, t))
    names = [field.name for field in fields(Divergences)]
    return Divergences(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def _blocks(y: Floats, t: list[Target]) -> Iterator[Divergences]:
    start = 0
    for target in t:
        stop = start + len(target.near)
        with np.errstate(all="ignore"):  # what is no number is seen to by _unusual
            yield _of_block(y[start:stop], target)
        start = stop


def _target(t: Truth) -> Target:
    """The largest t is at least 1 / n, so nothing that underflows here is near it."""
    unit = power_of_two(t.exponent)
    near, rest = t.hi * unit, t.lo * unit
    return Target(t, near, rest, _likeliest(near, rest, t.radius * unit))


def _likeliest(near: Floats, rest: Floats, radius: Floats) -> Flags:
    """Whether no class is known to be more probable.

    A truth compares with the numbers of up to 54 bits as t does, so t_i < t_j is known where near_i
    < near_j, by the midpoint between, and where rest_i <= 0 <= rest_j are not both 0. Otherwise the
    difference must show beside the radii. Equal probabilities have the same near and rest.
    """
    first = near == near.max(axis=1, keepdims=True)
    rest = np.where(first, rest, -np.inf)
    most = rest.max(axis=1, keepdims=True)
    unsure = radius + np.where(rest == most, radius, 0.0).max(axis=1, keepdims=True)
    return np.asarray(first & (np.sign(rest) == np.sign(most)) & (most - rest <= unsure))


def _of_block(y: Floats, t: Target) -> Divergences:
    difference = y - t.near
    difference -= t.rest
    variation = np.abs(difference).sum(axis=1) / 2
    zero, lost = y == 0, np.zeros(len(y))
    terms, far = _terms(difference, t)
    if zero.any():
        missing = np.where(zero, -difference, 0.0)
        lost, terms, far = missing.sum(axis=1), np.where(zero, missing, terms), far & ~zero
    if far.any():
        exact = t.truth.hi[far], t.truth.exponent[far]
        terms[far] = _by_logarithms(y[far], difference[far], *exact)
    divergence = terms.sum(axis=1)
    flip = ~t.likeliest[np.arange(len(y)), y.argmax(axis=1)]
    divergence = np.where(np.isnan(divergence), np.inf, divergence)  # the logarithm of a y_j < 0
    found = Divergences(_sum_error(y), variation, divergence, lost, flip)
    return found if np.isfinite(variation).all() else _unusual(found, y, t)


def _unusual(found: Divergences, y: Floats, t: Target) -> Divergences:
    """The same with infinite sizes for a y that is no number, and none where t is not known."""
    known = (t.truth.state == State.DECIDED).all(axis=1)
    numbers = np.isfinite(y).all(axis=1)
    failed = {name: np.where(numbers, getattr(found, name), np.inf) for name in SIZES}
    sizes = {name: np.where(known, size, np.nan) for name, size in failed.items()}
    return Divergences(**sizes, top1_flip=np.asarray(known & (found.top1_flip | ~numbers)))


# For |y| < 8, y + SPLIT lies in [16, 32), where float64's numbers are the multiples of 2**-48.
SPLIT = 24.0


def _sum_error(y: Floats) -> Floats:
    """|sum_j y_j - 1|, each y_j split into a multiple of 2**-48 and a rest of at most 2**-49.

    Sums of those multiples up to 2**5 are exact. The rests of n numbers, together at most
    n 2**-49, are added with relative errors of 2**-53 for each of log2(n) sums and more.
    """
    high = y + SPLIT
    high -= SPLIT
    rest = (y - high).sum(axis=1)
    return np.asarray(np.abs((high.sum(axis=1) - 1) + rest))


# With d = y / t - 1 a term of the KL divergence is t h(d), h(d) = (1 + d) log(1 + d) - d, which is
# d**2 (1/2 - d/6 + d**2/12 - d**3/20 + ...). Up to |d| = 2**-6 what follows is below 2**-27 of it.
# From there on h(d) > 2**-14, and y log(y / t) - (y - t) loses no more than 15 of its bits, and
# those of the size of log t: it is right to 2**-27 as well, down to float64's least t.
NEAR = 2.0**-6
SERIES = (-1 / 20, 1 / 12, -1 / 6, 1 / 2)


def _terms(difference: Floats, t: Target) -> tuple[Floats, Flags]:
    """Terms of the KL divergence by the series, and where that does not hold."""
    d = difference / t.near
    far = ~(np.abs(d) <= NEAR)
    terms = d * SERIES[0]
    for coefficient in SERIES[1:-1]:
        terms += coefficient
        terms *= d
    terms += SERIES[-1]
    terms *= d
    terms *= difference
    return terms, far


def _by_logarithms(y: Floats, difference: Floats, hi: Floats, exponent: Ints) -> Floats:
    """y log(y / t) - (y - t), t = hi 2**exponent, for y != 0, however small t; NaN for y < 0."""
    return np.asarray(y * (np.log(y / hi) - exponent * np.log(2)) - difference)
