"""Sums in every order and width, against the same recurrences in rational arithmetic."""

import math
import re
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from rational_rounding import ALL, TF32, assert_same, rn

from fpstudy.arithmetic import ORDERS
from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.arithmetic.sums import ACCUMULATIONS, parse, refusal, total
from fpstudy.formats import FORMATS, Format

EACH_FORMAT = pytest.mark.parametrize("f", ALL, ids=lambda f: f.name)
FEW = [f for f in ALL if f.name in FORMATS or f.name in ("tf32", "bfloat16_flushing", "p53_short")]
NARROW = ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]


# ---------------------------------------------------------------- the slow twins, number by number


def plus(f: Format, a: float, b: float) -> float:
    if not (math.isfinite(a) and math.isfinite(b)):
        return a + b
    return rn(f, Fraction(a) + Fraction(b), math.copysign(1, a + b))


def sequential(x: list[float], f: Format) -> float:
    s = x[0]
    for term in x[1:]:
        s = plus(f, s, term)
    return s


def pairwise(x: list[float], f: Format) -> float:
    if len(x) == 1:
        return x[0]
    left = 2 ** ((len(x) - 1).bit_length() - 1)  # a full tree, and what is left over beside it
    return plus(f, pairwise(x[:left], f), pairwise(x[left:], f))


def blocked(x: list[float], f: Format) -> float:
    return sequential([sequential(x[i : i + 128], f) for i in range(0, len(x), 128)], f)


def kahan(x: list[float], f: Format) -> float:
    s, c = x[0], 0.0
    for term in x[1:]:
        y = plus(f, term, -c)
        t = plus(f, s, y)
        c = plus(f, plus(f, t, -s), -y)
        s = t
    return s


def neumaier(x: list[float], f: Format) -> float:
    s, c = x[0], 0.0
    for term in x[1:]:
        t = plus(f, s, term)
        large, small = (s, term) if abs(s) >= abs(term) else (term, s)
        c = plus(f, c, plus(f, plus(f, large, -t), small))
        s = t
    return plus(f, s, c)


def exact(x: list[float], f: Format) -> float:
    return rn(f, sum(map(Fraction, x), Fraction(0)))


TWINS: dict[str, Callable[[list[float], Format], float]] = {
    "sequential": sequential,
    "pairwise": pairwise,
    "blocked": blocked,
    "kahan": kahan,
    "neumaier": neumaier,
    "exact": exact,
}


def terms(f: Format, n: int) -> np.ndarray:
    """(5, n): exponentials, signs that cancel, subnormals, a wide range, half-way additions."""
    rng = np.random.default_rng(n)
    scale = np.minimum(2.0 ** rng.integers(-8, 8, n), f.largest / (4 * n))
    rows = [
        np.exp(0.5 * rng.standard_normal(n)),
        rng.standard_normal(n),
        rng.integers(-3, 4, n) * f.least_normal / 2,
        rng.standard_normal(n) * scale,
        rng.choice([1.0, f.unit_roundoff, 3 * f.unit_roundoff, -2.0], n),
    ]
    return np.asarray([f.round(np.clip(row, -f.largest, f.largest)) for row in rows])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("f", FEW, ids=lambda f: f.name)
def test_a_sum_is_the_recurrence_in_rationals(f: Format, order: str) -> None:
    for n in (1, 2, 3, 7, 128, 129, 300):
        x = terms(f, n)
        expected = [TWINS[order](row, f) for row in x.tolist()]
        assert_same(total(x, -1, f, order), np.asarray(expected))


@pytest.mark.parametrize("order", [o for o in ORDERS if o != "exact"])
@pytest.mark.parametrize(("name", "wide"), [("float16", "float32"), ("bfloat16", "float64")])
def test_a_wider_sum_is_rounded_once_more(name: str, wide: str, order: str) -> None:
    f, x = FORMATS[name], terms(FORMATS[name], 200)
    expected = [rn(f, Fraction(TWINS[order](row, FORMATS[wide]))) for row in x.tolist()]
    assert_same(total(x, -1, f, f"{order}:{wide}"), np.asarray(expected))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", FORMATS)
def test_native_kernels_give_the_bits_of_the_generic_ones(name: str, order: str) -> None:
    """A format of the same facts under another name takes the generic way."""
    f = FORMATS[name]
    generic = Format("other", f.precision, f.emax, f.emin, f.infinity)
    x = np.concatenate([terms(f, 1000), np.full((1, 1000), f.largest / 300)])
    x = f.round(x)
    assert_same(total(x, -1, f, order), total(x, -1, generic, order))


def test_all_orders_are_named_alike_everywhere() -> None:
    assert tuple(ACCUMULATIONS) == ORDERS == tuple(TWINS)


@EACH_FORMAT
@pytest.mark.parametrize("order", ORDERS)
def test_axes_shapes_and_sums_of_nothing(f: Format, order: str) -> None:
    x = f.round(np.random.default_rng(1).standard_normal((3, 4, 5)))
    for axis in (0, 1, 2, -1, -2):
        y = total(x, axis, f, order)
        vectors = np.moveaxis(x, axis, -1)
        assert y.shape == vectors.shape[:-1]
        assert_same(y[1, 2], total(vectors[1, 2], 0, f, order))
    assert total(x[0, 0, :1], 0, f, order) == x[0, 0, 0]
    assert_same(total(np.empty((2, 0)), -1, f, order), np.zeros(2))
    zeros = total(np.asarray([[-0.0, -0.0], [0.0, -0.0]]), -1, f, order)
    assert_same(zeros, [0.0 if order == "neumaier" else -0.0, 0.0])  # its c is +0


def test_an_exact_sum_is_rounded_once_where_float64_ties() -> None:
    """1 + 2**-11 + 2**-80 is above a float16 midpoint, by less than float64 sees."""
    f = FORMATS["float16"]
    tie = [1.0, 2.0**-11]
    wide = Format("f", 11, 127, -126)
    assert total(np.asarray(tie), 0, f, "exact") == 1
    for tail, expected in ((2.0**-80, 1 + 2.0**-10), (-(2.0**-80), 1.0)):
        assert total(np.asarray([*tie, tail]), 0, wide, "exact") == expected
        odd = np.asarray([1 + 2.0**-10, 2.0**-11, tail])  # ties to 1 + 2**-9
        assert total(odd, 0, wide, "exact") == 1 + 2.0**-10 + (2.0**-10 if tail > 0 else 0)
    # one float64 step beside the midpoint and a tail towards it: the midpoint is not reached
    beside = np.asarray([1 + 2.0**-10, 2.0**-11, -(2.0**-52), 2.0**-80])
    assert total(beside, 0, wide, "exact") == 1 + 2.0**-10


def test_exact_sums_with_infinities_overflow_and_cancellation() -> None:
    f = FORMATS["float64"]
    top = f.largest
    assert total(np.asarray([top, top, -top, -top]), 0, f, "exact") == 0
    assert total(np.asarray([top, top, -top]), 0, f, "exact") == top
    assert total(np.asarray([top, top]), 0, f, "exact") == np.inf
    assert total(np.asarray([np.inf, 1.0]), 0, f, "exact") == np.inf
    assert np.isnan(total(np.asarray([np.inf, -np.inf]), 0, f, "exact"))


# ---------------------------------------------------------------- the facts


@pytest.mark.parametrize(
    ("name", "standstill"),
    [("bfloat16", 256), ("float16", 2048), ("float8_e5m2", 8), ("float8_e4m3fn", 16)],
)
def test_a_sequential_sum_of_ones_stands_still(name: str, standstill: int) -> None:
    f = FORMATS[name]
    assert standstill == 2**f.precision
    ones = np.ones(2 * standstill + 1000)
    assert total(ones, 0, f, "sequential") == standstill
    if f.largest > ones.size:
        for order in ("pairwise", "sequential:float32", "exact"):
            assert total(ones, 0, f, order) == f.round(float(ones.size))


def test_kahans_sum_of_ones_stands_still_at_four_to_the_precision() -> None:
    """Its correction, too, is a number of p bits: 2 u + O(n u**2) says nothing once n u**2 = 1."""
    f = FORMATS["float8_e5m2"]
    assert total(np.ones(60), 0, f, "kahan") == f.round(60.0)
    assert total(np.ones(1000), 0, f, "kahan") == 4**f.precision
    assert total(np.ones(3000), 0, FORMATS["bfloat16"], "kahan") == FORMATS["bfloat16"].round(3e3)


@pytest.mark.parametrize("draw", ["uniform", "exponentials"])
def test_neumaiers_compensation_stagnates_in_bfloat16_and_kahans_does_not(draw: str) -> None:
    f, rng = FORMATS["bfloat16"], np.random.default_rng(1)
    shape = (8, 8192)
    x = rng.random(shape) if draw == "uniform" else np.exp(0.5 * rng.standard_normal(shape))
    x = f.round(x)
    true = np.asarray([math.fsum(row) for row in x])
    error = {order: np.median(np.abs(total(x, -1, f, order) - true) / true) for order in ORDERS}
    assert error["sequential"] > 0.7
    assert error["neumaier"] > 0.6
    assert error["kahan"] < 4 * f.unit_roundoff
    assert error["pairwise"] < 13 * f.unit_roundoff
    assert error["exact"] <= f.unit_roundoff


def test_neumaier_is_accurate_in_float32() -> None:
    f, rng = FORMATS["float32"], np.random.default_rng(2)
    x = f.round(np.exp(0.5 * rng.standard_normal((4, 8192))))
    assert_same(total(x, -1, f, "neumaier"), total(x, -1, f, "exact"))


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("order", ["sequential", "pairwise", "blocked", "kahan"])
def test_errors_stay_below_the_bounds_that_are_stated(name: str, order: str) -> None:
    """To first order, so for n u < 1 / 4."""
    f, n = FORMATS[name], 60
    u = f.unit_roundoff
    bound = {
        "sequential": (n - 1) * u,
        "pairwise": math.ceil(math.log2(n)) * u,
        "blocked": (126 + 1) * u,
        "kahan": 2 * u + 8 * n * u * u,
    }[order]
    x = f.round(np.random.default_rng(3).standard_normal((300, n)))
    true = np.asarray([math.fsum(row) for row in x])
    error = np.abs(total(x, -1, f, order) - true) / np.abs(x).sum(axis=-1)
    assert error.max() <= bound * (1 + bound)
    assert error.max() > 0


# ---------------------------------------------------------------- how NumPy adds up


def numpys_float32(x: np.ndarray) -> np.float32:
    """NumPy's pairwise sum: 8 accumulators in blocks of at most 128, halves of multiples of 8."""
    n = len(x)
    if n < 8:
        s = np.float32(-0.0)
        for term in x:
            s = np.float32(s + term)
        return s
    if n <= 128:
        r = x[:8].copy()
        for i in range(8, n - n % 8, 8):
            r += x[i : i + 8]
        s = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
        for term in x[n - n % 8 :]:
            s = s + term
        return np.float32(s)
    half = n // 2 - n // 2 % 8
    return np.float32(numpys_float32(x[:half]) + numpys_float32(x[half:]))


@pytest.mark.parametrize("n", [1, 5, 8, 100, 128, 129, 1000, 4099, 70_000])
def test_numpys_float16_sum_of_the_last_axis_is_a_float32_one_rounded_once(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(5):
        x = np.exp(0.5 * rng.standard_normal(n)).astype(np.float16)
        with np.errstate(over="ignore"):
            expected = np.float16(numpys_float32(x.astype(np.float32)))
            assert x.sum() == expected
            assert x[None, :].sum(axis=-1)[0] == expected


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_sums_along_another_axis_are_sequential(name: str) -> None:
    f, rng = FORMATS[name], np.random.default_rng(1)
    x = f.round(np.exp(0.5 * rng.standard_normal((4096, 16))))
    theirs = x.astype(DTYPES[name]).sum(axis=0).astype(np.float64)
    assert_same(total(x, 0, f, "sequential"), theirs)


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_ml_dtypes_adds_sequentially_along_every_axis(name: str) -> None:
    f, rng = FORMATS[name], np.random.default_rng(2)
    x = f.round(np.exp(0.5 * rng.standard_normal((16, 500))) / 64)
    theirs = x.astype(DTYPES[name]).sum(axis=-1).astype(np.float64)
    assert_same(total(x, -1, f, "sequential"), theirs)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("accumulation", "message"),
    [
        ("native", "no accumulation 'native'; known: sequential, pairwise, blocked, kahan, "),
        ("Kahan", "no accumulation 'Kahan'; known: sequential"),
        ("kahan:float23", "no format 'float23' to add up in; known: float16, bfloat16, float32"),
        ("kahan:", "no format '' to add up in; known: float16"),
    ],
)
def test_an_unknown_accumulation_is_refused_at_the_door(accumulation: str, message: str) -> None:
    for door in (lambda: parse(accumulation), lambda: refusal(TF32, accumulation)):
        with pytest.raises(ValueError, match=re.escape(message)):
            door()


@pytest.mark.parametrize(
    ("name", "accumulation", "reason"),
    [
        ("float16", "kahan", None),
        ("float16", "sequential:float32", None),
        ("float32", "sequential:float32", None),
        ("float16", "sequential:bfloat16", "bfloat16 does not hold all numbers of float16"),
        ("float64", "pairwise:float32", "float32 does not hold all numbers of float64"),
        ("float16", "exact:float32", "an exact sum is rounded once, to float16; float32 between"),
    ],
)
def test_a_format_that_is_not_wider_is_refused_with_the_reason(
    name: str, accumulation: str, reason: str | None
) -> None:
    found = refusal(FORMATS[name], accumulation)
    assert found is None if reason is None else (found or "").startswith(reason)


def test_a_narrower_format_to_add_up_in_leaves_a_wider_array_as_it_is() -> None:
    """As where a formula keeps its state in float32 and the study adds float8 up in float16."""
    f, x = FORMATS["float32"], terms(FORMATS["float32"], 100)
    assert_same(total(x, -1, f, "kahan:float16"), total(x, -1, f, "kahan"))
