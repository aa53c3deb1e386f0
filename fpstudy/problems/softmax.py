"""Softmax: exp(x_j) / sum_i exp(x_i), also with a base b or an inverse temperature beta."""

import math
from fractions import Fraction

from fpstudy.problems import logsumexp
from fpstudy.problems.downcast import scaled, scaled_by_blocks, stored
from fpstudy.problems.maximum import weights
from fpstudy.problems.online import by_blocks, one_by_one, wider
from fpstudy.problems.problem import Array, Formula, Problem


def naive(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """exp(x_j) / sum_i exp(x_i).

    Fails: inf / inf = NaN once an exponential overflows, above log(largest); a silent 0 once only
    the sum does, above log(largest / n); 0 / 0 = NaN when all exponentials underflow.

    Source: the definition; algorithm 3.1 of Blanchard, Higham & Higham,
    doi:10.1093/imanum/draa038.
    """
    e = xp.exp(x)
    return e / xp.sum(e, axis=axis, keepdims=True)


def shifted(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """exp(x_j - m) / sum_i exp(x_i - m), m = max(x).

    Fails: the rounding of x_j - m costs up to |x_j - m| unit roundoffs; all-masked vectors give
    NaN; a sum of near-equal terms can overflow (65,520 of them in float16), which gives 0.

    Source: folklore; every library's form, equation 1.4 of Blanchard, Higham & Higham.
    """
    return naive(xp, x - xp.max(x, axis=axis, keepdims=True), axis=axis)


def reciprocal(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """exp(x_j - m) * (1 / sum_i exp(x_i - m)), m = max(x): one division for each vector.

    Fails: as shifted, with one rounding more; the reciprocal is rounded to 0 or to a subnormal
    where the sum is larger than 1 / least_normal, which needs as many terms.

    Source: PyTorch's CPU kernel.
    """
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return e * (1 / xp.sum(e, axis=axis, keepdims=True))


def divisionless(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """exp(x_j - y), y = m + log(sum_i exp(x_i - m)).

    Fails: the rounding of y, |y| unit roundoffs, becomes a relative error of every probability: at
    logits around 1000 float16 keeps 2 bits.

    Source: equation 1.5 of Blanchard, Higham & Higham; SciPy 1.4.
    """
    return xp.exp(x - xp.expand_dims(logsumexp.shifted(xp, x, axis=axis), axis=axis))


def exp_log_softmax(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """exp((x_j - m) - log(sum_i exp(x_i - m))), m = max(x).

    Fails: the rounding of the exponent costs |log p_j| unit roundoffs.

    Source: exp(log_softmax(x)), as written where both are needed.
    """
    d = x - xp.max(x, axis=axis, keepdims=True)
    return xp.exp(d - xp.log(xp.sum(xp.exp(d), axis=axis, keepdims=True)))


def online(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """exp(x_j - m) / d, m the running maximum and d = sum_i exp(x_i - m), found in one pass.

    Fails: as shifted; every rescaling of d adds two roundings, and in a narrow format d stands
    still as any sequential sum does.

    Source: Milakov & Gimelshein, arXiv:1805.02867.
    """
    x = xp.moveaxis(x, axis, -1)
    m, d = one_by_one(xp, x)
    return xp.moveaxis(xp.exp(x - m) / d, -1, axis)


def blocked(xp: Array, x: Array, *, axis: int = -1, block: int = 128, state: str = "same") -> Array:
    """exp(x_j - m) / d with the entries taken `block` at a time, the state in a format `state`.

    state: "same" for the format of x; the result is rounded to that at the end.

    Fails: as shifted; with a state as narrow as the logits, d stands still after many blocks.

    Source: FlashAttention, arXiv:2205.14135.
    """
    wide = wider(xp, xp.moveaxis(x, axis, -1), state)
    m, d = by_blocks(xp, wide, block)
    return xp.moveaxis(xp.astype(xp.exp(wide - m) / d, x.dtype), -1, axis)


def downcast(xp: Array, x: Array, *, axis: int = -1, store: str = "float8_e4m3fn") -> Array:
    """softmax of logits that were stored in the format `store`, as they are.

    Fails: a logit's rounding becomes a relative error of that size in its probability; logits
    beyond the largest number saturate or are lost.

    Source: casting logits to float8, as torch.Tensor.to and ml_dtypes do.
    """
    return shifted(xp, stored(xp, x, store), axis=axis)


def centred_downcast(xp: Array, x: Array, *, axis: int = -1, store: str = "float8_e4m3fn") -> Array:
    """softmax of logits whose maximum was subtracted before they were stored in `store`.

    Fails: entries far below the maximum are coarse, where their probabilities are small.

    Source: subtract first, then cast.
    """
    centred = x - xp.max(x, axis=axis, keepdims=True)
    return shifted(xp, stored(xp, centred, store), axis=axis)


def scaled_downcast(xp: Array, x: Array, *, axis: int = -1, store: str = "float8_e4m3fn") -> Array:
    """softmax of logits stored with one power-of-two scale for the tensor, max|x| 2**k in range.

    Fails: one large logit takes the range from all others; the relative rounding of a logit is
    the format's, so its absolute error, which is what counts, grows with the logit.

    Source: per-tensor scaling of FP8 training, arXiv:2209.05433.
    """
    return shifted(xp, scaled(xp, x, store, axis=None), axis=axis)


def block_scaled_downcast(
    xp: Array, x: Array, *, axis: int = -1, store: str = "float8_e4m3fn", block: int = 32
) -> Array:
    """softmax of logits stored with a power-of-two scale for every `block` of them.

    Fails: as scaled_downcast, within a block.

    Source: OCP Microscaling Formats (MX) 1.0.
    """
    last = xp.moveaxis(x, axis, -1)
    return shifted(xp, xp.moveaxis(scaled_by_blocks(xp, last, store, block), -1, axis), axis=axis)


def scale_then_shift(
    xp: Array, x: Array, *, base: Array = None, beta: Array = None, axis: int = -1
) -> Array:
    """softmax(z), z = beta x or z = x log(b), shifted by max(z).

    Fails: z is rounded at its own size, an error of |z| unit roundoffs in every probability; z
    overflows before it is shifted; beta = inf gives NaN.

    Source: folklore; logits divided by a temperature before the softmax.
    """
    return shifted(xp, x * _rate(xp, base, beta), axis=axis)


def shift_then_scale(
    xp: Array, x: Array, *, base: Array = None, beta: Array = None, axis: int = -1
) -> Array:
    """exp(beta (x_j - m)) / sum, m = max(x), or min(x) where beta < 0; beta = log(b) for a base.

    An entry at m has exponent 0 even at beta = inf (0 * inf := 0), which gives the arg max,
    uniform over ties.

    Fails: with a base the rounding of log(b) is multiplied by the gap m - x_j.

    Source: folklore; shift first, then scale.
    """
    beta = _rate(xp, base, beta)
    d = x - _extreme(xp, x, beta, axis)
    e = xp.exp(xp.where(d == 0, xp.zeros_like(x), beta * d))
    return e / xp.sum(e, axis=axis, keepdims=True)


def power(xp: Array, x: Array, *, base: Array, axis: int = -1) -> Array:
    """b**(x_j - m) / sum, m = max(x), or min(x) where b < 1; no logarithm is rounded.

    Fails: as accurate as the library's pow; all-masked vectors give NaN.

    Source: the definition of a power, shifted.
    """
    e = base ** (x - _extreme(xp, x, base - 1, axis))
    return e / xp.sum(e, axis=axis, keepdims=True)


def _rate(xp: Array, base: Array, beta: Array) -> Array:
    """The inverse temperature: beta, or log(b), as b**x = exp(x log(b))."""
    return xp.log(base) if beta is None else beta


def _extreme(xp: Array, x: Array, sign: Array, axis: int) -> Array:
    """max(x), or min(x) where sign < 0: the entry with the largest exponential."""
    largest = xp.max(x, axis=axis, keepdims=True)
    return xp.where(sign < 0, xp.min(x, axis=axis, keepdims=True), largest)


def definition(
    xp: Array, x: Array, *, base: Array = None, beta: Array = None, axis: int = -1
) -> Array:
    """e_j / sum_i e_i, with e_i = exp(x_i), exp(beta x_i) or b**x_i."""
    e = base**x if base is not None else xp.exp(x if beta is None else beta * x)
    return e / xp.sum(e, axis=axis, keepdims=True)


def reference(
    xp: Array, x: Array, *, base: Array = None, beta: Array = None, axis: int = -1
) -> tuple[Array, Array]:
    """Where x_j = m and s < c: head 1 / c, tail -s / (c (c + s)); else 0 and w_j / (c + s).

    m = max(x), or min(x) where beta < 0 or b < 1; c the number of x_j = m;
    w_i = exp(beta (x_i - m)) or b**(x_i - m), s = sum of the w_i with x_i != m. However small s
    is, the tail has its sign; where s is large, nothing cancels. Both are the same value, so s and
    c need not be compared exactly.
    """
    if base is None and beta is None:
        _, top, c, w, s = xp.once(weights, x, axis)
    else:
        _, top, c, w, s = weights(xp, x, axis, base=base, beta=beta)
    zero = xp.zeros_like(w)
    beside = top & (s < c)
    return xp.where(beside, 1 / c, zero), xp.where(beside, -s / c, w) / (c + s)


def definition_error(n: int, value: float, labels: float) -> float:
    """(2 n + 3) |p|: n + 3 by theorem 3.3 of Blanchard, Higham & Higham, n for higher orders."""
    return (2 * n + 3) * abs(value)


def rational(
    x: list[float], *, base: float = 1.0, beta: float = 1.0
) -> tuple[list[int], int] | None:
    """Numerators and the common denominator where a base makes the values rational, else None.

    Write b = r**(2**K) with r no square of a rational. The powers r**(i / 2**h), 0 <= i < 2**h, are
    linearly independent over the rationals (X**(2**h) - r is irreducible), and all terms are
    positive, so sum_i b**(x_i - x_j) is rational only if every b**(x_i - x_j) is: if every
    2**K (x_i - x_j) is an integer. With beta the values are e to algebraic powers, and rational
    only when all are equal (Lindemann-Weierstrass), where the reference itself is exact.
    Too large integers are left to the reference too.
    """
    if base == 1.0:  # the reference is exact; and so it stands where only beta is given
        return None
    finite = [Fraction(value) for value in x if math.isfinite(value)]  # the others weigh nothing
    root, steps = _unsquared(Fraction(base))
    least, gaps = min(finite), {}
    for value in finite:
        gap = (value - least) * steps
        if gap.denominator != 1:
            return None
        gaps[value] = int(gap)
    num, den = root.as_integer_ratio()
    most = max(gaps.values())
    if most * max(num.bit_length(), den.bit_length()) > RATIONAL_BITS:
        return None
    weights = {value: num**gap * den ** (most - gap) for value, gap in gaps.items()}
    total = sum(weights[value] for value in finite)
    return [weights[Fraction(v)] if math.isfinite(v) else 0 for v in x], total


def _unsquared(b: Fraction) -> tuple[Fraction, int]:
    """(r, 2**K) with b = r**(2**K) and r no square, for b > 0, b != 1."""
    steps = 1
    while True:
        num, den = math.isqrt(b.numerator), math.isqrt(b.denominator)
        if num * num != b.numerator or den * den != b.denominator:
            return b, steps
        b, steps = Fraction(num, den), 2 * steps


RATIONAL_BITS = 2**18  # dividing integers of so many bits takes about a millisecond

SOFTMAX = Problem(
    name="softmax",
    mathematics="exp(x_j) / sum_i exp(x_i); with a base b**x_j, with beta exp(beta x_j)",
    definition=definition,
    reference=reference,
    definition_error=definition_error,
    formulas={
        "naive": Formula(naive),
        "shifted": Formula(shifted),
        "reciprocal": Formula(reciprocal),
        "divisionless": Formula(divisionless),
        "exp_log_softmax": Formula(exp_log_softmax),
        "online": Formula(online, special=True),
        "blocked": Formula(blocked, options=(("block", 128), ("state", "same"))),
        "downcast": Formula(downcast, options=(("store", "float8_e4m3fn"),)),
        "centred_downcast": Formula(centred_downcast, options=(("store", "float8_e4m3fn"),)),
        "scaled_downcast": Formula(scaled_downcast, options=(("store", "float8_e4m3fn"),)),
        "block_scaled_downcast": Formula(
            block_scaled_downcast, options=(("store", "float8_e4m3fn"), ("block", 32))
        ),
        "scale_then_shift": Formula(scale_then_shift, needs=("base", "beta")),
        "shift_then_scale": Formula(shift_then_scale, needs=("base", "beta")),
        "power": Formula(power, needs=("base",)),
    },
    vector=True,
    distribution=True,
    parameters=("base", "beta"),
    rational=rational,
)
