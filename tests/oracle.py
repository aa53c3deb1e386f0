"""An independent oracle of the five problems: mpmath and fractions, nothing of fpstudy.

Every value is written as A + d: A a rational number, computed exactly, and d a sum of exponentials
and logarithms whose terms have one sign, so that mpmath gives d to any relative accuracy however
small it is. With the maximum m of the logits, c of them equal to it, T = sum exp(x_i - m) over the
others, and q >= 0 with the sum Q:

    log-sum-exp     m               +  log(c + T)
    log-softmax_j   -(m - x_j)      -  log(c + T)
    cross-entropy   sum q (m - x)   +  Q log(c + T)
    softmax_j       1/c             -  T / (c (c + T))     where x_j = m
                    0               +  exp(x_j - m) / (c + T)
    gradient_j      Q softmax_j - q_j

log(c + T) is log1p(T) for c = 1 and otherwise transcendental. Where d is smaller than any power of
two in question only its sign matters: the value is "A and a little more", which a tie respects.
By Lindemann-Weierstrass d is zero or irrational, so the loop over rising precision ends. For
softmax with a base b the powers that are rational take the place of the maxima in A.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf, isqrt, nan
from typing import Any

import mpmath

# name: precision, largest number, exponent of the least normal number, what overflow gives
FORMATS = {
    "float16": (11, Fraction(65504), -14, inf),
    "bfloat16": (8, Fraction(255 * 2**120), -126, inf),
    "float32": (24, Fraction((2**24 - 1) * 2**104), -126, inf),
    "float64": (53, Fraction((2**53 - 1) * 2**971), -1022, inf),
    "float8_e4m3fn": (4, Fraction(448), -6, nan),
    "float8_e5m2": (3, Fraction(57344), -14, inf),
}
UNDEFINED = "undefined"
EXACT_BITS = 50_000  # powers of a rational base longer than this are left to mpmath

Decimal = tuple[int, int, int]  # sign, digits as an integer without trailing zeros, exponent
Value = Any  # UNDEFINED, an infinity, or (A, d)


# ---------------------------------------------------------------- rounding of A and a little more


def nearest(v: Fraction, nudge: int, step: Callable[[Fraction], Fraction]) -> Fraction:
    """The multiple of step(|v|) nearest to v + nudge * (something infinitely small), ties even."""
    size, outward = abs(v), nudge if v > 0 else -nudge
    quantum = step(size)
    k, rest = divmod(size / quantum, 1)
    doubled = 2 * rest - 1
    if doubled > 0 or (doubled == 0 and (outward > 0 or (outward == 0 and k % 2 == 1))):
        k += 1
    return (1 if v >= 0 else -1) * k * quantum


def power_below(v: Fraction, base: int) -> int:
    """floor(log_base(v)) of a v > 0."""
    bits = v.numerator.bit_length() - v.denominator.bit_length()
    k = bits - 1 if base == 2 else (bits - 1) * 30103 // 100_000 - 1
    while v >= Fraction(base) ** (k + 1):
        k += 1
    return k


def to_format(v: Fraction, nudge: int, name: str) -> float:
    """The number of the format nearest to v (and a little more), ties to even."""
    precision, largest, emin, overflow = FORMATS[name]
    if v == 0:
        return 0.0

    def step(size: Fraction) -> Fraction:
        return Fraction(2) ** (max(power_below(size, 2), emin) - precision + 1)

    rounded = nearest(v, nudge, step)
    if abs(rounded) > largest:
        return overflow if v > 0 else -overflow
    return float(rounded)


def to_digits(v: Fraction, nudge: int, digits: int) -> Decimal:
    """v (and a little more) to so many significant digits, ties to even."""
    if v == 0:
        return (0, 0, 0)
    rounded = nearest(v, nudge, lambda s: Fraction(10) ** (power_below(s, 10) - digits + 1))
    exponent = power_below(abs(rounded), 10) - digits + 1
    return normal(1 if v > 0 else -1, int(abs(rounded) / Fraction(10) ** exponent), exponent)


def normal(sign: int, k: int, exponent: int) -> Decimal:
    """The one spelling of sign * k * 10**exponent."""
    if k == 0:
        return (0, 0, 0)
    while k % 10 == 0:
        k, exponent = k // 10, exponent + 1
    return (sign, k, exponent)


def parse_digits(text: str) -> Decimal | float | str:
    """A printed decimal, exactly, however large its exponent."""
    if text == UNDEFINED:
        return text
    if text.lstrip("-") == "inf":
        return float(text)
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    return normal(
        -1 if text.startswith("-") else 1, int(whole + fraction), int(exponent or 0) - len(fraction)
    )


# ------------------------------------------------------------------------- exponentials, logarithm


def to_mpf(v: Fraction) -> Any:
    return mpmath.mpf(v.numerator) / v.denominator


def exp(v: Fraction, bits: int) -> Any:
    """exp(v) to a relative error of about 2**-bits, however large |v| is."""
    size = max(0, v.numerator.bit_length() - v.denominator.bit_length())
    with mpmath.workprec(bits + size + 32):
        return mpmath.exp(to_mpf(v))


def power(base: Fraction, v: Fraction, bits: int) -> Any:
    """base**v likewise."""
    size = max(0, v.numerator.bit_length() - v.denominator.bit_length())
    with mpmath.workprec(bits + size + 64):
        return mpmath.exp(to_mpf(v) * mpmath.log(to_mpf(base)))


def log_of_sum(c: int, T: Any, bits: int) -> Any:
    """log(c + T), T >= 0, to a relative error of about 2**-bits."""
    if c > 1 or T == 0:
        with mpmath.workprec(bits + 32):
            return mpmath.log(c + T) if c > 1 else mpmath.mpf(0)
    with mpmath.workprec(bits + 32):
        if mpmath.mag(T) < -bits:  # log1p(T) = T (1 - T/2 + ...)
            return T * (1 - T / 2)
    with mpmath.workprec(2 * bits + 64):  # 1 + T loses at most `bits` of T's
        return mpmath.log(1 + T)


def rational_power(base: Fraction, v: Fraction) -> Fraction | None:
    """base**v where that is rational and not too long: v = k / 2**s, base a 2**s-th power."""
    while v.denominator > 1:
        numerator, denominator = isqrt(base.numerator), isqrt(base.denominator)
        if Fraction(numerator**2, denominator**2) != base:
            return None
        base, v = Fraction(numerator, denominator), 2 * v
    longest = max(base.numerator.bit_length(), base.denominator.bit_length())
    return base ** int(v) if abs(v) * longest < EXACT_BITS or base == 1 else None


# ------------------------------------------------------------------------------------ the problems


class Logits:
    """m, c, the exponentials below the maximum, T and log(c + T) of one finite or masked vector."""

    def __init__(self, x: Sequence[float], bits: int) -> None:
        finite = [Fraction(v) for v in x if v != -inf]
        self.m = max(finite)
        self.gap = [None if v == -inf else self.m - Fraction(v) for v in x]
        self.c = self.gap.count(0)
        self.e = [exp(-g, bits) if g else None for g in self.gap]
        with mpmath.workprec(bits):
            self.T = mpmath.fsum(e for e in self.e if e is not None)
        self.log_sum = log_of_sum(self.c, self.T, bits)


def ordinary(x: Sequence[float]) -> bool:
    """Whether x has finite entries and otherwise only masked ones."""
    return inf not in x and any(v != -inf for v in x)


def logsumexp(x: Sequence[float], bits: int) -> list[Value]:
    if not ordinary(x):
        return [max(x)]
    v = Logits(x, bits)
    return [(v.m, v.log_sum)]


def log_softmax(x: Sequence[float], bits: int) -> list[Value]:
    if not ordinary(x):
        return one_hot(x, 0.0, -inf)
    v = Logits(x, bits)
    with mpmath.workprec(bits):  # a mere minus rounds to the ambient precision
        return [-inf if g is None else (-g, -v.log_sum) for g in v.gap]


def one_hot(x: Sequence[float], there: float, elsewhere: float) -> list[Value]:
    """The limit at one infinite logit; several of them, or none at all, have no limit."""
    if list(x).count(inf) != 1:
        return [UNDEFINED] * len(x)
    return [there if v == inf else elsewhere for v in x]


def softmax(
    x: Sequence[float],
    bits: int,
    base: float | Fraction | None = None,
    beta: float | Fraction | None = None,
) -> list[Value]:
    if (beta is not None and beta < 0) or (base is not None and base < 1):
        base, beta = base and 1 / Fraction(base), beta and -beta
        return softmax([-v for v in x], bits, base, beta)
    if base == 1 or beta == 0:  # uniform, whatever the logits tend to
        return [(Fraction(1, len(x)), 0)] * len(x)
    if not ordinary(x):
        return one_hot(x, 1.0, 0.0)
    if beta == inf:  # uniform over the maxima
        return [(Fraction(int(v == max(x)), list(x).count(max(x))), 0) for v in x]
    m = Fraction(max(x))
    known: dict[int, Fraction] = {}
    d: dict[int, Any] = {}
    for j in (j for j, v in enumerate(x) if v != -inf):
        below = Fraction(x[j]) - m
        if base is not None:
            rational = rational_power(Fraction(base), below)
        else:
            below *= Fraction(1 if beta is None else beta)
            rational = Fraction(1) if below == 0 else None
        if rational is not None:
            known[j] = rational
        else:
            d[j] = exp(below, bits) if base is None else power(Fraction(base), below, bits)
    with mpmath.workprec(bits):
        R, T = sum(known.values()), mpmath.fsum(d.values())
        S = to_mpf(R) + T
        return [
            (known[j] / R, -to_mpf(known[j] / R) * T / S)
            if j in known
            else (Fraction(0), d[j] / S if j in d else 0)
            for j in range(len(x))
        ]


def cross_entropy(x: Sequence[float], bits: int, q: Sequence[float]) -> list[Value]:
    Q = sum(map(Fraction, q))
    if not ordinary(x):
        if list(x).count(inf) != 1:
            return [UNDEFINED]
        return [inf if any(k and t != inf for k, t in zip(q, x, strict=True)) else (Fraction(0), 0)]
    if any(k and t == -inf for k, t in zip(q, x, strict=True)):
        return [inf]
    v = Logits(x, bits)
    A = sum((Fraction(k) * g for k, g in zip(q, v.gap, strict=True) if k), Fraction(0))
    with mpmath.workprec(bits):
        return [(A, to_mpf(Q) * v.log_sum)]


def batch_loss(
    rows: Sequence[Sequence[float]],
    bits: int,
    q: Sequence[Sequence[float]],
    counted: Sequence[bool],
    reduction: str,
) -> list[Value]:
    """Sum or mean of the rows that count."""
    parts = [cross_entropy(x, bits, k)[0] for x, k, c in zip(rows, q, counted, strict=True) if c]
    if UNDEFINED in parts or (reduction == "mean" and not parts):
        return [UNDEFINED]
    if inf in parts:
        return [inf]
    n = len(parts) if reduction == "mean" else 1
    with mpmath.workprec(bits):
        return [(sum((a for a, _ in parts), Fraction(0)) / n, mpmath.fsum(d for _, d in parts) / n)]


def cross_entropy_gradient(x: Sequence[float], bits: int, q: Sequence[float]) -> list[Value]:
    Q = sum(map(Fraction, q))
    with mpmath.workprec(bits):
        return [
            p
            if p == UNDEFINED
            else (Q * Fraction(p) - Fraction(k), 0)
            if isinstance(p, float)
            else (Q * p[0] - Fraction(k), to_mpf(Q) * p[1])
            for p, k in zip(softmax(x, bits), q, strict=True)
        ]


PROBLEMS = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "logsumexp": logsumexp,
    "cross_entropy": cross_entropy,
    "batch_loss": batch_loss,
    "cross_entropy_gradient": cross_entropy_gradient,
}


# ----------------------------------------------------------------------------------------- answers


def ends(value: Value, bits: int) -> list[tuple[Fraction, int]]:
    """Two ends of an enclosure of A + d, each a rational number and an infinitely small nudge."""
    A, d = value
    if d == 0:
        return [(A, 0)]
    sign = 1 if d > 0 else -1
    if mpmath.mag(d) < -8 * bits:
        return [(A, sign), (A + sign * Fraction(1, 2 ** (8 * bits)), 0)]
    man, exponent = d.man_exp
    middle = sign * abs(int(man)) * Fraction(2) ** int(exponent)
    width = abs(middle) / 2 ** (bits - 20)
    return [(A + middle - width, 0), (A + middle + width, 0)]


def tiny_digits(d: Any, digits: int, bits: int) -> Decimal | None:
    """The digits of a d far below any float; None if `bits` do not decide them."""
    size = 2 * int(mpmath.mag(d)).bit_length()
    with mpmath.workprec(bits + size + 64):
        exponent = int(mpmath.floor(mpmath.log10(abs(d))))
        scaled = abs(d) / mpmath.exp(exponent * mpmath.ln10)
        found = {to_digits(v, nudge, digits) for v, nudge in ends((Fraction(0), scaled), bits - 10)}
    if len(found) > 1:
        return None
    _, k, e = found.pop()
    return (1 if d > 0 else -1, k, e + exponent)


class Answer:
    """One value: its digits, its rounding to every format, and an enclosure of it.

    digits:    the Decimal, an infinity, or UNDEFINED
    rounded:   format name -> float
    lo, hi:    rational ends; None where the value is no finite number
    """

    def __init__(
        self, digits: Any, rounded: dict[str, float], span: tuple[Fraction, Fraction] | None
    ) -> None:
        self.digits, self.rounded = digits, rounded
        self.lo, self.hi = span if span is not None else (None, None)


def decide(value: Value, digits: int, bits: int) -> Answer | None:
    """What the enclosure at this precision decides; None if not everything."""
    if isinstance(value, str):
        return Answer(value, dict.fromkeys(FORMATS, nan), None)
    if value in (inf, -inf):
        return Answer(value, {f: value if FORMATS[f][3] == inf else nan for f in FORMATS}, None)
    if isinstance(value, float):
        value = (Fraction(value), 0)
    found = ends(value, bits)
    rounded = {name: {to_format(v, nudge, name) for v, nudge in found} for name in FORMATS}
    if value[0] == 0 and len(found) == 2 and 0 in (found[0][0], found[1][0]):
        texts = {tiny_digits(value[1], digits, bits)}
    else:
        texts = {to_digits(v, nudge, digits) for v, nudge in found}
    if (
        len(texts) > 1
        or None in texts
        or any(len({repr(y) for y in s}) > 1 for s in rounded.values())
    ):
        return None
    span = (min(v for v, _ in found), max(v for v, _ in found))
    return Answer(texts.pop(), {name: s.pop() for name, s in rounded.items()}, span)


def oracle(problem: str, *arrays: Any, digits: int = 40, **parameters: Any) -> list[Answer]:
    """The exact values of a problem at float64 inputs, one Answer for each component."""
    bits = 256
    while True:
        x, *labels = arrays
        values = PROBLEMS[problem](x, bits, *labels, **parameters)
        answers = [decide(value, digits, bits) for value in values]
        if None not in answers:
            return answers
        bits *= 2
        if bits > 2**17:
            raise ArithmeticError(f"{problem} {arrays} {parameters}: not decided")
