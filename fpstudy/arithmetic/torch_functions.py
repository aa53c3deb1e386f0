"""PyTorch's own functions, and the gradients that its automatic differentiation gives.

Each is a formula text whose namespace is array_api_compat.torch. torch.func.grad differentiates:
it runs the same backward kernels as Tensor.backward, and torch.compile takes it.
"""

from fpstudy.problems import cross_entropy as losses
from fpstudy.problems.problem import Array, Formula, Text


def softmax(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """torch.nn.functional.softmax(x): exp(x_j - m) / sum_i exp(x_i - m), m = max(x).

    On a CPU float16 and bfloat16 are computed in float32 and rounded once.

    Fails: as shifted, in float32 for the half types: all-masked vectors give NaN.

    Source: PyTorch.
    """
    from torch.nn import functional

    return functional.softmax(x, dim=axis)


def log_softmax(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """torch.nn.functional.log_softmax(x): (x_j - m) - log(sum_i exp(x_i - m)), m = max(x).

    Fails: on a CPU float16 and bfloat16 round the sum and its logarithm to the half type: hundreds
    of ulps for a confident class, 0 once the rest of the sum is rounded away, and -inf where a
    float16 sum overflows (65,520 equal logits).

    Source: PyTorch.
    """
    from torch.nn import functional

    return functional.log_softmax(x, dim=axis)


def logsumexp(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """torch.logsumexp(x): m + log(sum_i exp(x_i - m)), m = max(x), or 0 for an infinite maximum.

    Fails: near 0, where m and the logarithm cancel; 0 for [0, -40]; infinite where a float16 sum
    overflows (65,519 equal logits on a CPU). Each step is rounded to the dtype.

    Source: PyTorch.
    """
    import torch

    return torch.logsumexp(x, dim=axis)


def cross_entropy(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """torch.nn.functional.cross_entropy(x, target), the target an index where q is one-hot.

    Other labels go in as probabilities; a row of zeros is one with ignore_index, its loss 0.

    Fails: as PyTorch's log_softmax; soft labels beside a masked logit give 0 * -inf = NaN.

    Source: PyTorch.
    """
    import torch
    from torch.nn import functional

    n = x.shape[axis]
    rows, labels = (torch.movedim(part, axis, -1).reshape(-1, n) for part in (x, q))
    counts = xp.sum(xp.astype(labels != 0, torch.int64), axis=-1)
    one_hot = (counts == 1) & (xp.max(labels, axis=-1) == 1)
    target = torch.where(one_hot, torch.argmax(labels, dim=-1), IGNORE_INDEX)
    hard = functional.cross_entropy(rows, target, reduction="none", ignore_index=IGNORE_INDEX)
    soft = functional.cross_entropy(rows, labels, reduction="none")
    # both are computed and one is taken, as torch.compile follows no branch on data
    chosen = torch.where(one_hot | (counts == 0), hard, soft)
    return chosen.reshape(torch.movedim(x, axis, -1).shape[:-1])


IGNORE_INDEX = -100  # torch's default


def gradient(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """d/dx_j of torch.nn.functional.cross_entropy: g_j - exp(l_j) sum_i g_i, l = log_softmax(x).

    g_j = -q_j is the gradient with respect to l_j.

    Fails: as p - q: 0 for a confident target once exp(l_j) rounds to 1; the rounding of l_j is
    |l_j| unit roundoffs in exp(l_j).

    Source: PyTorch's automatic differentiation.
    """
    return _differentiate(cross_entropy, xp, x, q, axis)


def autodiff_naive(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """d/dx_j of the naive loss -sum_j q_j log(exp(x_j) / sum_i exp(x_i)), by reverse mode.

    Fails: NaN once an exponential overflows, and once any probability underflows, also where
    q_j = 0: its derivative is 0 * (1 / 0). Confident float16 targets can give 0 or -1.

    Source: PyTorch's automatic differentiation of the definition.
    """
    return _differentiate(losses.naive, xp, x, q, axis)


def autodiff_shifted(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """d/dx_j of the shifted loss -sum_j q_j ((x_j - m) - log(sum_i exp(x_i - m))), by reverse mode.

    m = max(x) is differentiated too, so that a confident target's entry is minus the sum of the
    others: it keeps the bits that p - q loses.

    Fails: 0 for a confident target once the others' probabilities underflow; soft labels close to
    the probabilities, where the problem itself is ill-conditioned.

    Source: PyTorch's automatic differentiation of the stable loss.
    """
    return _differentiate(losses.shifted, xp, x, q, axis)


def autodiff_log1p(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """d/dx_j of sum_j q_j ((m - x_j) + log1p(s)), s = sum_{i != k} exp(x_i - m), by reverse mode.

    Fails: 0 for a confident target once 1 - s / (1 + s) rounds to 1: m = x_k = max(x) is
    differentiated too, and 1 is subtracted from its part.

    Source: PyTorch's automatic differentiation of algorithm 4.1 of Blanchard, Higham & Higham.
    """
    return _differentiate(losses.log1p, xp, x, q, axis)


def p_minus_q(xp: Array, x: Array, q: Array, *, axis: int = -1) -> Array:
    """p_j - q_j, p = torch.nn.functional.softmax(x).

    Fails: 0 for a confident target once p_j rounds to 1; labels that do not sum to 1 as stored are
    off by p_j (sum(q) - 1).

    Source: PyTorch's softmax in the article's result.
    """
    return softmax(xp, x, axis=axis) - q


def _differentiate(loss: Text, xp: Array, x: Array, q: Array, axis: int) -> Array:
    """The gradient of the sum of all rows' losses: each row's own."""
    import torch

    return torch.func.grad(lambda z: torch.sum(loss(xp, z, q, axis=axis)))(x)


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
