"""The summary of a record made by hand: worst samples, medians with failures, counts."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from fpstudy import record
from fpstudy.cases import Case, Demand, Draw
from fpstudy.divergences import SIZES, diverge, targets
from fpstudy.errors import score_samples
from fpstudy.formats import FORMATS, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.summary import summarize
from fpstudy.truth import State, Truth, enclose
from fpstudy.yardstick import Yardsticks

F = FORMATS["float16"]
DRAW = Draw(0, "explicit[0]", 3, 1.0, 0.0, 0.0, 1, 3, "shared", (F,), (0.0, 1.0, 2.0))
DEMAND = Demand(DRAW, "softmax", None, None, "", "", None, "", 0.0, -100)
CASE = Case(DEMAND, "shifted", F, "numpy", "native", 4.0)
X = np.array([[0.0, 1.0, 2.0], [0.5, 0.25, -1.0], [3.0, 0.0, 0.0]])


def rows(y: np.ndarray, t: Truth, tolerance: float = 4.0) -> pa.Table:
    return rows_of(7, X, y, t, F, np.array([0, 1, 0]), tolerance)


def rows_of(
    number: int, x: np.ndarray, y: np.ndarray, t: Truth, f: Format, broken: np.ndarray,
    tolerance: float = 4.0,
) -> pa.Table:  # fmt: skip
    infinite = np.isinf(x).any(axis=1)
    errors = score_samples(y, Yardsticks(t, f), infinite, tolerance)
    of_distribution = diverge(y, targets(t)) if y.ndim == 2 else None
    columns = record.rows_of_errors(number, CASE, x, y, t, errors, broken, of_distribution)
    return record.table([columns])


@pytest.fixture
def right() -> tuple[np.ndarray, Truth]:
    from fpstudy.rounding import round_truth

    t = enclose(PROBLEMS["softmax"], Inputs(X))
    return round_truth(t, F).nearest, t


def test_the_worst_component_of_the_worst_sample_is_found(right: tuple[np.ndarray, Truth]) -> None:
    """Sample 1 is off by 8 ulps in component 2, sample 2 by 3 in component 1."""
    y, t = right
    y = y.copy()
    y[1, 2] += 8 * 2.0 ** F.quantum(y[1, 2])
    y[2, 1] += 3 * 2.0 ** F.quantum(y[2, 1])
    table = rows(y, t).to_pandas()
    assert table["worst_component"].tolist()[1:] == [2, 1]
    assert table["worst_computed"][1] == y[1, 2]
    assert table["worst_exact"][1] == t.hi[1, 2] * 2.0 ** t.exponent[1, 2]
    written = " ".join(float(v).hex() for v in X[1])
    assert table["worst_input"].tolist() == ["", written, *[""] * (len(X) - 2)]
    assert table["worst_outcome"].tolist()[1:] == ["inaccurate", "accurate"]
    (summary,) = summarize(table).to_dict("records")
    assert 7.5 <= summary["ulp_error_max"] <= 8.5
    assert 2.5 <= summary["ulp_error_median"] <= 3.5
    for name in ("ulp_error", "relative_error", "normwise_error"):
        assert summary[f"{name}_max"] == table[name][1] == table[name].max()
    assert summary["relative_error_median"] == table["relative_error"][2]
    assert summary["bits_kept_min"] == table["bits_kept"][1] == table["bits_kept"].min()
    assert summary["bits_kept_min"] == pytest.approx(11 - np.log2(2 * summary["ulp_error_max"]))
    assert (summary["inaccurate"], summary["accurate"], summary["components"]) == (1, 1, 9)
    assert summary["bound_broken"] == 1


def test_the_tolerance_decides_what_is_accurate(right: tuple[np.ndarray, Truth]) -> None:
    y, t = right
    y = y.copy()
    y[1, 2] += 8 * 2.0 ** F.quantum(y[1, 2])
    assert summarize(rows(y, t, tolerance=9.0).to_pandas())["accurate"].tolist() == [1]


@pytest.mark.parametrize(
    ("failing", "median", "largest"),
    [(0, "finite", "finite"), (1, "finite", "inf"), (2, "inf", "inf"), (3, "inf", "inf")],
)
def test_failures_are_infinite_in_medians_and_maxima(
    right: tuple[np.ndarray, Truth], failing: int, median: str, largest: str
) -> None:
    y, t = right
    y = y.copy()
    y[:failing, 1] = np.nan
    (summary,) = summarize(rows(y, t).to_pandas()).to_dict("records")
    assert np.isinf(summary["relative_error_median"]) == (median == "inf")
    assert np.isinf(summary["relative_error_max"]) == (largest == "inf")
    assert summary["nan"] == failing


def test_undecided_and_undefined_components_are_counted_and_not_measured(
    right: tuple[np.ndarray, Truth],
) -> None:
    y, t = right
    state = t.state.copy()
    state[0, 1], state[1] = 1, 2
    hi = np.where(state == 0, t.hi, np.nan)
    y = y.copy()
    y[1] = np.nan
    (summary,) = summarize(rows(y, replace(t, hi=hi, state=state)).to_pandas()).to_dict("records")
    assert (summary["undecided"], summary["undefined"]) == (1, 3)
    assert np.isfinite(summary["relative_error_max"])


def test_a_case_without_any_error_keeps_its_row(right: tuple[np.ndarray, Truth]) -> None:
    _, t = right
    nothing = replace(t, hi=t.hi * np.nan, state=np.full_like(t.state, State.UNDEFINED))
    (summary,) = summarize(rows(t.hi * np.nan, nothing).to_pandas()).to_dict("records")
    assert summary["undefined"] == summary["components"] == t.hi.size
    assert np.isnan([summary["relative_error_max"], summary["relative_error_median"]]).all()


def test_outcomes_that_do_not_add_up_are_a_defect(right: tuple[np.ndarray, Truth]) -> None:
    table = rows(*right).to_pandas()
    table.loc[0, "exact"] += 1
    with pytest.raises(AssertionError, match="do not add up"):
        summarize(table)


def test_divergences_are_the_largest_and_flips_are_counted(right: tuple[np.ndarray, Truth]) -> None:
    """Sample 0 has its classes in reverse, sample 2 loses its tail."""
    y, t = right
    y = y.copy()
    y[0] = y[0, ::-1]
    y[2, 1:] = 0
    table = rows(y, t).to_pandas()
    assert table["top1_flip"].tolist() == [1, 0, 0]
    exact = t.hi * 2.0**t.exponent
    variation = np.abs(y - exact).sum(axis=1) / 2
    np.testing.assert_allclose(table["total_variation"], variation, rtol=1e-12)
    np.testing.assert_allclose(table["mass_lost"], [0, 0, exact[2, 1:].sum()], rtol=1e-12)
    (summary,) = summarize(table).to_dict("records")
    assert summary["top1_flips"] == 1
    for size in SIZES:
        assert summary[f"{size}_max"] == table[size].max() > 0


def test_a_sample_without_an_exact_value_has_no_divergence(right: tuple[np.ndarray, Truth]) -> None:
    y, t = right
    state = t.state.copy()
    state[0, 1] = 1
    unknown = replace(t, hi=np.where(state == 0, t.hi, np.nan), state=state)
    table = rows(y, unknown).to_pandas()
    assert table[list(SIZES)].isna().all(axis=1).tolist() == [True, False, False]
    (summary,) = summarize(table).to_dict("records")
    assert (summary["top1_flips"], np.isfinite(summary["kl_divergence_max"])) == (0, True)
    none = rows(y, replace(unknown, state=np.ones_like(state), hi=np.full_like(t.hi, np.nan)))
    found = summarize(none.to_pandas())
    assert found[["top1_flips", *(f"{size}_max" for size in SIZES)]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("problem", "logits", "text"),
    [
        ("softmax", [0.0, -1e13], "0 < t < 2**-2**40"),
        ("softmax", [0.0, -2000.0], "0."),
        ("log_softmax", [0.0, -1.0], "-1.3132616875182228"),
    ],
)
def test_exact_values_are_shown_whatever_their_size(
    problem: str, logits: list[float], text: str
) -> None:
    x = np.array([logits])
    t = enclose(PROBLEMS[problem], Inputs(x))
    table = rows_of(0, x, np.array([[0.0, 1.0]]), t, F, np.zeros(1, int))
    shown = record.exact_text(table["worst_exact"][0].as_py(), table["worst_exponent"][0].as_py())
    assert shown.startswith(text)
    if text == "0.":  # exp(-2000) = 2**(-2000 / log 2)
        mantissa, exponent = shown.split(" * 2**")
        assert np.log2(float(mantissa)) + int(exponent) == pytest.approx(-2000 / np.log(2))


def test_a_value_beyond_float64_is_shown_with_its_exponent() -> None:
    x, q = np.array([[1e308, -1e308]]), np.array([[0.0, 2.0**1000]])
    t = enclose(PROBLEMS["cross_entropy"], Inputs(x, q))
    table = rows_of(0, x, np.array([np.inf]), t, FORMATS["float64"], np.zeros(1, int))
    shown = record.exact_text(table["worst_exact"][0].as_py(), table["worst_exponent"][0].as_py())
    mantissa, exponent = shown.split(" * 2**")
    assert float(mantissa) * 2.0 ** (int(exponent) - 1025) == pytest.approx(1e308 / 2**24)
