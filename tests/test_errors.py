"""Errors and outcomes of computed values, on cases that can be worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest
from test_rounding import truth_of

from fpstudy.errors import Errors, score
from fpstudy.formats import FORMATS
from fpstudy.outcomes import NAMES
from fpstudy.truth import State, Truth

F16 = FORMATS["float16"]
TINY = Fraction(1, 10**60)


def special(value: float, state: State = State.DECIDED) -> Truth:
    zero = np.zeros(1)
    return Truth(
        np.array([value]), zero, zero.astype(np.int64), zero, np.array([state], dtype=np.uint8)
    )


def scored(y: float, t: Truth, dtype: str = "float16", infinite: bool = False) -> Errors:
    return score(np.array([y]), t, FORMATS[dtype], np.array([infinite]))


def outcome(y: float, t: Truth, dtype: str = "float16", infinite: bool = False) -> str:
    return NAMES[int(scored(y, t, dtype, infinite).outcome[0])]


ONE = truth_of(Fraction(1))
THIRD = truth_of(Fraction(1, 3))
NEXT = 1 + 2.0**-10


@pytest.mark.parametrize(
    ("y", "t", "dtype", "name"),
    [
        (np.nan, special(np.nan, State.UNDEFINED), "float16", "undefined"),
        (0.0, special(np.nan, State.UNDEFINED), "float16", "finite_for_undefined"),
        (1.0, special(np.nan, State.UNDECIDED), "float16", "undecided"),
        (np.inf, truth_of(Fraction(65520)), "float16", "honest_overflow"),
        (np.nan, truth_of(Fraction(465)), "float8_e4m3fn", "honest_overflow"),
        (np.nan, special(np.inf), "float8_e4m3fn", "honest_overflow"),
        (0.0, truth_of(Fraction(1, 2**26)), "float16", "honest_underflow"),
        (-0.0, truth_of(Fraction(1, 2**26)), "float16", "honest_underflow"),
        (1.0, ONE, "float16", "exact"),
        (0.0, truth_of(Fraction(0)), "float16", "exact"),
        (np.inf, special(np.inf), "float16", "exact"),
        (np.nan, ONE, "float16", "nan"),
        (np.nan, special(-np.inf), "float16", "nan"),
        (np.inf, ONE, "float16", "spurious_overflow"),
        (-np.inf, truth_of(Fraction(65519)), "float16", "spurious_overflow"),
        (0.0, ONE, "float16", "spurious_underflow"),
        (0.0, truth_of(Fraction(1, 2**24)), "float16", "spurious_underflow"),
        (65504.0, truth_of(Fraction(65520)), "float16", "missed_overflow"),
        (448.0, truth_of(Fraction(465)), "float8_e4m3fn", "missed_overflow"),
        (1.0, special(np.inf), "float16", "missed_overflow"),
        (-np.inf, special(np.inf), "float16", "wrong_sign"),
        (1.0, truth_of(1 + TINY), "float16", "correctly_rounded"),
        (NEXT, truth_of(1 + TINY), "float16", "faithful"),
        (1 - 2.0**-11, truth_of(1 - TINY), "float16", "faithful"),
        # half an ulp of 1 away, and yet not the number nearest to 1
        (1 - 2.0**-11, ONE, "float16", "accurate"),
        # within the tolerance, but on the other side of 0
        (-(2.0**-24), truth_of(Fraction(2, 2**24)), "float16", "wrong_sign"),
        (-1.0, ONE, "float16", "wrong_sign"),
        (1 + 4 * 2.0**-10, ONE, "float16", "accurate"),
        (1 + 5 * 2.0**-10, ONE, "float16", "inaccurate"),
        (2.0**-24, truth_of(Fraction(0)), "float16", "accurate"),
        (1.0, truth_of(Fraction(0)), "float16", "inaccurate"),
    ],
)
def test_outcome(y: float, t: Truth, dtype: str, name: str) -> None:
    assert outcome(y, t, dtype) == name


def test_nan_at_infinite_inputs_is_told_apart() -> None:
    assert outcome(np.nan, ONE, infinite=True) == "nan_where_limit_exists"


def test_the_tolerance_is_the_study_s() -> None:
    y = np.array([1 + 5 * 2.0**-10])
    errors = score(y, ONE, F16, np.array([False]), tolerance=5.0)
    assert NAMES[int(errors.outcome[0])] == "accurate"


@pytest.mark.parametrize("f", FORMATS.values(), ids=lambda f: f.name)
def test_errors_of_a_neighbour(f: object) -> None:
    """One ulp above 1 is an error of 1 ulp, 2 u, and one bit lost of log2(2 * 1)."""
    errors = scored(1 + 2.0 ** (1 - f.precision), ONE, f.name)
    assert errors.ulps[0] == 1
    assert errors.relative[0] == 2 * f.unit_roundoff
    assert errors.bits[0] == f.precision - 1
    assert errors.normwise[0] == 2 * f.unit_roundoff


def test_the_ulp_is_that_of_the_exact_value_not_of_the_computed_one() -> None:
    """Below 1 the ulp is half of that above: 1 scores half an ulp of t = 1 - 2**-12."""
    errors = scored(1.0, truth_of(1 - Fraction(1, 2**12)))
    assert errors.ulps[0] == 0.5
    errors = scored(1.0, truth_of(1 - TINY))
    assert 0 < errors.ulps[0] < 2.0**-25


def test_the_error_is_against_the_unrounded_value() -> None:
    t = Fraction(1, 3)
    y = float(np.float16(1 / 3))
    exact = abs(Fraction(y) - t)
    errors = scored(y, THIRD)
    assert errors.relative[0] == pytest.approx(float(exact / t), rel=1e-12)
    assert errors.ulps[0] == pytest.approx(float(exact * 2**12), rel=1e-12)


def test_a_correctly_rounded_subnormal_scores_at_most_u() -> None:
    t = Fraction(5, 2) * Fraction(1, 2**24)  # a tie between subnormals
    errors = scored(2 * 2.0**-24, truth_of(t))
    assert errors.ulps[0] == 0.5
    assert errors.relative[0] == 0.5 * 2.0**-24 / 2.0**-14
    assert errors.relative[0] <= F16.unit_roundoff


def test_failures_have_infinite_errors_and_keep_no_bits() -> None:
    for y in (np.nan, np.inf):
        errors = scored(y, ONE)
        assert errors.ulps[0] == errors.relative[0] == errors.normwise[0] == np.inf
        assert errors.bits[0] == 0
    lost = scored(0.0, ONE)
    assert (lost.relative[0], lost.bits[0]) == (1, 0)


def test_where_there_is_no_value_there_is_no_error() -> None:
    for y, state in ((np.nan, State.UNDEFINED), (1.0, State.UNDECIDED)):
        errors = scored(y, special(np.nan, state))
        assert np.isnan(errors.ulps[0])
        assert np.isnan(errors.relative[0])
        assert np.isnan(errors.normwise[0])


def test_a_number_where_there_is_none_is_a_failure() -> None:
    errors = scored(1.0, special(np.nan, State.UNDEFINED))
    assert errors.ulps[0] == errors.relative[0] == errors.normwise[0] == np.inf
    assert errors.bits[0] == 0


def test_a_vector_with_an_undecided_component_has_no_normwise_error() -> None:
    t = truth_of(Fraction(1), Fraction(1))
    state = np.array([[State.DECIDED, State.UNDECIDED]], dtype=np.uint8)
    hi = np.array([[t.hi[0], np.nan]])
    row = Truth(hi, t.lo[None], t.exponent[None], t.radius[None], state)
    errors = score(np.array([[2.0, 1.0]]), row, F16, np.array([False]))
    assert np.isnan(errors.normwise[0])
    assert errors.relative[0, 0] == 1


def test_below_the_least_normal_number_an_error_is_relative_to_that() -> None:
    """Normwise too: an error of eta on a vector of zeros is eta / lambda."""
    t = truth_of(Fraction(0), Fraction(0))
    row = Truth(*(part[None] for part in (t.hi, t.lo, t.exponent, t.radius, t.state)))
    eta, least = F16.least_subnormal, F16.least_normal
    errors = score(np.array([[eta, 0.0]]), row, F16, np.array([False]))
    assert errors.normwise.tolist() == [eta / least]
    assert errors.relative[0, 0] == eta / least
    # at exactly 2**emin the value is normal, and so is its ulp
    at = scored(least + eta, truth_of(Fraction(least)))
    assert at.relative[0] == eta / least


def test_an_honest_overflow_scores_as_correct_rounding() -> None:
    errors = scored(np.inf, truth_of(Fraction(10) ** 6))
    assert (errors.ulps[0], errors.relative[0]) == (0.5, F16.unit_roundoff)
    assert errors.bits[0] == F16.precision


def test_a_flushed_subnormal_is_flagged() -> None:
    lost = scored(0.0, truth_of(Fraction(3, 2**24)))
    assert lost.flushed[0]
    assert (lost.ulps[0], lost.bits[0]) == (3, 0)  # three ulps off, and nothing kept
    assert not scored(0.0, truth_of(Fraction(3, 2**14))).flushed[0]


def test_normwise_error_is_over_the_vector() -> None:
    cells = [Fraction(1, 2), Fraction(1, 2**10), Fraction(0)]
    t = truth_of(*cells)
    row = Truth(*(part[None] for part in (t.hi, t.lo, t.exponent, t.radius, t.state)))
    y = np.array([[0.5, 2.0**-9, 0.0]])
    errors = score(y, row, FORMATS["float32"], np.array([False]))
    assert errors.normwise.tolist() == [2.0**-9]
    assert errors.relative[0].tolist() == [0, 1, 0]


def test_unlike_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="against a truth of"):
        score(np.zeros(2), ONE, F16, np.array([False]))
