"""One pass over a vector: a running maximum m and the sum d = sum_i exp(x_i - m), rescaled.

Source: M. Milakov & N. Gimelshein, Online normalizer calculation for softmax, arXiv:1805.02867;
in blocks T. Dao et al., FlashAttention, arXiv:2205.14135.
"""

from typing import NamedTuple

from fpstudy.problems.computing import dtype
from fpstudy.problems.problem import Array


class State(NamedTuple):
    """What a pass knows of the entries seen: m their maximum, d = sum exp(x_i - m)."""

    m: Array
    d: Array


def one_by_one(xp: Array, x: Array) -> State:
    """The state after all entries of the last axis, taken one at a time."""
    state = _block(xp, x[..., :1])
    for i in range(1, x.shape[-1]):
        state = joined(xp, state, State(x[..., i : i + 1], xp.ones_like(state.d)))
    return state


def by_blocks(xp: Array, x: Array, block: int) -> State:
    """The state after all entries, taken `block` at a time, each block shifted by its maximum."""
    state = _block(xp, x[..., :block])
    for start in range(block, x.shape[-1], block):
        state = joined(xp, state, _block(xp, x[..., start : start + block]))
    return state


def wider(xp: Array, x: Array, state: str) -> Array:
    """x in the format that the state is kept in: "same", or the name of one at least as wide."""
    return x if state == "same" else xp.astype(x, dtype(xp, state))


def joined(xp: Array, a: State, b: State) -> State:
    """The state of both parts: d = d_a exp(m_a - m) + d_b exp(m_b - m), m = max(m_a, m_b).

    While only masked entries have been seen, m is -inf and m_a - m would be NaN; the guard shifts
    by 0 instead, and the weights are exp(-inf) = 0.
    """
    m = xp.where(b.m > a.m, b.m, a.m)
    m = xp.where(xp.isnan(b.m), b.m, m)  # NaN goes through
    shift = xp.where(xp.isfinite(m), m, xp.zeros_like(m))
    return State(m, a.d * xp.exp(a.m - shift) + b.d * xp.exp(b.m - shift))


def _block(xp: Array, x: Array) -> State:
    m = xp.max(x, axis=-1, keepdims=True)
    shift = xp.where(xp.isfinite(m), m, xp.zeros_like(m))
    return State(m, xp.sum(xp.exp(x - shift), axis=-1, keepdims=True))
