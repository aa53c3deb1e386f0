"""Gradient of cross-entropy with respect to the logits: p_j sum(q) - q_j, p = softmax(x)."""

from fpstudy.problems import softmax
from fpstudy.problems.maximum import split, weights
from fpstudy.problems.problem import Array, Formula, Problem


def chain_rule(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """sum_i v_i p_i ([i = j] - p_j) = p_j (v_j - sum_i v_i p_i), v = dL/dp = -q / p.

    Fails: once p_i underflows where q_i > 0: v_i is infinite and infinity times 0 is NaN.

    Source: the article's derivation, taken literally; what differentiating log(softmax(x)) by
    the chain rule computes.
    """
    p = softmax.shifted(xp, x, axis=axis)
    v = xp.where(q == 0, xp.zeros_like(q), -q / p)
    return p * (v - xp.sum(v * p, axis=axis, keepdims=True))


def naive(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """p_j - q_j, p_j = exp(x_j) / sum_i exp(x_i).

    Fails: as the naive softmax; 0 for a confident target once p_j rounds to 1; labels that do not
    sum to 1 as stored are off by p_j (sum(q) - 1).

    Source: the article's result with the definition of softmax.
    """
    return softmax.naive(xp, x, axis=axis) - q


def shifted(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """p_j - q_j, p the softmax shifted by max(x).

    Fails: 0 for a confident target once p_j rounds to 1 (a gap of 8.3 in float16); labels that do
    not sum to 1 as stored are off by p_j (sum(q) - 1).

    Source: the article's result; the backward pass of PyTorch and JAX.
    """
    return softmax.shifted(xp, x, axis=axis) - q


def cancellation_free(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """(w_j sum_{i != j} q_i - q_j sum_{i != j} w_i) / sum(w), w_i = exp(x_i - max(x)).

    A hard target's entry is minus the sum of the others' probabilities: nothing cancels.

    Fails: soft labels close to the probabilities, where the problem itself is ill-conditioned.

    Source: p_t - 1 = -sum_{i != t} p_i, put over one denominator.
    """
    _, top, w, s = split(xp, x, axis)
    total = 1 + s
    # 1 is the largest term of total, so total - w_j cancels at most one bit where j != k
    others = xp.where(top, s, total - w)
    return ((xp.sum(q, axis=axis, keepdims=True) - q) * w - q * others) / total


def definition(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """p_j sum(q) - q_j, p_j = exp(x_j) / sum_i exp(x_i)."""
    return softmax.naive(xp, x, axis=axis) * xp.sum(q, axis=axis, keepdims=True) - q


def reference(xp: Array, x: Array, q: Array, *, axis: int = -1) -> tuple[Array, Array]:
    """Where x_j = m and s < c: Q / c - q_j and -Q s / (c (c + s)); else -q_j and Q w_j / (c + s).

    m = max(x), c the number of x_j = m, w_i = exp(x_i - m), s = sum of the w_i with x_i != m,
    Q = sum(q). Equal logits divide exact numbers: where the gradient is 0, that is exact. Head and
    tail add up to the same value either way, so s and c need not be compared exactly.
    """
    _, top, c, w, s = xp.once(weights, x, axis)
    zero = xp.zeros_like(w)
    Q = xp.sum(q, axis=axis, keepdims=True)
    beside = top & (s < c)
    return xp.where(beside, Q / c, zero) - q, xp.where(beside, -s / c, w) * (Q / (c + s))


def definition_error(n: int, value: float, labels: float) -> float:
    """(2 n + 5) Q + 2 |g|: p_j Q, at most Q, is off by 2 n + 4 relative units, then subtracted."""
    return (2 * n + 5) * labels + 2 * abs(value)


CROSS_ENTROPY_GRADIENT = Problem(
    name="cross_entropy_gradient",
    mathematics="p_j sum(q) - q_j, p = softmax(x)",
    definition=definition,
    reference=reference,
    definition_error=definition_error,
    formulas={
        "chain_rule": Formula(chain_rule),
        "naive": Formula(naive),
        "shifted": Formula(shifted),
        "cancellation_free": Formula(cancellation_free),
    },
    vector=True,
    labels=True,
)
