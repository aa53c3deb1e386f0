"""Truths against algebra, against limits, and against themselves at another precision."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpstudy.formats import FORMATS
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.rounding import round_truth
from fpstudy.truth import ENGINES, State, Truth, enclose, spread

INF = math.inf


def truth(
    name: str, x: object, q: object = None, engine: str = "double_double", **parameters: float
) -> Truth:
    rows = np.atleast_2d(np.asarray(x, dtype=float))
    labels = None if q is None else np.atleast_2d(np.asarray(q, dtype=float))
    return enclose(PROBLEMS[name], Inputs(rows, labels, parameters), engine)


def floats(t: Truth) -> list[float]:
    """The values as float64, nearest but for double rounding; NaN where there is none."""
    with np.errstate(invalid="ignore"):
        return np.ldexp(t.hi + t.lo, np.clip(t.exponent, -2000, 2000)).ravel().tolist()


@pytest.mark.parametrize(
    ("name", "x", "q", "value"),
    [
        # one finite entry: exact
        ("logsumexp", [3.25], None, [3.25]),
        ("softmax", [3.25], None, [1]),
        ("log_softmax", [3.25], None, [0]),
        ("cross_entropy", [3.25], [1], [0]),
        ("cross_entropy_gradient", [3.25], [1], [0]),
        # masked entries have no weight
        ("logsumexp", [-INF, 2], None, [2]),
        ("softmax", [-INF, 2], None, [0, 1]),
        ("log_softmax", [-INF, 2], None, [-INF, 0]),
        ("cross_entropy", [-INF, 2], [0, 1], [0]),
        ("cross_entropy", [-INF, 2], [1, 0], [INF]),
        ("cross_entropy", [-INF, 2], [0.5, 0.5], [INF]),
        ("cross_entropy_gradient", [-INF, 2], [1, 0], [-1, 1]),
        # all masked
        ("logsumexp", [-INF, -INF], None, [-INF]),
        ("softmax", [-INF, -INF], None, [math.nan, math.nan]),
        ("log_softmax", [-INF, -INF], None, [math.nan, math.nan]),
        ("cross_entropy", [-INF, -INF], [1, 0], [math.nan]),
        # one infinite logit: the one-hot limit; two: none
        ("logsumexp", [INF, 2], None, [INF]),
        ("logsumexp", [INF, INF], None, [INF]),
        ("softmax", [0, INF], None, [0, 1]),
        ("softmax", [-INF, INF], None, [0, 1]),
        ("log_softmax", [0, INF], None, [-INF, 0]),
        ("cross_entropy", [0, INF], [0, 1], [0]),
        ("cross_entropy", [0, INF], [1, 0], [INF]),
        ("cross_entropy_gradient", [0, INF], [1, 0], [-1, 1]),
        ("softmax", [INF, INF], None, [math.nan, math.nan]),
        # NaN goes through
        ("logsumexp", [math.nan, 1], None, [math.nan]),
        ("softmax", [math.nan, 1], None, [math.nan, math.nan]),
        # equal logits
        ("softmax", [7] * 4, None, [0.25] * 4),
        ("cross_entropy_gradient", [5, 5, 5], [1, 1, 1], [0, 0, 0]),
        ("cross_entropy_gradient", [5, 5], [0.25, 0.75], [0.25, -0.25]),
    ],
)
def test_special_values(name: str, x: list, q: list | None, value: list[float]) -> None:
    t = truth(name, x, q)
    np.testing.assert_array_equal(floats(t), value)
    finite = np.isfinite(value)
    assert (t.radius.ravel()[finite] == 0).all()
    undefined = np.isnan(value)
    assert ((t.state.ravel() == State.UNDEFINED) == undefined).all()


@pytest.mark.parametrize(
    ("x", "parameters", "value"),
    [
        ([1, 0, 0], {"base": 2.0}, ["1/2", "1/4", "1/4"]),
        ([1, 0], {"base": 3.0}, ["3/4", "1/4"]),
        ([-1, 0], {"base": 3.0}, ["1/4", "3/4"]),
        ([1, 0], {"base": 0.25}, ["1/5", "4/5"]),
        ([0.5, 0], {"base": 9.0}, ["3/4", "1/4"]),
        ([0.25, 0], {"base": 16.0}, ["2/3", "1/3"]),
        ([0.5, 0], {"base": 2.25}, ["3/5", "2/5"]),
        ([4, -INF, 4], {"base": 2.0}, ["1/2", "0", "1/2"]),
        ([5, 3, 1], {"base": 1.0}, ["1/3", "1/3", "1/3"]),
        ([5, 3], {"beta": 0.0}, ["1/2", "1/2"]),
        ([5, 3, 5], {"beta": INF}, ["1/2", "0", "1/2"]),
        ([5, 3, 5], {"beta": -INF}, ["0", "1", "0"]),
        ([5, -INF, INF], {"beta": -INF}, ["0", "1", "0"]),
        ([5, -INF], {"beta": -2.0}, ["0", "1"]),
        ([5, -INF], {"base": 0.5}, ["0", "1"]),
        ([5, INF], {"beta": -2.0}, ["1", "0"]),
        ([5, INF], {"beta": 0.0}, ["1/2", "1/2"]),
    ],
)
def test_rational_softmax(x: list[float], parameters: dict, value: list[str]) -> None:
    t = truth("softmax", x, **parameters)
    for hi, lo, exponent, radius, text in zip(
        t.hi[0], t.lo[0], t.exponent[0], t.radius[0], value, strict=True
    ):
        two = Fraction(2) ** int(exponent)
        distance = abs((Fraction(hi) + Fraction(lo)) * two - Fraction(text))
        assert distance <= Fraction(radius) * two
        if Fraction(text).denominator.bit_count() == 1:
            assert radius == 0


@pytest.mark.parametrize("name", PROBLEMS)
def test_equal_logits_of_float8_are_an_exact_tie(name: str) -> None:
    """1/1024 is half the least e4m3fn subnormal: only an exact value decides it."""
    t = truth(name, np.full(1024, 3.0), np.full(1024, 2.0**-10) if PROBLEMS[name].labels else None)
    assert (t.state == State.DECIDED).all()
    if name == "softmax":
        assert (t.radius == 0).all()
        assert set(floats(t)) == {2.0**-10}


@pytest.mark.parametrize(
    ("name", "x", "q", "sign", "near"),
    [
        ("logsumexp", [20_000, 0], None, 1, 20_000),
        ("log_softmax", [30_000, 0], None, -1, -30_000),
        ("cross_entropy", [0, 2049], [1, 0], 1, 2049),
        ("cross_entropy_gradient", [1000, 0], [0.5, 0.5], -1, 0.5),
        ("softmax", [1e300, 0], None, -1, 1),
    ],
)
def test_a_tiny_tail_decides_the_side(
    name: str, x: list, q: list | None, sign: int, near: float
) -> None:
    """The value is a number of the format plus e**-gap: its lo has the tail's sign."""
    t = truth(name, x, q)
    values = floats(t)
    j = values.index(near)
    assert np.sign(t.lo.ravel()[j]) == sign
    assert t.radius.ravel()[j] > 0


def test_a_confident_target_keeps_its_loss() -> None:
    """-log p = log1p(e**-20000) = e**-20000 to thousands of digits."""
    t = truth("cross_entropy", [20_000, 0], [1, 0])
    assert t.exponent[0] == math.ceil(-20_000 / math.log(2))
    assert t.state[0] == State.DECIDED


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_the_engines_agree(name: str, scale: float) -> None:
    rng = np.random.default_rng(3)
    x, q = scale * rng.standard_normal((3, 5)), rng.random((3, 5))
    labels = q if PROBLEMS[name].labels else None
    proven, witness = truth(name, x, labels), truth(name, x, labels, "mpmath")
    np.testing.assert_array_equal(proven.hi, witness.hi)
    np.testing.assert_array_equal(proven.exponent, witness.exponent)
    assert (np.abs(proven.lo - witness.lo) <= proven.radius + witness.radius).all()
    for f in FORMATS.values():
        for side in ("nearest", "down", "up", "exact"):
            np.testing.assert_array_equal(
                getattr(round_truth(proven, f), side), getattr(round_truth(witness, f), side)
            )


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_softmax_sums_to_one_and_log_sum_exp_lies_between_its_bounds(x: list[float]) -> None:
    p = truth("softmax", x)
    assert sum(floats(p)) == pytest.approx(1, abs=1e-15)
    y, m = floats(truth("logsumexp", x))[0], max(x)
    assert m <= y <= m + math.log(len(x)) + 2 * math.ulp(max(abs(m), math.log(len(x))))


def test_a_precision_that_does_not_suffice_says_undecided() -> None:
    x, q = np.array([[2.0, -1.0, 0.5]]), np.array([[0.3, 0.3, 0.4]])
    inputs = Inputs(x, q)
    t = enclose(PROBLEMS["cross_entropy_gradient"], inputs, "arb", cap_bits=64)
    assert (t.state == State.UNDECIDED).all()
    assert np.isnan(t.hi).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_every_entry_that_ties_with_the_largest_counts(engine: str) -> None:
    x = [3.0, 1.0, 3.0, 3.0]
    excess = math.log(3 + math.exp(-2))
    assert floats(truth("logsumexp", x, engine=engine)) == pytest.approx([3 + excess], rel=1e-15)
    loss = floats(truth("cross_entropy", x, [1, 0, 0, 0], engine))
    assert loss == pytest.approx([excess], rel=1e-15)
    likely = floats(truth("softmax", x, engine=engine))[0]
    assert likely == pytest.approx(math.exp(-excess), rel=1e-15)


@pytest.mark.parametrize(
    ("parameters", "rate"), [({}, 1), ({"beta": -2.5}, -2.5), ({"base": 10.0}, math.log(10))]
)
def test_the_rate_is_what_an_exponent_to_base_e_is_multiplied_by(
    parameters: dict, rate: float
) -> None:
    """b**x = e**(x log b), and it bounds what a truth's weights range over."""
    inputs = Inputs(np.array([[3.0, 1.0]]), None, parameters)
    assert inputs.rate == rate
    assert spread(inputs) == abs(2 * rate)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="no engine 'exact'; known: double_double, arb, mpmath"):
        enclose(PROBLEMS["softmax"], Inputs(np.zeros((1, 2))), "exact")
    assert set(ENGINES) == {"double_double", "arb", "mpmath"}


def test_a_truth_does_not_depend_on_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((40, 9)) * 100
    whole = truth("log_softmax", x)
    monkeypatch.setattr("fpstudy.truth.BLOCK", 20)
    parts = truth("log_softmax", x)
    one = truth("log_softmax", x[7])
    for field in ("hi", "lo", "exponent", "radius", "state"):
        np.testing.assert_array_equal(getattr(whole, field), getattr(parts, field))
        np.testing.assert_array_equal(getattr(whole, field)[7:8], getattr(one, field))


def batch(reduction: str, counted: list[bool]) -> float:
    x = np.array([[[1.0, 2.0], [0.0, 0.0], [5.0, -1.0]]])
    q = np.array([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]])
    inputs = Inputs(x, q, {}, np.array([counted]), reduction)
    return floats(enclose(PROBLEMS["cross_entropy"], inputs))[0]


def test_a_batch_loss_counts_the_rows_that_are_not_ignored() -> None:
    rows = [math.log1p(math.e), math.log(2), math.log1p(math.exp(-6))]
    assert batch("sum", [True] * 3) == pytest.approx(sum(rows), rel=1e-15)
    assert batch("mean", [True] * 3) == pytest.approx(sum(rows) / 3, rel=1e-15)
    assert batch("mean", [True, False, True]) == pytest.approx((rows[0] + rows[2]) / 2, rel=1e-15)
    assert batch("sum", [False] * 3) == 0
    assert math.isnan(batch("mean", [False] * 3))
