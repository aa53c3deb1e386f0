"""+, -, *, / rounded once, against exact rationals; rounding itself against two libraries."""

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import pytest
from rational_rounding import ALL, TF32, assert_same, edges, numbers, of_infinite, rn

from fpstudy.arithmetic.correct_rounding import (
    MOST_PRECISION,
    add,
    contains,
    divide,
    multiply,
    subtract,
    unsupported,
)
from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.formats import DOUBLE, FORMATS, Floats, Format

OPERATIONS: dict[str, tuple[Callable[..., Floats], Callable[..., Fraction], np.ufunc]] = {
    "+": (add, Fraction.__add__, np.add),
    "-": (subtract, Fraction.__sub__, np.subtract),
    "*": (multiply, Fraction.__mul__, np.multiply),
    "/": (divide, Fraction.__truediv__, np.divide),
}
EACH = pytest.mark.parametrize("sign", OPERATIONS)
EACH_FORMAT = pytest.mark.parametrize("f", ALL, ids=lambda f: f.name)
RANDOM = 10_000
FEW = 3_000  # for each format of our own
GFLOAT = {
    "float16": gfloat.formats.format_info_binary16,
    "bfloat16": gfloat.formats.format_info_bfloat16,
    "float8_e4m3fn": gfloat.formats.format_info_ocp_e4m3,
    "float8_e5m2": gfloat.formats.format_info_ocp_e5m2,
}
GFLOAT_TF32 = replace(GFLOAT["bfloat16"], name="tf32", k=19, precision=11, num_high_nans=2**10 - 1)


def operands(f: Format) -> tuple[np.ndarray, np.ndarray]:
    """Random pairs, pairs whose product or quotient is near an end of the range, all edge pairs."""
    rng = np.random.default_rng(1)
    count = RANDOM if f.name in FORMATS else FEW
    a, b = numbers(f, count, rng), numbers(f, count, rng)
    few = count // 4
    _, exponent = np.frexp(a[:few])
    target = rng.choice([f.emin - f.precision, f.emin, f.emax, 0], few)
    drawn = np.frexp(b[:few])[0]
    with np.errstate(all="ignore"):
        near = [
            np.ldexp(drawn, target + rng.integers(-1, 3, few) + sign * exponent) for sign in (1, -1)
        ]
    fits = [np.where((np.abs(x) <= f.largest) & f.holds(x) & (x != 0), x, drawn) for x in near]
    e = edges(f)
    first = np.concatenate([a, a[:few], a[:few], np.repeat(e, len(e))])
    return first, np.concatenate([b, *(f.round(x) for x in fits), np.tile(e, len(e))])


def exactly(f: Format, sign: str, a: float, b: float) -> float:
    """RN(a op b) from rationals; infinities, NaN and the sign of a zero by IEEE 754."""
    _, exact, ieee = OPERATIONS[sign]
    with np.errstate(all="ignore"):
        y = float(ieee(a, b))
    if not (np.isfinite(a) and np.isfinite(b)) or (sign == "/" and b == 0):
        return of_infinite(f, y)
    return rn(f, exact(Fraction(a), Fraction(b)), np.copysign(1, y))


@EACH
@EACH_FORMAT
def test_an_operation_is_the_rational_one_rounded_once(f: Format, sign: str) -> None:
    a, b = operands(f)
    ours = OPERATIONS[sign][0](f, a, b)
    expected = [exactly(f, sign, u, v) for u, v in zip(a.tolist(), b.tolist(), strict=True)]
    assert_same(ours, np.asarray(expected), a, b)


@EACH_FORMAT
def test_the_operands_of_that_test_reach_every_end(f: Format) -> None:
    """Subnormal results, overflows and ties are among them."""
    a, b = operands(f)
    product = multiply(f, a, b)
    finite = np.isfinite(a) & np.isfinite(b)
    small = (product != 0) & (np.abs(product) < f.least_normal)
    assert small.any() == f.subnormals
    beyond = product[finite] == f.largest if f.saturate else ~np.isfinite(product[finite])
    assert beyond.sum() >= 10
    with np.errstate(all="ignore"):
        total = a + b
        between = (f.round(total * (1 - 2.0**-50)) + f.round(total * (1 + 2.0**-50))) / 2 == total
    assert (between & ~f.holds(total)).sum() >= (10 if f.precision < DOUBLE else 0)


@EACH
@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2"])
def test_every_pair_of_8_bit_patterns_is_as_in_ml_dtypes(name: str, sign: str) -> None:
    native = np.arange(256, dtype=np.uint8).view(DTYPES[name])
    a, b = native[:, None], native[None, :]
    with np.errstate(all="ignore"):
        theirs = OPERATIONS[sign][2](a, b).astype(np.float64)
    ours = OPERATIONS[sign][0](FORMATS[name], a.astype(np.float64), b.astype(np.float64))
    assert_same(ours, theirs)


@EACH
@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_random_pairs_are_as_in_the_native_dtype(name: str, sign: str) -> None:
    f, rng = FORMATS[name], np.random.default_rng(2)
    a, b = numbers(f, 100_000, rng), numbers(f, 100_000, rng)
    with np.errstate(all="ignore"):
        theirs = OPERATIONS[sign][2](a.astype(DTYPES[name]), b.astype(DTYPES[name]))
    assert_same(OPERATIONS[sign][0](f, a, b), theirs.astype(np.float64), a, b)


def test_a_short_53_bit_format_needs_the_rational_path() -> None:
    """Float64's product, rounded again on the format's subnormals, is off by one of them."""
    f = Format("p53_short", precision=53, emax=127, emin=-126)
    rng = np.random.default_rng(3)
    a = rng.uniform(1, 2, 100_000)
    b = rng.uniform(1, 2, 100_000) * 2.0**-130
    ours, twice = multiply(f, a, b), f.round(a * b)
    wrong = np.flatnonzero(ours != twice)
    assert wrong.size > 1000
    for i in wrong[:100].tolist():
        assert ours[i] == rn(f, Fraction(a[i]) * Fraction(b[i]))


def test_shapes_are_broadcast_across_blocks() -> None:
    f, rng = FORMATS["float16"], np.random.default_rng(4)
    x = f.round(rng.standard_normal((300, 200)))
    column, row = x[:, :1], x[0]
    np.testing.assert_array_equal(subtract(f, x, column), f.round(x - column))
    np.testing.assert_array_equal(add(f, row, x), f.round(row + x))
    assert add(f, np.asarray(1.0), np.asarray(2.0)).shape == ()
    assert add(f, np.empty((0, 3)), np.ones(3)).shape == (0, 3)


def test_figueroas_condition_is_what_the_limit_comes_from() -> None:
    assert 2 * MOST_PRECISION + 2 <= DOUBLE < 2 * (MOST_PRECISION + 1) + 2


def test_beyond_25_bits_double_rounding_is_not_innocuous() -> None:
    """p = 27: 1 + b lies 2**-53 above a midpoint, float64 rounds it to the midpoint, a tie."""
    f = Format("p27", precision=27, emax=127, emin=-126)
    b = 2.0**-27 + 2.0**-53
    assert f.holds(b)
    assert f.round(1 + b) == 1
    assert rn(f, 1 + Fraction(b)) == 1 + 2.0**-26
    assert unsupported(f) is not None


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (Format("p26", 26, 127, -126), "p26: a precision of 26 bits is neither at most 25 nor 53"),
        (Format("wide", 11, 1024, -126), "wide: emax = 1024 is beyond float64's 1023"),
        (Format("low", 25, 127, -1001), "low: emin = -1001 is below 3 precision - 1075 = -1000"),
        (Format("quad", 53, 1023, -1023), "quad: emin = -1023 is below float64's -1022"),
        (Format("half", 11, 15, -1023), "half: emin = -1023 is below float64's -1022"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_format_beyond_float64_is_refused_with_the_reason(f: Format, reason: str) -> None:
    assert re.match(re.escape(reason), unsupported(f) or "")


@EACH_FORMAT
def test_the_formats_of_these_tests_are_supported(f: Format) -> None:
    assert unsupported(f) is None


def test_below_the_least_emin_products_are_rounded_twice() -> None:
    """(2**12 + 1) (2**24 - 2**12 + 1) = 2**36 + 1, of which float64 loses the 1: a tie, so 0."""
    f = Format("low", precision=25, emax=1023, emin=-1022)
    a, b = (2**12 + 1) * 2.0**-500, (2**24 - 2**12 + 1) * 2.0**-583
    assert f.holds(a) and f.holds(b)
    assert f.round(a * b) == 0
    assert rn(f, Fraction(a) * Fraction(b)) == f.least_subnormal
    assert unsupported(f) is not None


@pytest.mark.parametrize("name", GFLOAT)
def test_one_float64_step_beside_every_midpoint_is_as_in_gfloat(name: str) -> None:
    """All 8- and 16-bit patterns; and what a midpoint itself does, NaN, infinity, saturation."""
    patterns = np.arange(2 ** (8 * DTYPES[name].itemsize), dtype=f"u{DTYPES[name].itemsize}")
    with np.errstate(invalid="ignore"):
        values = patterns.view(DTYPES[name]).astype(np.float64)
    values = np.unique(values[np.isfinite(values)])
    f = FORMATS[name]
    beyond = f.largest + (values[-1] - values[-2]) / 2
    middle = np.concatenate([(values[:-1] + values[1:]) / 2, [beyond, -beyond]])
    for x in (middle, np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf), values):
        assert_same(f.round(x), gfloat.round_ndarray(GFLOAT[name], x), x)
        saturating = replace(f, saturate=True)
        assert_same(saturating.round(x), gfloat.round_ndarray(GFLOAT[name], x, sat=True), x)


def test_tf32_is_as_in_gfloat() -> None:
    rng = np.random.default_rng(6)
    x = numbers(TF32, 20_000, rng)
    step = np.ldexp(1.0, TF32.quantum(x))
    middle = x + step / 2
    points = [x, middle, np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf)]
    points += [x + step * rng.random(x.size), np.asarray([3.4e38, 3.5e38, np.inf, 2.0**-137])]
    for part in points:
        assert_same(TF32.round(part), gfloat.round_ndarray(GFLOAT_TF32, part), part)
    assert TF32.largest == GFLOAT_TF32.max
    assert TF32.least_subnormal == GFLOAT_TF32.smallest_subnormal


def test_rounding_once_matters_where_ml_dtypes_rounds_twice() -> None:
    """One step beside every bfloat16 midpoint: ml_dtypes goes through float32 and ties."""
    f = FORMATS["bfloat16"]
    values = np.arange(0x3F80, 0x4000, dtype=np.uint16).view(ml_dtypes.bfloat16).astype(np.float64)
    middle = (values[:-1] + values[1:]) / 2
    above = np.nextafter(middle, np.inf)
    assert_same(f.round(above), values[1:])
    assert (above.astype(ml_dtypes.bfloat16).astype(np.float64) != values[1:]).mean() > 0.4


def test_flush_to_zero_and_saturation_are_the_formats() -> None:
    flushing = Format("f", 8, 127, -126, subnormals=False)
    least = np.asarray([flushing.least_normal])
    assert_same(multiply(flushing, least, np.asarray([-0.5])), np.asarray([-0.0]))
    assert_same(subtract(flushing, least * 1.5, least), np.asarray([0.0]))
    assert multiply(FORMATS["bfloat16"], least, np.asarray([0.5])) == least / 2
    saturating = Format("s", 11, 15, -14, saturate=True)
    top, zero = np.asarray([saturating.largest]), np.zeros(1)
    assert add(saturating, top, top) == 65504
    assert add(FORMATS["float16"], top, top) == np.inf
    assert divide(saturating, -top, zero) == -np.inf  # an infinity that is exact
    widest = Format("w", 53, 1023, -1022, saturate=True)
    huge = np.asarray([widest.largest])
    assert multiply(widest, huge, -huge) == -widest.largest


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("float32", "float16", True),
        ("float32", "bfloat16", True),
        ("bfloat16", "float16", False),
        ("float16", "bfloat16", False),
        ("float8_e4m3fn", "float8_e5m2", False),
        ("float16", "float8_e4m3fn", True),
        ("float64", "float64", True),
    ],
)
def test_a_format_contains_another(wide: str, narrow: str, expected: bool) -> None:
    assert contains(FORMATS[wide], FORMATS[narrow]) is expected
