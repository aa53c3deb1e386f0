"""A vector split at its maximum m: the weights exp(x_i - m), and their sum without the largest."""

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


class Weights(NamedTuple):
    """A vector beside all entries that attain its maximum, each part with the vector axis kept.

    m:   max(x); or min(x) where the rate is negative, so that no weight exceeds 1
    top: where x_i = m
    c:   how many there are
    w:   exp(rate (x_i - m)), or base**(x_i - m)
    s:   the sum of the w_i with x_i != m, so that sum_i w_i = c + s
    """

    m: Array
    top: Array
    c: Array
    w: Array
    s: Array


def weights(
    xp: Array, x: Array, axis: int = -1, *, base: Array = None, beta: Array = None
) -> Weights:
    """The parts that references are made of; x - m and c come from inputs alone, so exactly."""
    falling = (beta is not None and beta < 0) or (base is not None and base < 1)
    m = (xp.min if falling else xp.max)(x, axis=axis, keepdims=True)
    top, d = x == m, x - m
    w = xp.pow(base, d) if base is not None else xp.exp(d if beta is None else beta * d)
    c = xp.sum(xp.asarray(top), axis=axis, keepdims=True)
    s = xp.sum(xp.where(top, xp.zeros_like(w), w), axis=axis, keepdims=True)
    return Weights(m, top, c, w, s)


def excess(xp: Array, x: Array, axis: int = -1) -> Array:
    """log(sum_i exp(x_i)) - max(x) = log1p((c - 1) + s) >= 0, with the vector axis kept."""
    _, _, c, _, s = xp.once(weights, x, axis)
    return xp.log1p((c - 1) + s)


def first(xp: Array, k: Array, x: Array, axis: int) -> Array:
    """[i = k] along the axis, for an index k with the axis kept."""
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    return xp.reshape(xp.arange(x.shape[axis]), tuple(shape)) == k
