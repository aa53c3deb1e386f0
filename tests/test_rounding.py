"""A truth rounds to every format as the rational number that it stands for."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpstudy.dyadic import pack_ratio
from fpstudy.formats import FORMATS, Format
from fpstudy.rounding import round_truth
from fpstudy.truth import Truth, assemble

formats = st.sampled_from(list(FORMATS.values()))


def truth_of(*values: Fraction) -> Truth:
    cells = np.empty(len(values), dtype=object)
    cells[:] = [pack_ratio(*value.as_integer_ratio()) for value in values]
    return assemble(cells)


@st.composite
def numbers(draw: st.DrawFn, f: Format) -> Fraction:
    """Numbers of a format, midpoints, and what lies a little or very little beside them."""
    low = f.emin - f.precision - 3
    exponent = draw(st.integers(low, f.emax - f.precision + 2))
    half_steps = draw(st.integers(-(2 ** (f.precision + 2)), 2 ** (f.precision + 2)))
    value = half_steps * Fraction(2) ** (exponent - 1)
    tail = draw(st.sampled_from([0, 1, -1])) * Fraction(2) ** draw(st.integers(-3000, -1))
    return value * (1 + tail) if draw(st.booleans()) else value + tail * Fraction(2) ** low


@given(st.data(), formats)
def test_nearest_is_that_of_the_rational(data: st.DataObject, f: Format) -> None:
    t = data.draw(numbers(f))
    rounded = round_truth(truth_of(t), f)
    expected = f.round_fraction(t)
    np.testing.assert_array_equal(rounded.nearest, [expected])


@given(st.data(), formats)
def test_down_and_up_are_the_neighbours(data: st.DataObject, f: Format) -> None:
    t = data.draw(numbers(f))
    rounded = round_truth(truth_of(t), f)
    down, up = float(rounded.down[0]), float(rounded.up[0])
    assert down <= up
    assert down == -np.inf or Fraction(down) <= t
    assert up == np.inf or Fraction(up) >= t
    assert bool(rounded.exact[0]) == (down == up)
    if rounded.exact[0]:
        assert Fraction(down) == t
    elif np.isfinite(down) and np.isfinite(up):
        between = (Fraction(down) + Fraction(up)) / 2  # no number of the format lies inside
        assert not f.holds(float(between)) or float(between) in (down, up)


@pytest.mark.parametrize("f", FORMATS.values(), ids=lambda f: f.name)
def test_a_power_of_two_less_a_tail_belongs_to_the_lower_binade(f: Format) -> None:
    t = Fraction(1) - Fraction(2) ** -300
    rounded = round_truth(truth_of(t, Fraction(1)), f)
    assert rounded.quantum.tolist() == [-f.precision, 1 - f.precision]
    assert rounded.nearest.tolist() == [1.0, 1.0]
    assert rounded.exact.tolist() == [False, True]


@pytest.mark.parametrize("f", FORMATS.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("tail", [2, 60, 100, 300])
def test_beside_a_midpoint_the_tail_decides_and_at_it_the_even_neighbour(
    f: Format, tail: int
) -> None:
    """Midpoints above an even and an odd number, a tail below float64's last place among them."""
    ulp = Fraction(2) ** (1 - f.precision)
    tiny = ulp * Fraction(2) ** -tail
    for below, tie in ((1 + 0 * ulp, 0), (1 + ulp, 1)):
        middle = below + ulp / 2
        values = [middle - tiny, middle, middle + tiny]
        up = [False, bool(tie), True]
        for sign in (1, -1):
            nearest = round_truth(truth_of(*[sign * v for v in values]), f).nearest
            expected = [float(sign * (below + ulp * above)) for above in up]
            assert nearest.tolist() == expected


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_beyond_the_largest_number_overflows(sign: int) -> None:
    f = FORMATS["float8_e4m3fn"]
    values = [Fraction(464), Fraction(464) + Fraction(1, 10**50), Fraction(10) ** 400]
    rounded = round_truth(truth_of(*[sign * v for v in values]), f)
    np.testing.assert_array_equal(rounded.nearest, [sign * 448.0, np.nan, np.nan])
    towards_zero = rounded.down if sign > 0 else rounded.up
    assert towards_zero.tolist() == [sign * 448.0] * 3
