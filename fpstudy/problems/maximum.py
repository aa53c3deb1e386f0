"""A vector split at its first maximum: m = x_k, w_i = exp(x_i - m), s = sum_{i != k} w_i."""

from typing import NamedTuple

from fpstudy.problems.problem import Array


class Split(NamedTuple):
    """The parts of a split, each with the vector axis kept.

    m:   x_k, the maximum
    top: where i = k, the first index that attains it
    w:   exp(x_i - m), of which w_k = 1
    s:   the sum of the w_i with i != k, so that sum_i w_i = 1 + s
    """

    m: Array
    top: Array
    w: Array
    s: Array


def split(xp: Array, x: Array, axis: int = -1) -> Split:
    """Split x along axis; x - m <= 0, so no exponential exceeds 1.

    The sum without the largest term keeps what 1 + s would round away; log1p(s) then has it.
    """
    top = first(xp, xp.argmax(x, axis=axis, keepdims=True), x, axis)
    m = xp.max(x, axis=axis, keepdims=True)
    w = xp.exp(x - m)
    s = xp.sum(xp.where(top, xp.zeros_like(w), w), axis=axis, keepdims=True)
    return Split(m, top, w, s)


class Ties(NamedTuple):
    """A vector split at all entries that attain its maximum, each with the vector axis kept.

    m:   the maximum
    top: where x_i = m
    c:   how many there are
    """

    m: Array
    top: Array
    c: Array


def ties(xp: Array, x: Array, m: Array, axis: int = -1) -> Ties:
    """The entries equal to the extreme value m; comparing inputs, so exact."""
    top = x == m
    c = xp.sum(xp.where(top, xp.ones_like(x), xp.zeros_like(x)), axis=axis, keepdims=True)
    return Ties(m, top, c)


def first(xp: Array, k: Array, x: Array, axis: int) -> Array:
    """[i = k] along the axis, for an index k with the axis kept."""
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    return xp.reshape(xp.arange(x.shape[axis]), tuple(shape)) == k
