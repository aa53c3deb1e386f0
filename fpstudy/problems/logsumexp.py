"""Log-sum-exp: log(sum_i exp(x_i)), the smooth maximum; max(x) <= it <= max(x) + log n."""

from fpstudy.problems.maximum import excess, split
from fpstudy.problems.online import by_blocks, one_by_one, wider
from fpstudy.problems.problem import Array, Formula, Problem


def naive(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """log(sum_i exp(x_i)).

    Fails: an exponential overflows above log(largest), their sum above log(largest / n); all
    exponentials underflow far below 0, which gives -inf.

    Source: the definition; algorithm 3.1 of Blanchard, Higham & Higham,
    doi:10.1093/imanum/draa038.
    """
    return xp.log(xp.sum(xp.exp(x), axis=axis))


def shifted(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """m + log(sum_i exp(x_i - m)), m = max(x).

    Fails: near 0, where m and the logarithm cancel; at m = 0 the tail below the unit roundoff is
    lost, so that [0, -40] gives 0; NaN when all logits are -inf; infinite when a sum of near-equal
    terms overflows (65,520 of them in a float16 result).

    Source: folklore; the form of PyTorch and JAX, equation 1.3 of Blanchard, Higham & Higham.
    """
    m = xp.max(x, axis=axis, keepdims=True)
    total = xp.sum(xp.exp(x - m), axis=axis)
    return xp.squeeze(m, axis=axis) + xp.log(total)


def log1p(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """m + log1p(sum_{i != k} exp(x_i - m)), m = x_k = max(x).

    Fails: near 0, where m and log1p cancel; NaN when all logits are -inf.

    Source: algorithm 4.1 of Blanchard, Higham & Higham, doi:10.1093/imanum/draa038.
    """
    m, _, _, s = split(xp, x, axis)
    return xp.squeeze(m + xp.log1p(s), axis=axis)


def tie_counting(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """m + (log(c) + log1p(s / c)), c the number of x_i = m, s = sum_{x_i < m} exp(x_i - m).

    A maximum that is not finite is not subtracted, so all-masked vectors give -inf.

    Fails: near 0, where m cancels the rest.

    Source: scipy.special.logsumexp since SciPy 1.15.
    """
    m = xp.max(x, axis=axis, keepdims=True)
    ties = x == m
    shift = xp.where(xp.isfinite(m), m, xp.zeros_like(m))
    w = xp.exp(x - shift)
    c = xp.sum(xp.where(ties, xp.ones_like(x), xp.zeros_like(x)), axis=axis, keepdims=True)
    s = xp.sum(xp.where(ties, xp.zeros_like(w), w), axis=axis, keepdims=True)
    return xp.squeeze(xp.log1p(s / c) + xp.log(c) + m, axis=axis)


def online(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """m + log(d), m the running maximum and d = sum_i exp(x_i - m), in one pass.

    Fails: as shifted; every rescaling of d adds two roundings, and in a narrow format d stands
    still as any sequential sum does.

    Source: Milakov & Gimelshein, arXiv:1805.02867.
    """
    m, d = one_by_one(xp, xp.moveaxis(x, axis, -1))
    return xp.squeeze(m + xp.log(d), axis=-1)


def blocked(xp: Array, x: Array, *, axis: int = -1, block: int = 128, state: str = "same") -> Array:
    """m + log(d) with the entries taken `block` at a time, the state kept in a format `state`.

    state: "same" for the format of x; the result is rounded to that at the end.

    Fails: as shifted; with a state as narrow as the logits, d stands still after many blocks.

    Source: FlashAttention, arXiv:2205.14135.
    """
    m, d = by_blocks(xp, wider(xp, xp.moveaxis(x, axis, -1), state), block)
    return xp.astype(xp.squeeze(m + xp.log(d), axis=-1), x.dtype)


def reference(xp: Array, x: Array, *, axis: int = -1) -> tuple[Array, Array]:
    """Head m = max(x), tail log(sum_i exp(x_i)) - m >= 0."""
    return xp.max(x, axis=axis), xp.squeeze(xp.once(excess, x, axis), axis=axis)


def definition_error(n: int, value: float, labels: float) -> float:
    """(n + 1) + 2 |y|: the sum's relative error n + 1 enters the logarithm absolutely.

    Equation 3.5 of Blanchard, Higham & Higham, one |y| added for the second-order terms.
    """
    return n + 1 + 2 * abs(value)


LOGSUMEXP = Problem(
    name="logsumexp",
    mathematics="log(sum_i exp(x_i))",
    definition=naive,
    reference=reference,
    definition_error=definition_error,
    formulas={
        "naive": Formula(naive),
        "shifted": Formula(shifted),
        "log1p": Formula(log1p),
        "tie_counting": Formula(tie_counting),
        "online": Formula(online, special=True),
        "blocked": Formula(blocked, options=(("block", 128), ("state", "same"))),
    },
    vector=False,
)
