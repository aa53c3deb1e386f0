"""Double-double: every enclosure holds Arb's value, on 10**6 values for each operation."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest

from fpstudy.arithmetic import arb, double_double_arrays, double_double_functions
from fpstudy.arithmetic.double_double import ADD, DIVIDE, MULTIPLY, DoubleDouble
from fpstudy.arithmetic.double_double_arrays import DoubleDoubleArrays
from fpstudy.arithmetic.double_word import add_pairs, divide_pairs, multiply_pairs, two_sum
from fpstudy.arithmetic.double_word_functions import (
    EXP,
    LOG,
    LOG_SERIES,
    exp_pair,
    log1p_series,
    log_pair,
)
from fpstudy.formats import Floats
from fpstudy.problems.maximum import weights

VALUES = 10**6
BITS = 300
WIDE = 9000  # holds all sums of numbers with exponents of +-3,000
U = 2.0**-53

Pair = tuple[Floats, Floats]


def pairs(rng: np.random.Generator, count: int, low: float, high: float) -> Pair:
    """Double words of both signs and of sizes 2**low to 2**high; a part of them has no low word."""
    h = rng.choice([-1.0, 1.0], count) * 2 ** rng.uniform(low, high, count)
    l = h * U * rng.uniform(-0.999, 0.999, count) * rng.choice([0, 1, 1, 2.0**-30], count)
    return two_sum(h, l)


def worst(found: Any, exactly: Callable[..., flint.arb], *operands: Floats) -> float:
    """The largest relative error of (h, l, k) or (h, l) against Arb, its own radius added."""
    h, l, *k = found
    exponents = k[0].tolist() if k else [0] * len(h)
    rows = zip(h.tolist(), l.tolist(), exponents, *(x.tolist() for x in operands), strict=True)
    largest, arb_number, two = 0.0, flint.arb, flint.arb(2)
    with flint.ctx.workprec(BITS):
        for hi, lo, exponent, *numbers in rows:
            t = exactly(*map(arb_number, numbers))
            y = arb_number(hi) + arb_number(lo)
            if exponent:
                y *= two**exponent
            error = abs(y - t).abs_upper()
            if error != 0:
                largest = max(largest, float((error / abs(t).abs_lower()).upper()))
    return largest


def ranges(*parts: tuple[float, float]) -> list[tuple[float, float]]:
    return list(parts)


def in_parts(count: int, spans: list[tuple[float, float]], seed: int) -> Pair:
    rng = np.random.default_rng(seed)
    made = [pairs(rng, count // len(spans), low, high) for low, high in spans]
    h, l = (np.concatenate(part) for part in zip(*made, strict=True))
    return h, l


ARITHMETIC = {
    "add": (add_pairs, lambda a, b, c, d: (a + b) + (c + d), ADD),
    "multiply": (multiply_pairs, lambda a, b, c, d: (a + b) * (c + d), MULTIPLY),
    "divide": (divide_pairs, lambda a, b, c, d: (a + b) / (c + d), DIVIDE),
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_an_operation_on_pairs_keeps_its_bound(name: str) -> None:
    operation, exactly, bound = ARITHMETIC[name]
    x = in_parts(VALUES, ranges((-3, 3), (-200, 200), (-1, 1), (-60, 60)), 1)
    y = in_parts(VALUES, ranges((-3, 3), (-200, 200), (-1, 1), (0, 0.001)), 2)
    near = slice(0, VALUES // 8)  # operands that cancel up to their last bits
    y[0][near], y[1][near] = -x[0][near] * (1 + 2.0**-50), x[1][near] / 3
    y = two_sum(*y)
    largest = worst(operation(x, y), exactly, *x, *y)
    assert bound / 64 < largest <= bound


def test_exp_keeps_its_bound() -> None:
    x = in_parts(VALUES, ranges((-300, -60), (-60, -14), (-14, 3), (3, 10), (10, 15.99)), 3)
    k = np.random.default_rng(4).integers(-(2**29), 2**29, VALUES // 10)
    step = np.log(2) / 2**13  # where the table's index changes, and where what is left is 0
    edges = np.concatenate([(k + 0.5) * step, k * step])
    x = tuple(np.concatenate(part) for part in zip(x, (edges, edges * U / 3), strict=True))
    h, l, k = exp_pair(x)
    assert (h > 0.99).all()
    assert (h < 2.01).all()
    largest = worst((h, l, k), lambda a, b: (a + b).exp(), *x)
    assert EXP / 16 < largest <= EXP


def test_the_series_of_log1p_keeps_its_bound() -> None:
    x = in_parts(VALUES, ranges((-300, -60), (-60, -20), (-20, -10.4), (-11, -10.31)), 5)
    y = log1p_series(x, np.zeros(len(x[0]), dtype=np.int64))
    largest = worst(y, lambda a, b: (a + b).log1p(), *x)
    assert LOG_SERIES / 32 < largest <= LOG_SERIES


def test_log_keeps_its_bound() -> None:
    """Near 1, at the cells' edges, and far away."""
    rng = np.random.default_rng(6)
    m = rng.uniform(np.sqrt(0.5), np.sqrt(2), VALUES)
    quarter = VALUES // 4
    m[:quarter] = 1 + rng.uniform(-1, 1, quarter) * 2 ** rng.uniform(-52, -10, quarter)
    m[quarter : 2 * quarter] = (rng.integers(725, 1448, quarter) + 0.5) / 1024
    m, l = two_sum(m, m * U * rng.uniform(-0.9, 0.9, VALUES))
    k = rng.integers(-1000, 1000, VALUES) * (np.arange(VALUES) % 2)
    z = add_pairs((m, l), (-1.0, 0.0))
    found = log_pair((m, l), k.astype(float), z, np.zeros(VALUES, dtype=np.int64))
    largest = worst(found, lambda a, b, c: (a + b).log() + c * _log2(), m, l, k.astype(float))
    assert LOG / 32 < largest <= LOG


def _log2() -> flint.arb:
    return flint.arb.const_log2()


def encloses(x: DoubleDouble, values: list[flint.arb]) -> bool:
    """Whether every exact value, an Arb ball, lies within the array's enclosures."""
    radii = np.broadcast_to(x.radius, x.shape).ravel().tolist()
    with flint.ctx.workprec(WIDE):
        for y, radius, t in zip(numbers(x), radii, values, strict=True):
            # the radius is relative to t, which Arb has to 2**-250 where it is not a short number
            allowed = abs(t) * (flint.arb(radius) + flint.arb(2) ** -250)
            if np.isfinite(radius) and abs(y - t).abs_upper() > allowed.abs_upper():
                return False
    return True


def numbers(x: DoubleDouble) -> list[flint.arb]:
    parts = [np.broadcast_to(p, x.shape).ravel().tolist() for p in (x.hi, x.lo, x.exponent)]
    with flint.ctx.workprec(WIDE):
        return [
            (flint.arb(h) + flint.arb(l)) * flint.arb(2) ** int(e)
            for h, l, e in zip(*parts, strict=True)
        ]


def arrays(seed: int, count: int = 20_000) -> list[DoubleDouble]:
    """Arrays of all kinds: single numbers, exact pairs, exponents from -3,000 to 3,000, zeros."""
    rng = np.random.default_rng(seed)
    h, l = pairs(rng, count, -1, 0)
    zeros = np.where(rng.random(count) < 0.01, 0.0, 1.0)
    exponent = rng.integers(-3000, 3000, count)
    near = rng.integers(-60, 60, count)
    return [
        DoubleDouble(rng.integers(-9, 9, count).astype(float)),
        DoubleDouble(h, l),
        DoubleDouble(h * zeros, l * zeros, exponent),
        DoubleDouble(h * zeros, l * zeros, near),
        DoubleDouble(np.abs(h) * zeros, np.abs(h) * U / 7 * zeros, near, 0.0),
    ]


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_encloses_the_exact_result(name: str) -> None:
    """Of exact operands of every kind and pairing, shifts and cancellation included."""
    operator = OPERATORS[name]
    for i, x in enumerate(arrays(7)):
        for j, y in enumerate(arrays(8)):
            if name == "/":
                y = DoubleDouble(np.where(y.hi == 0, 1.0, y.hi), y.lo, y.exponent)
            with flint.ctx.workprec(WIDE):
                exactly = list(map(operator, numbers(x), numbers(y)))
            assert encloses(operator(x, y), exactly), (i, j)


def test_a_radius_covers_what_its_operands_may_be() -> None:
    """Operands moved within their radii give results within the result's."""
    rng = np.random.default_rng(9)
    for operator in OPERATORS.values():
        for spread in (2.0**-90, 2.0**-60):
            x, y = arrays(10)[3], arrays(11)[3]
            y = DoubleDouble(np.where(y.hi == 0, 1.0, y.hi), y.lo, y.exponent, spread)
            x = DoubleDouble(x.hi, x.lo, x.exponent, 2 * spread)
            result = operator(x, y)
            with flint.ctx.workprec(BITS):
                signs = rng.choice([-1, 1], (2, len(x.hi)))
                xs = [
                    t * (1 + int(s) * 2 * flint.arb(spread))
                    for t, s in zip(numbers(x), signs[0], strict=True)
                ]
                ys = [
                    t * (1 + int(s) * flint.arb(spread))
                    for t, s in zip(numbers(y), signs[1], strict=True)
                ]
                moved = list(map(operator, xs, ys))
            assert encloses(result, moved)


@pytest.mark.parametrize("n", [1, 2, 7, 64, 1000, 1024, 1025, 5000])
@pytest.mark.parametrize("signed", [False, True])
def test_a_sum_encloses_the_exact_one(n: int, signed: bool) -> None:
    rng = np.random.default_rng([n, signed])
    xp = DoubleDoubleArrays()
    rows = max(1, 20_000 // n)
    h, l = pairs(rng, rows * n, -1, 0)
    h, l = (h, l) if signed else (np.abs(h), l * np.sign(h))
    exponent = rng.integers(-40, 3, rows * n) * rng.choice([0, 1, 100], rows * n)
    x = DoubleDouble(*(part.reshape(rows, n) for part in (h, l, exponent)), 2.0**-95)
    terms = numbers(x)
    with flint.ctx.workprec(WIDE):
        exactly = [sum(terms[i * n : (i + 1) * n], flint.arb(0)) for i in range(rows)]
    assert encloses(xp.sum(x), exactly)


@pytest.mark.parametrize("small", [2.0**-60, -(2.0**-60)])
def test_a_sum_is_as_uncertain_as_its_most_uncertain_term(small: float) -> None:
    """One term of radius 2**-30 beside exact ones: it may be off by all of that."""
    radius = np.zeros((1, 8))
    radius[0, 0] = 2.0**-30
    hi = np.full((1, 8), small)
    hi[0, 0] = 1.0
    x = DoubleDouble(hi, np.zeros((1, 8)), np.zeros((1, 8), dtype=np.int64), radius)
    with flint.ctx.workprec(WIDE):
        moved = [sum(numbers(x), flint.arb(0)) + sign * flint.arb(2) ** -30 for sign in (1, -1)]
    for t in moved:
        assert encloses(DoubleDoubleArrays().sum(x), [t])


def test_the_bounds_of_pairs_are_those_of_their_theorems() -> None:
    """Of Joldes, Muller & Popescu; a sample of values comes near few of them."""
    u = Fraction(1, 2**53)
    assert Fraction(ADD) >= 3 * u**2 + 13 * u**3
    assert Fraction(MULTIPLY) >= 7 * u**2
    assert Fraction(DIVIDE) >= 15 * u**2 + 56 * u**3


def test_sums_of_short_numbers_are_exact() -> None:
    """Counts, one-hot labels and their gaps: radius 0, so that a tiny tail can decide."""
    xp = DoubleDoubleArrays()
    x = DoubleDouble(np.tile([1.0, 0.0, 1.0, 1.0], (3, 500)))
    assert xp.sum(x).exact
    assert (np.ldexp(xp.sum(x).hi, xp.sum(x).exponent) == 1500).all()
    gap = xp.asarray(np.array([[1e4, 0.1, 3.0]])) - xp.asarray(np.array([[3e-3]]))
    one = xp.sum(xp.where(np.array([[False, True, False]]), gap, xp.zeros_like(gap)))
    assert one.exact
    with flint.ctx.workprec(WIDE):
        assert numbers(one) == [flint.arb(0.1) - flint.arb(3e-3)]


def test_a_quotient_is_exact_where_it_is_a_number() -> None:
    """Each by itself: one third in a batch costs the others nothing."""
    one = DoubleDouble(np.ones(4)) / DoubleDouble(np.array([1.0, 2.0, 3.0, 8.0]))
    assert (np.broadcast_to(one.radius, 4) == 0).tolist() == [True, True, False, True]
    assert encloses(one, [flint.arb(1), flint.arb(0.5), third(), flint.arb(0.125)])


def third() -> flint.arb:
    with flint.ctx.workprec(BITS):
        return flint.arb(1) / 3


def test_a_sum_that_loses_bits_is_not_called_exact() -> None:
    xp = DoubleDoubleArrays()
    x = DoubleDouble(np.array([[1.0, 2.0**-120, 2.0**-240], [1.0, 2.0**-60, 0.0]]))
    total = xp.sum(x)
    assert total.radius[0] > 0
    assert total.radius[1] == 0


@pytest.mark.parametrize("scale", [1e-300, 1e-8, 1.0, 700.0, 7e4, 1e9, 1e15])
def test_exp_encloses_at_every_size(scale: float) -> None:
    xp = DoubleDoubleArrays()
    rng = np.random.default_rng(12)
    x = xp.asarray(rng.normal(size=2000) * scale)
    shifted = x - xp.max(x)
    y = xp.exp(shifted)
    with flint.ctx.workprec(BITS):
        exactly = [t.exp() for t in numbers(shifted)]
    assert np.isfinite(y.radius).all()
    assert encloses(y, exactly)


@pytest.mark.parametrize("radius", [2.0**-90, 2.0**-60, 2.0**-40])
def test_exp_covers_what_its_argument_may_be(radius: float) -> None:
    rng = np.random.default_rng(16)
    h, l = pairs(rng, 3000, -1, 0)
    x = DoubleDouble(h, l, rng.integers(-60, 9, 3000), radius)
    y = DoubleDoubleArrays().exp(x)
    for side in (-1, 1):
        with flint.ctx.workprec(BITS):
            moved = [(t * (1 + side * flint.arb(radius))).exp() for t in numbers(x)]
        assert encloses(y, moved)


def test_a_sum_with_a_number_too_small_to_add_is_not_called_exact() -> None:
    one, tiny = DoubleDouble(np.ones(1)), DoubleDouble(np.array([0.7]), 0.0, np.array([-3000]))
    assert (one + tiny).radius > 0
    assert (one + DoubleDouble(np.array([0.75]), 0.0, np.array([-60]))).exact


def test_exp_has_no_enclosure_beyond_the_exponents() -> None:
    y = DoubleDoubleArrays().exp(DoubleDouble(np.array([-1.0, -1e200, -np.inf])))
    assert np.isfinite(y.radius).tolist() == [True, False, True]
    assert y.hi[2] == 0


def test_equal_logits_share_their_exponentials(monkeypatch: pytest.MonkeyPatch) -> None:
    xp = DoubleDoubleArrays()
    x = np.random.default_rng(13).integers(-99, 99, (5, 7)) / 8
    y = xp.once(weights, xp.asarray(x), -1)
    asked = []
    monkeypatch.setattr(double_double_functions, "exp", lambda x: asked.append(x) or y.w)
    assert xp.once(weights, xp.asarray(x.copy()), -1) is y
    assert not asked
    other = x.copy()
    other[0, 0], other[0, 1] = x[0, 1], x[0, 0]  # the same sum, other logits
    xp.once(weights, xp.asarray(other), -1)
    assert len(asked) == 1


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(double_double_arrays, "MEMORY", 100)
    xp = DoubleDoubleArrays()
    for k in range(20):
        xp.once(weights, xp.asarray(np.full(30, float(k))), -1)
    assert len(xp._known) == 3


@pytest.mark.parametrize("function", ["log1p", "log"])
def test_logarithms_enclose_with_wide_operands(function: str) -> None:
    xp = DoubleDoubleArrays()
    rng = np.random.default_rng(14)
    h, l = pairs(rng, 20_000, -1, 0)
    exponent = rng.integers(-200, 30, 20_000) * rng.choice([0, 1, 40], 20_000)
    x = DoubleDouble(np.abs(h), l * np.sign(h), exponent, 2.0**-92)
    with flint.ctx.workprec(WIDE):
        exact = numbers(x)
    for side in (-1, 0, 1):
        with flint.ctx.workprec(BITS):
            moved = [t * (1 + side * flint.arb(2) ** -92) for t in exact]
            exactly = [getattr(t, function)() for t in moved]
        assert encloses(getattr(xp, function)(x), exactly)


def test_arbs_exponentials_are_pairs_of_its_values() -> None:
    rng = np.random.default_rng(15)
    for hi in (rng.normal(size=200) * 10.0 ** rng.integers(-3, 17, 200)).tolist():
        found = arb.exponential(hi, hi * U / 3, 0)
        assert found is not None
        h, l, k = found
        assert 0.5 <= h <= 1
        with flint.ctx.workprec(400):
            t = (flint.arb(hi) + flint.arb(hi * U / 3)).exp()
            y = (flint.arb(h) + flint.arb(l)) * flint.arb(2) ** k
            assert abs(y / t - 1) < flint.arb(2) ** -104
    assert arb.exponential(-1e300, 0.0, 0) is None
