"""Whole runs: counts add up, jobs and repetition change nothing, failures are recorded."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fpstudy
from fpstudy import flow, record, recorded, tasks
from fpstudy.cases import AXES, expand
from fpstudy.damage import DamagedError
from fpstudy.divergences import SIZES
from fpstudy.execution import origin
from fpstudy.formats import FORMATS
from fpstudy.outcomes import NAMES
from fpstudy.problems import PROBLEMS, Formula
from fpstudy.study import load
from fpstudy.summary import COLUMNS, SOURCES, read_csv, summarize, summarize_parts

STUDY = """
schema = 1
name = "small"
seed = 3

[defaults]
dtype = ["float16", "float32"]
samples = 4

[[sweep]]
problem = ["softmax", "logsumexp"]
n = [1, 5]
magnitude = [1, 1e3, 1e5]
offset = [0, -50]

[[sweep]]
problem = "softmax"
dtype = ["float8_e4m3fn", "float8_e5m2"]
n = 6
masked = [0.5, 1]

[[sweep]]
problem = "cross_entropy"
n = 5
labels = ["hard", "soft", [0.5, 0, 0.25, 0, 0.25]]
target = ["random", "argmax", 2]

[[sweep]]
problem = "cross_entropy"
n = 5
reduction = ["mean", "sum"]
batch = 6
ignored = [0, 0.5, 1]

[[sweep]]
problem = "softmax"
n = 4
beta = [0, 2, "inf"]

[[sweep]]
problem = ["cross_entropy_gradient", "log_softmax"]
distribution = "explicit"
vectors = [[1000, 0], ["0x1.8p-3", "-inf", 2]]
labels = "uniform"
inputs = "per_dtype"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "small.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def done(study: Path) -> flow.Run:
    return fpstudy.run(study, study.parent / "out", jobs=1)


def test_a_run_leaves_everything_a_reader_needs(done: flow.Run) -> None:
    names = {path.name for path in done.directory.iterdir()}
    assert names == {
        "record.parquet", "summary.csv", "manifest.json", "README.md", "index.html", "figures",
    }  # fmt: skip
    assert list((done.directory / "figures").glob("*.svg"))


def test_every_case_is_one_row_of_the_summary(done: flow.Run, study: Path) -> None:
    cases = expand(load(study))
    assert len(done.summary) == len(cases) == done.manifest["cases"]["total"]
    assert tuple(done.summary.columns) == COLUMNS
    asked = pd.DataFrame([case.axes for case in cases])
    pd.testing.assert_frame_equal(
        done.summary[list(AXES)], asked, check_dtype=False, check_index_type=False
    )


def test_outcomes_add_up_to_components_everywhere(done: flow.Run) -> None:
    for table in (done.summary, done.record):
        assert (table[list(NAMES)].sum(axis=1) == table["components"]).all()
    ran = done.summary[done.summary["skipped"] == 0]
    vector = ran["problem"].map(lambda name: PROBLEMS[name].vector)
    expected = ran["samples"] * np.where(vector, ran["n"] * ran["batch"], 1)
    assert (ran["components"] == expected).all()
    assert done.summary["components"].sum() == done.record["components"].sum()


def test_the_counts_of_the_manifest_are_those_of_the_tables(done: flow.Run) -> None:
    cases = done.manifest["cases"]
    skipped = int((done.summary["skipped"] > 0).sum())
    assert cases == {
        "total": len(done.summary), "run": len(done.summary) - skipped, "skipped": skipped,
        "crashed": 0,
    }  # fmt: skip
    witness = done.manifest["witness"]
    assert witness["agreed"] == witness["checked"] > 0
    assert done.manifest["undecided"] == 0
    left_out = witness["beyond_budget"] + witness["limits"]
    assert witness["checked"] + left_out <= done.manifest["truths"]
    assert done.failures == []


def test_what_a_dtype_cannot_hold_is_skipped_with_the_reason(done: flow.Run) -> None:
    skipped = done.summary[done.summary["skipped"] > 0]
    reasons = " ".join(sorted(set(skipped["reason"])))
    assert "beyond the largest float16, 65504" in reasons
    assert "float8_e4m3fn has no infinity" in reasons
    assert set(skipped["dtype"]) == {"float16", "float8_e4m3fn"}
    assert skipped["relative_error_max"].isna().all()
    assert (done.summary.loc[done.summary["reason"] == "", "skipped"] == 0).all()


def test_a_median_counts_a_failure_as_infinite(done: flow.Run) -> None:
    rows = done.summary.query(
        "problem == 'softmax' and formula == 'naive' and magnitude == 1000 and n == 5"
        " and dtype == 'float32' and offset == 0"
    )
    assert np.isinf(rows["relative_error_median"]).all()
    assert (rows["nan"] > 0).all()


def test_a_sample_without_a_value_has_no_error(done: flow.Run) -> None:
    rows = done.summary.query("masked == 1 and dtype == 'float8_e5m2'")
    assert (rows["undefined"] == rows["components"]).all()
    assert rows["relative_error_max"].isna().all()
    ignored = done.summary.query("ignored == 1 and reduction == 'mean' and formula == 'log1p'")
    assert (ignored["undefined"] == ignored["components"]).all()


def test_shared_inputs_are_the_same_bits_in_every_dtype(done: flow.Run) -> None:
    rows = done.record.query("problem == 'logsumexp' and formula == 'naive' and sample >= 0")
    rows = rows[(rows["magnitude"] == 1) & (rows["offset"] == 0) & (rows["n"] == 5)]
    # of correctly rounded log-sum-exps at the same bits, the exact values are the same
    exact = rows.groupby("sample")["worst_exact"].nunique()
    assert (exact == 1).all()
    assert rows["dtype"].nunique() == 2


def test_two_runs_and_any_number_of_jobs_give_the_same_bytes(
    done: flow.Run, study: Path, tmp_path: Path
) -> None:
    again = fpstudy.run(study, tmp_path / "again", jobs=2)
    for path in sorted(done.directory.rglob("*")):
        if path.suffix in (".csv", ".svg", ".parquet"):
            twin = again.directory / path.relative_to(done.directory)
            assert path.read_bytes() == twin.read_bytes(), path.name


def test_a_finished_record_is_kept_unless_it_is_damaged_or_fresh_is_asked(
    done: flow.Run, study: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    shutil.copytree(done.directory, folder)
    calls: list[int] = []
    said: list[str] = []

    def run(fresh: bool = False) -> bool:
        calls.clear()
        said.clear()
        found = fpstudy.run(
            study, folder, jobs=1, fresh=fresh, progress=lambda *_: calls.append(1),
            notice=said.append, figures=False,
        )  # fmt: skip
        assert found.kept is not bool(calls)
        return bool(calls)

    assert not run()
    assert run(fresh=True)
    damaged = bytearray((folder / "record.parquet").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / "record.parquet").write_bytes(damaged)
    assert run()
    assert said == [f"{folder / 'record.parquet'} is not as it was written: it is measured again"]
    assert not run()
    assert not said
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace('"crashed": 0', '"crashed": 1'))
    assert run()
    assert said == [f"{folder / 'manifest.json'} is not as it was written: it is measured again"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a name is of characters")
def test_a_folder_s_name_may_be_bytes_that_are_no_utf_8(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    monkeypatch.setattr("sys.argv", ["fpstudy", "run", str(study), "--out", str(folder)])
    new = fpstudy.run(study, folder, jobs=1, only={"dtype": "float8_e5m2"}, figures=False)
    assert new.manifest["command"].endswith("\\xff'")
    again = fpstudy.rebuild(folder, figures=False)
    pd.testing.assert_frame_equal(again.record, new.record)
    assert recorded.find(folder).samples(0)


def test_a_selection_gives_the_rows_of_the_whole(
    done: flow.Run, study: Path, tmp_path: Path
) -> None:
    part = fpstudy.run(study, tmp_path, jobs=1, only={"dtype": {"float16"}}, figures=False)
    whole = done.summary[done.summary["dtype"] == "float16"].reset_index(drop=True)
    pd.testing.assert_frame_equal(part.summary, whole)
    assert part.manifest["only"] == {"dtype": ["float16"]}
    again = fpstudy.run(study, tmp_path, jobs=1, only={"dtype": "float16"}, figures=False)
    assert again.manifest["duration_seconds"] == part.manifest["duration_seconds"]  # not measured
    name = flow.default_directory(load(study), {"dtype": {"float16"}})
    assert name == Path("reports/small.dtype=float16")


def test_distributions_have_divergences_and_other_results_have_none(done: flow.Run) -> None:
    """A sample has all four sizes or none; what flips has them, and the counts are the record's."""
    sizes, record, summary = list(SIZES), done.record, done.summary
    measured = record[sizes].notna()
    assert (measured.all(axis=1) == measured.any(axis=1)).all()
    known = (record["sample"] >= 0) & (record["undefined"] + record["finite_for_undefined"] == 0)
    pd.testing.assert_series_equal(
        measured.all(axis=1), known & (record["problem"] == "softmax"), check_names=False
    )
    assert record["top1_flip"].isin([0, 1]).all()
    assert measured.loc[record["top1_flip"] == 1].all(axis=None)
    failed = (record[["nan", "spurious_overflow"]].sum(axis=1) > 0) & measured.all(axis=1)
    assert failed.any()
    assert np.isinf(record.loc[failed, sizes]).all(axis=None)
    assert (record.loc[failed, "top1_flip"] == 1).all()
    flips = record.groupby("case")["top1_flip"].sum()
    assert 0 < flips.sum() == summary["top1_flips"].sum()
    assert (summary["top1_flips"].fillna(0) == flips).all()
    assert (summary["top1_flips"].fillna(0) <= summary["samples"]).all()
    assert (summary["top1_flips"].isna() == summary["sum_error_max"].isna()).all()
    assert summary.loc[summary["problem"] != "softmax", "top1_flips"].isna().all()


@pytest.mark.parametrize("schema", [1, "none"])
def test_a_record_of_other_columns_is_to_be_measured_again(
    done: flow.Run, tmp_path: Path, schema: object
) -> None:
    folder = tmp_path / "old"
    shutil.copytree(done.directory, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"schema": schema}))
    with pytest.raises(
        DamagedError, match=f"schema {schema!r}, .* those of 2; run the study again"
    ):
        fpstudy.rebuild(folder)


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ({"dtyp": "float16"}, "only: no column 'dtyp' - did you mean dtype?"),
        ({"colour": "red"}, "only: no column 'colour'; there are problem, formula,"),
        ({"dtype": "float1"}, "only: no case of .* has all of {'dtype': 'float1'}"),
        ({"n": []}, "only: no case"),
    ],
)
def test_a_selection_of_nothing_is_refused(
    study: Path, tmp_path: Path, only: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        fpstudy.run(study, tmp_path / "none", only=only)
    assert not (tmp_path / "none").exists()


def test_a_selection_of_numbers_may_be_numbers(study: Path) -> None:
    sizes = {case.axes["n"] for case in expand(load(study))}
    plan = fpstudy.plan(study, only={"n": max(sizes)})
    assert plan.cases == fpstudy.plan(study, only={"n": {str(max(sizes))}}).cases > 0
    assert fpstudy.plan(study, only={"n": sizes}).cases == fpstudy.plan(study).cases


def test_a_rebuilt_report_is_the_same(done: flow.Run) -> None:
    before = {p: p.read_bytes() for p in done.directory.rglob("*") if p.is_file()}
    for path in before:
        if path.suffix in (".svg", ".csv", ".html"):
            path.unlink()
    fpstudy.rebuild(done.directory)
    assert {p: p.read_bytes() for p in done.directory.rglob("*") if p.is_file()} == before


def test_a_report_without_figures_says_so_and_needs_no_matplotlib(
    done: flow.Run, tmp_path: Path
) -> None:
    folder = tmp_path / "undrawn"
    shutil.copytree(done.directory, folder)
    assert list(folder.glob("figures/*.svg"))
    script = (
        f"import sys, fpstudy\nfpstudy.rebuild({str(folder)!r}, figures=False)\n"
        "print('matplotlib' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout == "False\n", ran.stderr
    assert not list(folder.glob("figures/*.svg"))
    for page in ("README.md", "index.html"):
        assert "The figures were not drawn" in (folder / page).read_text()
        assert "The figures were not drawn" not in (done.directory / page).read_text()
    fpstudy.rebuild(folder)
    for path in done.directory.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (folder / path.relative_to(done.directory)).read_bytes()


def test_the_parts_of_a_record_hold_whole_cases(
    done: flow.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "GROUP", 100)
    path = done.directory / "record.parquet"
    parts = list(record.parts(path, ["case", "sample"]))
    assert len(parts) > 2
    seen = [set(part["case"]) for part in parts]
    assert sum(map(len, seen)) == len(set.union(*seen)) == len(done.summary)
    whole = record.read(path)[["case", "sample"]]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    summary = summarize_parts(record.parts(path, SOURCES))
    pd.testing.assert_frame_equal(summary, summarize(done.record))


def raises(xp: object, x: np.ndarray, *, axis: int = -1) -> np.ndarray:
    raise RuntimeError("no kernel")


def widens(xp: object, x: np.ndarray, *, axis: int = -1) -> np.ndarray:
    return np.asarray(x, dtype=np.float64)


def flattens(xp: object, x: np.ndarray, *, axis: int = -1) -> np.ndarray:
    return x.ravel()


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        (raises, "crashed", "RuntimeError: no kernel"),
        (widens, "bad_output", "returned float64, not float16"),
        (flattens, "bad_output", "returned shape"),
    ],
)
def test_a_faulty_formula_is_an_outcome_and_the_rest_is_measured(
    text: Callable, outcome: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    softmax = PROBLEMS["softmax"]
    formulas = {"shifted": softmax.formulas["shifted"], "naive": Formula(text)}
    monkeypatch.setitem(PROBLEMS, "softmax", replace(softmax, formulas=formulas))
    path = tmp_path / "faulty.toml"
    path.write_text(
        'schema = 1\nname = "faulty"\n[[sweep]]\nproblem = "softmax"\ndtype = "float16"\nn = 3\n'
    )
    done = fpstudy.run(path, tmp_path / "out", jobs=1)
    by_formula = done.summary.set_index("formula")
    assert by_formula.loc["naive", outcome] == by_formula.loc["naive", "components"] == 16 * 3
    assert reason in by_formula.loc["naive", "reason"]
    assert by_formula.loc["naive", "relative_error_median"] == np.inf
    assert (by_formula.loc["naive", [f"{size}_max" for size in SIZES]] == np.inf).all()
    assert by_formula["top1_flips"].to_dict() == {"shifted": 0, "naive": 16}
    assert by_formula.loc["shifted", outcome] == 0
    assert done.manifest["cases"]["crashed"] == 1


def test_a_wrong_truth_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fpstudy import measurement

    honest = measurement.enclose

    def wrong(*arguments: object, **named: object) -> object:
        t = honest(*arguments, **named)
        return replace(t, hi=t.hi * (1 + 2.0**-40))

    monkeypatch.setattr(measurement, "enclose", wrong)
    path = tmp_path / "wrong.toml"
    path.write_text(
        'schema = 1\nname = "wrong"\n[[sweep]]\nproblem = "logsumexp"\ndtype = "float16"\n'
        'distribution = "two_point"\nmagnitude = 50\n'
    )
    done = fpstudy.run(path, tmp_path / "out", jobs=1)
    assert any("the witness" in failure for failure in done.failures)


def test_a_truth_outside_its_inequality_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fpstudy import measurement

    honest = measurement.enclose

    def halved(*arguments: object, **named: object) -> object:
        t = honest(*arguments, **named)
        return replace(t, hi=t.hi * 0.5)

    monkeypatch.setattr(measurement, "enclose", halved)
    path = tmp_path / "outside.toml"
    path.write_text(
        'schema = 1\nname = "outside"\n[[sweep]]\nproblem = "logsumexp"\ndtype = "float32"\n'
        'distribution = "equal"\nmagnitude = 50\nn = 3\n'
    )
    done = fpstudy.run(path, tmp_path / "out", jobs=1)
    assert len(done.manifest["violations"]) == 1
    assert done.manifest["violations"][0] in done.failures


def test_the_summary_reads_back_as_it_was_written(done: flow.Run) -> None:
    rows = record.read(done.directory / "record.parquet")
    pd.testing.assert_frame_equal(
        read_csv(done.directory / "summary.csv"), summarize(rows), check_dtype=False
    )


def test_the_manifest_says_what_a_result_depends_on(done: flow.Run) -> None:
    manifest = json.loads((done.directory / "manifest.json").read_text())
    assert manifest["versions"]["numpy"] == np.__version__
    assert manifest["cpu"]["features"]
    assert len(manifest["study_hash"]) == 64
    assert manifest["engine"] == "double_double"
    assert manifest["proven"] is True
    assert manifest["duration_seconds"] > 0


def test_an_unproven_engine_is_marked(study: Path, tmp_path: Path) -> None:
    path = tmp_path / "unproven.toml"
    path.write_text(
        'schema = 1\nname = "by_mpmath"\nengine = "mpmath"\n[[sweep]]\nproblem = "softmax"\n'
        'dtype = "float16"\nn = 3\n'
    )
    done = fpstudy.run(path, tmp_path / "out", jobs=1)
    assert done.manifest["proven"] is False
    assert "The truths are not proven" in (done.directory / "README.md").read_text()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ('beta = "inf"', 'beta = "-inf"'),
        ("beta = 2", "beta = 3"),
        ("vectors = [[1, inf]]", "vectors = [[1, -inf]]"),
    ],
)
def test_studies_that_differ_have_different_hashes(a: str, b: str, tmp_path: Path) -> None:
    hashes = set()
    for text in (a, b):
        path = tmp_path / "s.toml"
        path.write_text(
            f'schema = 1\nname = "s"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n{text}\n'
            + ('distribution = "explicit"\n' if "vectors" in text else "")
        )
        hashes.add(flow.study_hash(load(path)))
    assert len(hashes) == 2


@pytest.mark.parametrize("table", ["[defaults]", "[[sweep]]"])
def test_a_study_has_the_same_hash_in_another_folder(table: str, tmp_path: Path) -> None:
    """A clone's reports are those of the original: where the file of logits lies is no matter."""
    keys = 'distribution = "file"\nfile = "logits.npy"\n'
    sweep = 'problem = "softmax"\ndtype = "float32"\n'
    rest = f"{keys}[[sweep]]\n{sweep}" if table == "[defaults]" else f"{keys}{sweep}"
    hashes = set()
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        np.save(folder / "logits.npy", np.arange(6.0).reshape(2, 3))
        (folder / "s.toml").write_text(f'schema = 1\nname = "s"\n{table}\n{rest}')
        hashes.add(flow.study_hash(load(folder / "s.toml")))
    assert len(hashes) == 1


def test_every_problem_is_witnessed_however_large_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first sample of each problem's shortest vectors, where chance chooses none."""
    monkeypatch.setattr(tasks, "ALL_WITNESSED", 0)
    monkeypatch.setattr(tasks, "WITNESSED_LOGITS", 0)
    monkeypatch.setattr(tasks, "WITNESSED_SHARE", 0.0)
    path = tmp_path / "study.toml"
    path.write_text(
        'schema = 1\nname = "large"\n[[sweep]]\nproblem = ["softmax", "logsumexp"]\n'
        'formula = "shifted"\ndtype = "float32"\nn = [5, 3]\nmagnitude = [1, 10]\nsamples = 6\n'
    )
    witness = flow.run(path, tmp_path / "out").manifest["witness"]
    assert witness["checked"] == 3 + 1  # a softmax of 3 components, and a log-sum-exp
    monkeypatch.setattr(tasks, "ONE_WITNESSED", 2)
    assert flow.run(path, tmp_path / "out", fresh=True).manifest["witness"]["checked"] == 0


TINY = 'schema = 1\nname = "tiny"\n[[sweep]]\nproblem = "softmax"\nformula = ["naive", "shifted"]\n'
TINY += 'dtype = ["float16", "float32"]\nsamples = 2\n'


def newer_packages(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    honest = origin.environment

    def newer(*arguments: object) -> dict:
        where = honest(*arguments)
        return where | {"versions": where["versions"] | {"numpy": "99.0"}}

    monkeypatch.setattr(origin, "environment", newer)
    return {}


def other_sources(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    copy = path.parent / "fpstudy"
    shutil.copytree(Path(fpstudy.__file__).parent, copy)
    with (copy / "problems" / "softmax.py").open("a") as file:
        file.write("# corrected\n")
    monkeypatch.setattr(fpstudy, "__file__", str(copy / "__init__.py"))
    return {}


def other_seed(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    path.write_text(f"seed = 5\n{TINY}")
    return {}


def other_logits(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    np.save(path.parent / "x.npy", np.ones((2, 3)))
    return {}


def other_selection(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    return {"only": {"dtype": "float16"}}


def damaged_record(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    record_file = path.parent / "out" / "record.parquet"
    record_file.write_bytes(record_file.read_bytes()[:-9])
    return {}


def changed_manifest(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    manifest = path.parent / "out" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"crashed": 0', '"crashed": 1'))
    return {}


@pytest.mark.parametrize(
    "change",
    [
        newer_packages,
        other_sources,
        other_seed,
        other_logits,
        other_selection,
        damaged_record,
        changed_manifest,
    ],
)
def test_what_results_depend_on_is_measured_anew_when_it_changes(
    change: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tiny.toml"
    text = TINY
    if change is other_logits:  # whose rows are the samples
        text = text.replace("samples = 2", 'distribution = "file"\nfile = "x.npy"')
    path.write_text(text)
    np.save(tmp_path / "x.npy", np.zeros((2, 3)))

    def kept(**options: object) -> bool:
        options |= {"figures": False, "notice": lambda line: None}
        return flow.run(path, tmp_path / "out", **options).kept

    assert (kept(), kept()) == (False, True)
    assert not kept(**change(path, monkeypatch))


def test_every_computed_value_is_a_number_of_its_dtype(tmp_path: Path) -> None:
    """As computed: nothing that was printed and read again, or that another dtype held between."""
    (tmp_path / "tiny.toml").write_text(TINY + "n = [3, 50]\n")
    done = flow.run(tmp_path / "tiny.toml", tmp_path / "out", figures=False)
    for dtype, y in done.record.groupby("dtype")["worst_computed"]:
        assert np.isfinite(y).all()
        assert FORMATS[str(dtype)].holds(y).all()
