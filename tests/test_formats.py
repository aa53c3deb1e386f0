"""Rounding and the derived facts of the formats, against two independent libraries."""

from fractions import Fraction

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.formats import FORMATS, Format

NARROW = ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]
GFLOAT = {
    "float16": gfloat.formats.format_info_binary16,
    "bfloat16": gfloat.formats.format_info_bfloat16,
    "float32": gfloat.formats.format_info_binary32,
    "float64": gfloat.formats.format_info_binary64,
    "float8_e4m3fn": gfloat.formats.format_info_ocp_e4m3,
    "float8_e5m2": gfloat.formats.format_info_ocp_e5m2,
}


def finite_values(name: str) -> np.ndarray:
    """All finite values of a format of 8 or 16 bits, ascending, without -0."""
    dtype = DTYPES[name]
    patterns = np.arange(2 ** (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}")
    with np.errstate(invalid="ignore"):  # signalling NaNs among the patterns
        values = patterns.view(dtype).astype(np.float64)
    return np.unique(values[np.isfinite(values)])


@pytest.mark.parametrize("f", FORMATS.values(), ids=lambda f: f.name)
def test_derived_facts_are_those_of_the_native_dtype(f: Format) -> None:
    info = ml_dtypes.finfo(DTYPES[f.name])
    assert f.largest == float(info.max)
    assert f.least_normal == float(info.smallest_normal)
    assert f.least_subnormal == float(info.smallest_subnormal)
    assert 2 * f.unit_roundoff == float(info.eps)


@pytest.mark.parametrize("f", FORMATS.values(), ids=lambda f: f.name)
def test_primary_facts_are_those_of_gfloat(f: Format) -> None:
    info = GFLOAT[f.name]
    assert (f.precision, f.largest, f.infinity) == (info.precision, info.max, info.num_infs > 0)
    assert f.least_subnormal == info.smallest_subnormal


@pytest.mark.parametrize("name", NARROW)
def test_every_value_rounds_to_itself(name: str) -> None:
    values = finite_values(name)
    assert (FORMATS[name].round(values) == values).all()
    assert FORMATS[name].holds(values).all()


@pytest.mark.parametrize("name", NARROW)
def test_every_midpoint_goes_to_even_and_every_step_beside_it_to_the_nearer(name: str) -> None:
    values = finite_values(name)
    low, high = values[:-1], values[1:]
    middle = (low + high) / 2  # exact: one bit more than the format has
    f = FORMATS[name]
    spacing = 2.0 ** f.quantum(np.where(np.abs(low) < np.abs(high), low, high))
    even = np.where(np.mod(low / spacing, 2) == 0, low, high)
    assert (f.round(middle) == even).all()
    assert (f.round(np.nextafter(middle, -np.inf)) == low).all()
    assert (f.round(np.nextafter(middle, np.inf)) == high).all()


@pytest.mark.parametrize("name", NARROW)
def test_midpoints_agree_with_ml_dtypes_and_gfloat(name: str) -> None:
    values = finite_values(name)
    beyond = [FORMATS[name].largest * scale for scale in (1.01, 1.03125, 1.04, 1.2, 10)]
    x = np.concatenate([(values[:-1] + values[1:]) / 2, beyond, np.negative(beyond), [np.inf]])
    ours = FORMATS[name].round(x)
    with np.errstate(over="ignore"):
        native = x.astype(DTYPES[name]).astype(np.float64)
    np.testing.assert_array_equal(ours, native)
    some = x[:: max(1, len(x) // 4000)]
    theirs = [gfloat.round_float(GFLOAT[name], v, sat=False) for v in some]
    np.testing.assert_array_equal(ours[:: max(1, len(x) // 4000)], theirs)


def test_a_step_beside_a_bfloat16_midpoint_is_rounded_once() -> None:
    """ml_dtypes goes through float32 and rounds twice: 1 + 2**-8 + 2**-40 becomes 1."""
    x = 1 + 2.0**-8 + 2.0**-40
    assert FORMATS["bfloat16"].round(x) == 1 + 2.0**-7
    assert np.float64(x).astype(ml_dtypes.bfloat16) == 1


@given(st.floats(allow_nan=False))
def test_float32_rounding_is_that_of_numpy(x: float) -> None:
    with np.errstate(over="ignore"):
        assert FORMATS["float32"].round(x) == np.float64(np.float32(x))
    assert FORMATS["float64"].round(x) == x


@given(st.sampled_from(sorted(FORMATS)), st.fractions(-(2**20), 2**20))
def test_a_rational_rounds_to_the_nearer_neighbour(name: str, value: Fraction) -> None:
    f = FORMATS[name]
    rounded = f.round_fraction(value)
    if abs(value) > f.largest:
        return
    step = Fraction(2) ** int(f.quantum(rounded))
    assert f.holds(rounded)
    assert abs(Fraction(rounded) - value) <= step / 2


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("0x1.8p-3", "float16", 0.1875),
        ("-inf", "float32", -np.inf),
        ("1e-400", "float64", 0.0),
        ("65519.99999999999999999999", "float16", 65504.0),
        ("65520", "float16", np.inf),
        ("464", "float8_e4m3fn", 448.0),
        # decimal text just above a midpoint: by way of float64 it would tie and go to 1
        ("1.00048828125000000000000000000001", "float16", 1 + 2.0**-10),
        ("1.00048828125", "float16", 1.0),
        ("0x1.00200000000000000000000001p0", "float16", 1 + 2.0**-10),
        ("-0X.8P1", "float16", -1.0),
        ("1e999999999", "float64", np.inf),
        ("1e-999999999", "float64", 0.0),
        ("0x1p999999999", "float32", np.inf),
    ],
)
def test_text_is_rounded_once(text: str, name: str, value: float) -> None:
    assert FORMATS[name].parse(text) == value


def test_text_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        FORMATS["float32"].parse("1,5")
