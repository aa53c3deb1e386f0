"""Log-softmax: x_j - log(sum_i exp(x_i)), the logarithm of a probability, at most 0."""

from fpstudy.problems import logsumexp, softmax
from fpstudy.problems.maximum import excess, split
from fpstudy.problems.problem import Array, Formula, Problem


def log_of_softmax(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """log(exp(x_j - m) / sum_i exp(x_i - m)), m = max(x).

    Fails: -inf where the probability underflows; 0 for the top class once its probability rounds
    to 1.

    Source: folklore; what composing a library's log and softmax computes.
    """
    return xp.log(softmax.shifted(xp, x, axis=axis))


def minus_lse(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """x_j - y, y = m + log(sum_i exp(x_i - m)).

    Fails: y is rounded at the size of |x|: at large offsets the logarithm of the sum is rounded
    away, so that [1e8, 1e8] gives 0 in float32 instead of -log 2.

    Source: a kernel fused with log-sum-exp; pytorch issue 11752.
    """
    return x - xp.expand_dims(logsumexp.shifted(xp, x, axis=axis), axis=axis)


def shifted(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """(x_j - m) - log(sum_i exp(x_i - m)), m = max(x).

    Fails: the top class gives 0 once the other terms round away beside 1.

    Source: PyTorch, JAX and SciPy.
    """
    d = x - xp.max(x, axis=axis, keepdims=True)
    return d - xp.log(xp.sum(xp.exp(d), axis=axis, keepdims=True))


def log1p(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """(x_j - m) - log1p(sum_{i != k} exp(x_i - m)), m = x_k = max(x).

    Fails: NaN when all logits are -inf, where no value exists.

    Source: algorithm 4.1 of Blanchard, Higham & Higham, doi:10.1093/imanum/draa038.
    """
    m, _, _, s = split(xp, x, axis)
    return (x - m) - xp.log1p(s)


def definition(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """log(exp(x_j) / sum_i exp(x_i))."""
    return xp.log(softmax.naive(xp, x, axis=axis))


def reference(xp: Array, x: Array, *, axis: int = -1) -> tuple[Array, Array]:
    """Head x_j - m, tail -(log(sum_i exp(x_i)) - m), m = max(x); both at most 0."""
    return x - xp.max(x, axis=axis, keepdims=True), -xp.once(excess, x, axis)


def definition_error(n: int, value: float, labels: float) -> float:
    """(n + 4) + 2 |y|: the probability's relative error n + 3 enters the logarithm absolutely."""
    return n + 4 + 2 * abs(value)


LOG_SOFTMAX = Problem(
    name="log_softmax",
    mathematics="x_j - log(sum_i exp(x_i))",
    definition=definition,
    reference=reference,
    definition_error=definition_error,
    formulas={
        "log_of_softmax": Formula(log_of_softmax),
        "minus_lse": Formula(minus_lse),
        "shifted": Formula(shifted),
        "log1p": Formula(log1p),
    },
    vector=True,
)
