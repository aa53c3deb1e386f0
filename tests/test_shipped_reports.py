"""The committed reports show what their studies are for; figures with room for other processors."""

import json
from pathlib import Path

import pandas as pd
import pytest

from fpstudy.flow import study_hash
from fpstudy.formats import FORMATS
from fpstudy.report import write_index
from fpstudy.study import load
from fpstudy.summary import read_csv

REPORTS = Path(__file__).parent.parent / "reports"


def cases(study: str, **where: object) -> pd.DataFrame:
    """The rows of a report's summary with these values; there are some."""
    table = read_csv(REPORTS / study / "summary.csv")
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table)
    return table


def error(study: str, **where: object) -> float:
    """The largest relative error among them."""
    return float(cases(study, **where)["relative_error_max"].max())


@pytest.mark.parametrize(("dtype", "standstill"), [("bfloat16", 256), ("float16", 2048)])
def test_a_sequential_sum_of_equal_terms_is_exact_and_then_stands_still(
    dtype: str, standstill: int
) -> None:
    where = {"problem": "softmax", "distribution": "equal", "accumulation": "sequential"}
    table = cases("accumulators", dtype=dtype, **where)
    stands = table["n"] > standstill
    assert stands.any() and not stands.all()
    assert (table["relative_error_max"][~stands] == 0).all()
    assert (table["relative_error_max"] == (table["n"] / standstill - 1).clip(lower=0)).all()


def test_neumaiers_compensation_stagnates_in_bfloat16_at_8192_and_kahans_does_not() -> None:
    where = {"problem": "softmax", "distribution": "normal", "dtype": "bfloat16", "n": 8192}
    found = {
        order: error("accumulators", accumulation=order, **where)
        for order in ("sequential", "neumaier", "kahan", "exact")
    }
    assert found["sequential"] > found["neumaier"] > 3
    assert found["kahan"] == found["exact"] < 5 * FORMATS["bfloat16"].unit_roundoff


def test_tf32_stands_still_as_float16_does_but_does_not_overflow_and_float32_sums_cure_it() -> None:
    where = {"problem": "logsumexp", "distribution": "equal", "n": 131072}
    pairwise = {"accumulation": "pairwise"} | where
    assert cases("accumulators", dtype="float16", **pairwise)["spurious_overflow"].sum() == 1
    assert error("accumulators", dtype="tf32", **pairwise) < 2.0**-11
    where |= {"dtype": "tf32"}
    assert error("accumulators", accumulation="sequential", **where) > 0.3
    assert error("accumulators", accumulation="sequential:float32", **where) < 2.0**-11


@pytest.mark.parametrize(
    ("dtype", "jax_ulps", "torch_ulps"), [("float16", 9.6, 500), ("bfloat16", 18.7, 100)]
)
def test_torch_rounds_softmax_once_its_log_softmax_and_jaxs_softmax_often(
    dtype: str, jax_ulps: float, torch_ulps: float
) -> None:
    where = {"dtype": dtype, "distribution": "uniform"}
    softmax = cases("libraries", problem="softmax", arithmetic="torch", **where)
    right = softmax[["exact", "correctly_rounded", "honest_underflow"]].sum().sum()
    assert 0.9995 < right / softmax["components"].sum() <= 1
    assert softmax["ulp_error_max"].max() < 0.501
    log_softmax = cases("libraries", problem="log_softmax", arithmetic="torch", **where)
    assert log_softmax["ulp_error_max"].max() > torch_ulps
    jax = cases("libraries", problem="softmax", arithmetic="jax", **where)["ulp_error_max"].max()
    assert jax == pytest.approx(jax_ulps, rel=0.1)


@pytest.mark.parametrize(("dtype", "count"), [("float32", 8), ("bfloat16", 3)])
def test_jax_takes_a_subnormal_probability_for_zero(dtype: str, count: int) -> None:
    where = {"dtype": dtype, "distribution": "two_point"}
    lost = {
        name: cases("libraries", arithmetic=name, **where)["flushed_subnormal"].sum()
        for name in ("numpy", "torch", "jax")
    }
    assert lost == {"numpy": 0, "torch": 0, "jax": count}


def test_65536_equal_float16_logits_overflow_in_scipy_jax_and_torch() -> None:
    where = {"dtype": "float16", "formula": "library"}
    for problem in ("logsumexp", "log_softmax"):
        for library in ("numpy", "torch", "jax"):
            table = cases("vocabulary", problem=problem, arithmetic=library, **where)
            assert (table["spurious_overflow"] > 0).equals(table["n"] >= 65536)
    right = cases("vocabulary", problem="softmax", arithmetic="torch", **where)
    assert (right["ulp_error_max"] <= 0.5).all()


@pytest.mark.parametrize("study", sorted(path.name for path in REPORTS.iterdir() if path.is_dir()))
def test_nothing_crashed_or_stayed_undecided(study: str) -> None:
    table = cases(study)
    assert table[["crashed", "timeout", "bad_output", "undecided"]].sum().sum() == 0


def test_the_reference_is_the_one_that_the_reports_give(tmp_path: Path) -> None:
    for report in REPORTS.glob("*/summary.csv"):
        copy = tmp_path / report.parent.name
        copy.mkdir()
        for name in ("summary.csv", "manifest.json"):
            (copy / name).write_bytes((report.parent / name).read_bytes())
    write_index(tmp_path)
    committed = (REPORTS / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == committed


def test_every_study_has_its_report() -> None:
    studies = {path.stem for path in (REPORTS.parent / "experiments").glob("*.toml")}
    reports = {path.name for path in REPORTS.iterdir() if path.is_dir()}
    assert studies == reports


def test_every_report_is_of_its_study_as_it_stands() -> None:
    for path in sorted((REPORTS.parent / "experiments").glob("*.toml")):
        manifest = json.loads((REPORTS / path.stem / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["study_hash"] == study_hash(load(path)), path.name
