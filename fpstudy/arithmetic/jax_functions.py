"""JAX's own functions, and the gradients that its automatic differentiation gives.

Each is a formula text whose namespace is jax.numpy.
"""

from fpstudy.problems import cross_entropy as losses
from fpstudy.problems.problem import Array, Formula, Text


def softmax(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """jax.nn.softmax(x): exp(x_j - m) / sum_i exp(x_i - m), m = max(x).

    Fails: as shifted, each step rounded to the dtype and the sum too; infinite float16 sums (65,520
    equal logits) give 0; float8_e4m3fn has no -inf to begin a maximum with and gives NaN.

    Source: JAX.
    """
    import jax

    return jax.nn.softmax(x, axis=axis)


def log_softmax(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """jax.nn.log_softmax(x): (x_j - m) - log(sum_i exp(x_i - m)), m = max(x).

    Fails: 0 for a confident class once the rest of the sum is rounded away; -inf where a float16
    sum overflows (65,520 equal logits); NaN in float8_e4m3fn.

    Source: JAX.
    """
    import jax

    return jax.nn.log_softmax(x, axis=axis)


def logsumexp(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """jax.scipy.special.logsumexp(x): m + log(sum_i exp(x_i - m)), or 0 for an infinite maximum.

    Fails: near 0, where m and the logarithm cancel; 0 for [0, -40]; infinite where a float16 sum
    overflows (65,520 equal logits).

    Source: JAX.
    """
    import jax

    return jax.scipy.special.logsumexp(x, axis=axis)


def cross_entropy(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """-sum_j q_j l_j, l = jax.nn.log_softmax(x).

    Fails: as JAX's log_softmax; a masked logit gives 0 * -inf = NaN.

    Source: JAX; optax.softmax_cross_entropy, optax issue 896.
    """
    return -xp.sum(q * log_softmax(xp, x, axis=axis), axis=axis)


def gradient(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """d/dx_j of -sum_j q_j l_j, l = jax.nn.log_softmax(x), by jax.grad.

    Fails: 0 for a confident target once p_j rounds to 1.

    Source: JAX's automatic differentiation of its own log_softmax.
    """
    return _differentiate(cross_entropy, xp, x, q, axis)


def autodiff_naive(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """d/dx_j of the naive loss -sum_j q_j log(exp(x_j) / sum_i exp(x_i)), by jax.grad.

    Fails: NaN once an exponential overflows, and once any probability underflows, also where
    q_j = 0: its derivative is 0 * (1 / 0). Confident float16 targets can give 0 or -1.

    Source: JAX's automatic differentiation of the definition.
    """
    return _differentiate(losses.naive, xp, x, q, axis)


def autodiff_shifted(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """d/dx_j of the shifted loss -sum_j q_j ((x_j - m) - log(sum_i exp(x_i - m))), by jax.grad.

    m = max(x) is differentiated too, so that a confident target's entry is minus the sum of the
    others: it keeps the bits that p - q loses.

    Fails: 0 for a confident target once the others' probabilities underflow; soft labels close to
    the probabilities, where the problem itself is ill-conditioned.

    Source: JAX's automatic differentiation of the stable loss.
    """
    return _differentiate(losses.shifted, xp, x, q, axis)


def autodiff_log1p(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """d/dx_j of sum_j q_j ((m - x_j) + log1p(s)), s = sum_{i != k} exp(x_i - m), by jax.grad.

    Fails: 0 for a confident target once 1 - s / (1 + s) rounds to 1: m = x_k = max(x) is
    differentiated too, and 1 is subtracted from its part.

    Source: JAX's automatic differentiation of algorithm 4.1 of Blanchard, Higham & Higham.
    """
    return _differentiate(losses.log1p, xp, x, q, axis)


def p_minus_q(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """p_j - q_j, p = jax.nn.softmax(x).

    Fails: 0 for a confident target once p_j rounds to 1; labels that do not sum to 1 as stored are
    off by p_j (sum(q) - 1).

    Source: JAX's softmax in the article's result.
    """
    return softmax(xp, x, axis=axis) - q


def _differentiate(loss: Text, xp: Array, x: Array, q: Array, axis: int) -> Array:
    """The gradient of the sum of all rows' losses: each row's own."""
    import jax

    return jax.grad(lambda z: xp.sum(loss(xp, z, q, axis=axis)))(x)


LIBRARY: dict[str, dict[str, Formula]] = {
    "softmax": {"library": Formula(softmax)},
    "log_softmax": {"library": Formula(log_softmax)},
    "logsumexp": {"library": Formula(logsumexp)},
    "cross_entropy": {"library": Formula(cross_entropy)},
    "cross_entropy_gradient": {
        "library": Formula(gradient),
        "autodiff_naive": Formula(autodiff_naive),
        "autodiff_shifted": Formula(autodiff_shifted),
        "autodiff_log1p": Formula(autodiff_log1p),
        "p_minus_q": Formula(p_minus_q),
    },
}
