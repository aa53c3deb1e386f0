"""Cross-entropy of labels q at logits x: -sum_j q_j log(softmax(x)_j), with 0 log 0 = 0.

A hard target t is the one-hot vector q = [j = t]; labels need not sum to 1.
"""

from fpstudy.problems import log_softmax, softmax
from fpstudy.problems.maximum import excess
from fpstudy.problems.problem import Array, Formula, Problem


def naive(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """-sum_j q_j log(p_j), p_j = exp(x_j) / sum_i exp(x_i).

    Fails: NaN once an exponential overflows, above log(largest); inf where p_j underflows.

    Source: the definition.
    """
    return weigh(xp, q, xp.log(softmax.naive(xp, x, axis=axis)), axis)


def log_of_shifted_softmax(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """-sum_j q_j log(p_j), p the softmax shifted by max(x).

    Fails: inf where p_j underflows, from a gap of 17 in float16; 0 once p_j rounds to 1.

    Source: the unstable form of the article on stable softmax cross-entropy.
    """
    return weigh(xp, q, log_softmax.log_of_softmax(xp, x, axis=axis), axis)


def shifted(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """-sum_j q_j ((x_j - m) - log(sum_i exp(x_i - m))), m = max(x).

    Fails: 0 for a confident target once the other terms round away beside 1.

    Source: the stable form of the article; PyTorch and JAX.
    """
    return weigh(xp, q, log_softmax.shifted(xp, x, axis=axis), axis)


def log1p(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """sum_j q_j ((m - x_j) + log1p(s)), s = sum_{i != k} exp(x_i - m), m = x_k = max(x).

    Every term is at least 0, so nothing cancels.

    Fails: NaN when all logits are -inf, where no value exists.

    Source: algorithm 4.1 of Blanchard, Higham & Higham, put into the definition.
    """
    return weigh(xp, q, log_softmax.log1p(xp, x, axis=axis), axis)


def weigh(xp: Array, q: Array, log_p: Array, axis: int) -> Array:
    """-sum_j q_j log(p_j), where q_j = 0 counts nothing, also beside log(0) = -inf."""
    terms = xp.where(q == 0, xp.zeros_like(q), q * log_p)
    return xp.zeros_like(xp.sum(q, axis=axis)) - xp.sum(terms, axis=axis)


def definition(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """-sum_j q_j log(p_j), p_j = exp(x_j) / sum_i exp(x_i)."""
    return naive(xp, x, q, axis=axis)


def reference(xp: Array, x: Array, q: Array, *, axis: int = -1) -> tuple[Array, Array]:
    """Head sum_j q_j (m - x_j), tail sum(q) (log(sum_i exp(x_i)) - m), m = max(x); both >= 0."""
    gaps = xp.max(x, axis=axis, keepdims=True) - x
    head = xp.sum(xp.where(q == 0, xp.zeros_like(q), q * gaps), axis=axis)
    return head, xp.sum(q, axis=axis) * xp.squeeze(xp.once(excess, x, axis), axis=axis)


def batch_loss(xp: Array, losses: Array, counted: Array, reduction: str) -> Array:
    """Sum of the counted rows' losses, or their mean; losses: (..., rows); returns (...).

    Rows that are not counted (their target is ignore_index) add nothing, and the mean divides by
    the number of counted rows: of none it is 0 / 0 = NaN, as in PyTorch. Reduction "none" returns
    the losses as they are.
    """
    if reduction == "none":
        return losses
    zero = xp.zeros_like(losses)
    total = xp.sum(xp.where(counted, losses, zero), axis=-1)
    if reduction == "sum":
        return total
    return total / xp.sum(xp.where(counted, xp.ones_like(losses), zero), axis=-1)


def definition_error(n: int, value: float, labels: float) -> float:
    """Q (n + 4) + (n + 4) |y|: each log(p_j) is off by n + 4 + 2 |log p_j|, weighed and summed."""
    return labels * (n + 4) + (n + 4) * abs(value)


CROSS_ENTROPY = Problem(
    name="cross_entropy",
    mathematics="-sum_j q_j log(softmax(x)_j), 0 log 0 = 0",
    definition=definition,
    reference=reference,
    definition_error=definition_error,
    formulas={
        "naive": Formula(naive),
        "log_of_shifted_softmax": Formula(log_of_shifted_softmax),
        "shifted": Formula(shifted),
        "log1p": Formula(log1p),
    },
    vector=False,
    labels=True,
    reductions=True,
)
