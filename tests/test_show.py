"""One input from close by: known values, the numbers of the record, what is refused and why."""

import hashlib
import json
import math
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import fpstudy
from fpstudy import calculator, flow, manifest, recorded
from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.cases import expand
from fpstudy.cli import main
from fpstudy.damage import AbsentError, DamagedError
from fpstudy.encoding import encode, hexadecimal, shortest
from fpstudy.formats import FORMATS, Format
from fpstudy.inspection import OWN_CODE, inspect
from fpstudy.inspection import given as given_case
from fpstudy.manifest_fields import read_manifest
from fpstudy.problems import PROBLEMS
from fpstudy.report.verdicts import outcome_text
from fpstudy.study import from_keys, load
from fpstudy.study_file.resolved import resolved

QUICKSTART = Path(__file__).parent.parent / "experiments" / "quickstart.toml"

MIXED = """
schema = 1
name = "mixed"
seed = 7

[[format]]
name = "tiny6"
precision = 3
emax = 3

[[sweep]]
problem = ["softmax", "cross_entropy", "cross_entropy_gradient"]
formula = ["shifted", "blocked[block=2]", "mine:softmax"]
dtype = ["float16", "tiny6"]
arithmetic = "rounded"
accumulation = ["sequential", "kahan:float32"]
n = 5
magnitude = [1, 1e5]
samples = 4

[[sweep]]
problem = "softmax"
dtype = "float32"
distribution = "explicit"
vectors = [["-inf", 2, "0x1.8p-3"], [0, 0]]
beta = [2, "inf"]

[[sweep]]
problem = "cross_entropy"
dtype = "bfloat16"
n = 6
reduction = "mean"
batch = 4
ignored = 0.25
target = ["argmax", 2]
samples = 3

[[sweep]]
problem = "logsumexp"
dtype = "float8_e4m3fn"
inputs = "per_dtype"
distribution = "file"
file = "x.npy"
"""


def show(*arguments: str | Path | int, width: int = 120) -> Result:
    words = ["show", *(str(argument) for argument in arguments)]
    return CliRunner().invoke(main, words, env={"COLUMNS": str(width)})


def as_json(*arguments: str | Path | int) -> dict[str, Any]:
    done = show(*arguments, "--json")
    assert done.exit_code == 0, done.output
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> flow.Run:
    return fpstudy.run(QUICKSTART, tmp_path_factory.mktemp("q") / "quickstart", figures=False)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    np.save(folder / "x.npy", np.array([[1.0, 2.0, -3.0], [0.5, 0.0, 400.0]]))
    (folder / "mine.py").write_text("def softmax(xp, x, q=None):\n    return x\n")
    (folder / "mixed.toml").write_text(MIXED)
    fpstudy.run(folder / "mixed.toml", folder / "out", allow_code=["mine"], figures=False)
    return folder


def results(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {result["formula"]: result for result in shown["results"]}


def test_the_tail_that_log_sum_exp_loses_in_float32() -> None:
    """log(1 + exp(-40)): the sum rounds to 1, so that only the log1p forms keep it."""
    shown = as_json("logsumexp", "--logits", "0,-40", "--dtype", "float32")
    (component,) = shown["components"]
    assert component["exact"] == "4.2483542552915889863e-18"
    assert component["rounded"]["bits"] == "0x229cbc92"
    for name, result in results(shown).items():
        if name in ("log1p", "tie_counting"):
            assert result["outcome"] == "correctly_rounded"
            assert result["computed"]["bits"] == "0x229cbc92"
        elif name != "library":
            assert (result["outcome"], result["computed"]["bits"]) == (
                "spurious_underflow", "0x00000000",
            )  # fmt: skip
            assert (result["relative_error"], result["bits_kept"]) == (1, 0)


def test_an_overflow_that_no_formula_but_the_naive_has() -> None:
    shown = as_json("softmax", "--logits", "12,0", "--dtype", "float16", "--component", 0)
    naive, shifted = results(shown)["naive"], results(shown)["shifted"]
    assert (naive["outcome"], naive["ulp_error"]) == ("nan", "inf")
    assert shifted["computed"] == {
        "decimal": "1.0", "hex": "0x1.0000000000000p+0", "bits": "0x3c00",
    }  # fmt: skip
    assert results(shown)["power"]["reason"] == "needs base"


WAYS = (
    ("numpy", "native", "float16"),
    ("numpy", "native", "bfloat16"),
    ("numpy", "native", "float64"),
    ("rounded", "sequential", "float32"),
    ("rounded", "kahan:float32", "float8_e5m2"),
)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(("arithmetic", "accumulation", "dtype"), WAYS)
def test_every_formula_of_every_problem_is_listed_in_order(
    name: str, arithmetic: str, accumulation: str, dtype: str
) -> None:
    problem = PROBLEMS[name]
    target = ["--target", "1"] if problem.labels else []
    done = show(
        name, "--logits", "3,0.5,-2", *target, "--dtype", dtype,
        "--arithmetic", arithmetic, "--accumulation", accumulation, "--verbose", width=80,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    shown = as_json(
        name, "--logits", "3,0.5,-2", *target, "--dtype", dtype,
        "--arithmetic", arithmetic, "--accumulation", accumulation,
    )  # fmt: skip
    formulas = [result["formula"] for result in shown["results"]]
    assert [formula for formula in formulas if formula in problem.formulas] == [*problem.formulas]
    exact = fpstudy.exact(name, [3, 0.5, -2], target=1 if target else None, dtype=dtype)
    digits = exact.decimal(20)
    for component in shown["components"]:
        j = component["component"]
        assert component["exact"] == (digits[j] if problem.vector else digits)
        assert float.fromhex(component["rounded"]["hex"]) == exact.rounded()[dtype][j]
    for result in shown["results"]:
        assert (result["outcome"] == "skipped") == (result["reason"] != "")
        if result["outcome"] == "correctly_rounded":
            assert result["ulp_error"] <= 0.5
    assert max(map(len, done.stdout.splitlines())) <= (80 if dtype != "float64" else 90)
    assert all("…" not in line for line in done.stdout.splitlines())
    there = Counter(done.stdout.partition(" outcome")[2].partition("\n \n")[0].split())
    ran = [r["outcome"] for r in shown["results"] if r["outcome"] != "skipped"]
    words = Counter(word for outcome in ran for word in outcome_text(outcome).split())
    assert words and {word: there[word] for word in words} == words
    for formula in problem.formulas.values():
        if formula.refusal({}) is None:
            assert formula.mathematics.split()[0] in done.stdout


def test_the_numbers_are_those_of_the_record(quickstart: flow.Run) -> None:
    record = quickstart.record
    there = recorded.find(quickstart.directory)
    chosen = np.random.default_rng(5).choice(len(there.cases), 40, replace=False)
    for number in chosen.tolist():
        rows = record[record["case"] == number]
        for sample in (None, int(rows["sample"].sample(random_state=number).iloc[0])):
            done = recorded.show(there, number, sample)
            assert done.warnings == ()
            row = rows[rows["sample"] == done.inspection.sample].iloc[0]
            own = done.inspection.own
            assert own is not None
            assert own.formula == row["formula"]
            assert (own.component, own.outcome) == (row["worst_component"], row["worst_outcome"])
            assert float(own.computed).hex() == float(row["worst_computed"]).hex()
            for ours, theirs in (
                (own.ulp_error, row["ulp_error"]), (own.relative_error, row["relative_error"]),
            ):  # fmt: skip
                assert ours <= theirs or math.isnan(theirs)
            assert own.ulp_error == row["ulp_error"] or math.isnan(row["ulp_error"])
            if sample is None:
                assert row["worst_input"] != ""
                assert row["worst_input"].split()[0] == done.inspection.inputs.x[0, 0].hex()


def test_every_case_of_a_mixed_study_is_made_again(mixed: Path) -> None:
    there = recorded.find(mixed / "out", mixed)
    assert there.cases == tuple(expand(load(mixed / "mixed.toml")))
    skipped = 0
    for number, case in enumerate(there.cases):
        done = recorded.show(there, number)
        if case.formula == "mine:softmax":
            assert done.inspection.own is not None
            assert done.inspection.own.reason == OWN_CODE
            assert ("not run here; recorded is" in done.warnings[0]) is True
        else:
            assert done.warnings == (), case
        skipped += done.inspection.own is not None and done.inspection.own.outcome == "skipped"
        if number % 7 == 0:
            assert show(mixed / "out", number, "--files", mixed).exit_code == 0
    assert skipped > len(there.cases) // 3


def test_the_study_beside_a_report_is_the_study(mixed: Path) -> None:
    """Without folders, claims and defaults, and with infinities as texts: JSON as it should be."""
    manifest = (mixed / "out" / "manifest.json").read_text()
    keys = json.loads(manifest, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert str(mixed) not in manifest.replace(json.dumps(keys["command"]), "")
    assert keys["study"]["sweep"][1]["vectors"] == [["-inf", 2.0, 0.1875], [0.0, 0.0]]
    assert keys["study"]["sweep"][1]["beta"] == [2.0, "inf"]
    assert keys["study"]["sweep"][3]["file"] == "x.npy"
    again = from_keys({"schema": 1, "name": "again", **keys["study"]}, mixed)
    assert expand(again) == expand(load(mixed / "mixed.toml"))


@pytest.mark.parametrize("path", sorted(QUICKSTART.parent.glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_study_survives_its_manifest(path: Path) -> None:
    study = load(path)
    keys = json.loads(json.dumps(resolved(study.seed, study.sweep, study.format), allow_nan=False))
    assert expand(from_keys({"schema": 1, "name": "again", **keys}, path.parent)) == expand(study)


def test_a_study_file_stands_for_its_report(quickstart: flow.Run) -> None:
    of_file, of_report = (
        as_json(source, 60, "--sample", 2) for source in (QUICKSTART, quickstart.directory)
    )
    assert of_file["results"] == of_report["results"]
    assert as_json(QUICKSTART, 60)["heading"] == as_json(quickstart.directory, 60)["heading"]
    assert as_json(quickstart.directory / "summary.csv", 60)["warnings"] == []


def test_without_a_record_the_summary_is_what_counts(quickstart: flow.Run, tmp_path: Path) -> None:
    out = tmp_path / "report"
    shutil.copytree(quickstart.directory, out)
    (out / "record.parquet").unlink()
    with_record = as_json(quickstart.directory, 40)
    assert as_json(out, 40) == with_record
    summary = pd.read_csv(out / "summary.csv", keep_default_na=False)
    summary.loc[40, "ulp_error_max"] = 123.0
    summary.to_csv(out / "summary.csv", index=False)
    signed(out)
    done = show(out, 40)
    assert done.exit_code == 0
    assert "warning: the largest ulp error in summary.csv is 123, here it is" in done.stderr


def test_other_bits_than_the_record_has_are_said(
    quickstart: flow.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = recorded.show(recorded.find(quickstart.directory), 40, 0).inspection.own
    assert own is not None and own.computed != 0.25
    row = {"sample": 0, "ulp_error": 1.0, "worst_component": own.component}
    rows = [row | {"worst_computed": own.computed}]
    monkeypatch.setattr(recorded.Recorded, "samples", lambda self, number: rows)
    monkeypatch.setattr(recorded, "environment", lambda uses: {"environment": "x"})
    monkeypatch.setattr(recorded, "differences", lambda a, b: ["numpy 1 -> 2"])
    assert show(quickstart.directory, 40).stderr == ""
    rows[0]["worst_computed"] = 0.25
    done = show(quickstart.directory, 40)
    assert "recorded is 0.25 (0x1.0000000000000p-2) at component" in done.stderr
    assert "this environment is another: numpy 1 -> 2" in done.stderr
    rows[0] |= {"worst_computed": own.computed, "worst_component": own.component + 1}
    assert f"at component {own.component + 1}, here" in show(quickstart.directory, 40).stderr


def test_only_names_a_case_where_it_leaves_one(quickstart: flow.Run) -> None:
    chosen = ["--only", "problem=softmax", "--only", "formula=naive", "--only", "magnitude=10"]
    several = show(quickstart.directory, *chosen)
    assert several.exit_code == 2
    assert "3 cases; name one:" in several.stderr
    number = next(line.split()[0] for line in several.stderr.splitlines() if "bfloat16" in line)
    one = as_json(quickstart.directory, *chosen, "--only", "dtype=bfloat16")
    assert one == as_json(quickstart.directory, number)
    assert (one["dtype"], one["axes"]["magnitude"]) == ("bfloat16", "10")


def test_long_vectors_show_what_tells() -> None:
    logits = ",".join(["0"] * 40 + ["5"] + ["-1"] * 40)
    done = show("softmax", "--logits", logits, "--dtype", "float16", "--component", 70)
    assert "5 of 81 logits" in done.stdout or "6 of 81 logits" in done.stdout
    for words in ("x[40]", "x[70]", "x[0]", "largest", "shown below", "component 70"):
        assert words in done.stdout
    assert "x[39]" not in done.stdout
    assert len(as_json("softmax", "--logits", logits)["inputs"]["logits"]) == 81


def test_all_components_and_batches() -> None:
    shown = as_json("log_softmax", "--logits", "1,2,3", "--dtype", "bfloat16", "--all")
    assert [component["component"] for component in shown["components"]] == [0, 1, 2]
    of_formula = [r["component"] for r in shown["results"] if r["formula"] == "shifted"]
    assert of_formula == [0, 1, 2]
    batch = show(
        "cross_entropy", "--logits", "1,2;3,4", "--target", "0,-100", "--reduction", "sum",
        "--dtype", "float16",
    )  # fmt: skip
    assert batch.exit_code == 0
    assert "x[1, 0]" in batch.stdout


def test_what_a_formula_raises_stands_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def evaluate(arithmetic: str, formula: Any, *others: Any) -> Any:
        if formula.text is PROBLEMS["logsumexp"].formulas["naive"].text:
            raise ZeroDivisionError("[bold]no[/bold] \x1b[31m")
        return np.zeros((1, 3))

    monkeypatch.setattr("fpstudy.inspection.evaluators.evaluate", evaluate)
    done = show("logsumexp", "--logits", "0,1")
    assert done.exit_code == 0
    assert "crashed (1)" in done.stdout
    assert "(1) ZeroDivisionError: [bold]no[/bold] \\u001b[31m" in done.stdout
    assert "bad output (2)" in done.stdout
    assert "returned (1, 3), not (1,)" in done.stdout


def test_values_that_do_not_exist_or_are_not_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = as_json("softmax", "--logits", "inf,inf", "--dtype", "float16")
    assert shown["components"][0]["exact"] == "undefined"
    assert {r["outcome"] for r in shown["results"] if r["computed"]} == {"undefined"}
    monkeypatch.setattr("fpstudy.calculator.CAP_BITS", 0)
    value = calculator.exact("logsumexp", [0.5, 0.25])
    monkeypatch.setattr("fpstudy.calculator._enclosed", lambda *arguments: None)
    assert value.digits_of([0], 20) == {0: "undecided"}


@pytest.mark.parametrize("digits", [1, 5, 20, 60])
def test_digits_of_components_are_those_of_all(digits: int) -> None:
    for value in (
        fpstudy.exact("softmax", [1000, 0, -5, 3]),
        fpstudy.exact("softmax", [3, 1, 1], base=2),
        fpstudy.exact("log_softmax", ["-inf", 0, 40]),
    ):
        everything = value.decimal(digits)
        some = value.digits_of([0, 2], digits)
        assert some == {0: everything[0], 2: everything[2]}


def numbers(f: Format) -> Iterator[float]:
    yield from (0.0, -0.0, 1.0, -1.5, f.largest, -f.largest, f.least_normal, f.least_subnormal)
    yield from map(float, f.round(np.random.default_rng(0).standard_normal(50)))


@pytest.mark.parametrize("f", FORMATS.values(), ids=lambda f: f.name)
def test_bits_and_decimals_lead_back_to_the_number(f: Format) -> None:
    for x in numbers(f):
        bits = encode(x, f)
        assert bits is not None
        assert len(bits.fraction) == f.precision - 1
        stored = np.array([int(bits.hexadecimal, 16)], f"u{DTYPES[f.name].itemsize}")
        assert float(stored.view(DTYPES[f.name])[0].astype(np.float64)).hex() == x.hex()
        assert bits.parts.replace(" ", "") == f"{stored[0]:0{8 * stored.itemsize}b}"
        assert f.parse(shortest(x, f)) == x
        assert float.fromhex(hexadecimal(x)).hex() == x.hex()


def test_the_shortest_decimal_is_that_of_numpy() -> None:
    for x in numbers(FORMATS["float32"]):
        if 1e-3 < abs(x) < 1e6:
            assert float(shortest(x, FORMATS["float32"])) == float(str(np.float32(x)))
    assert shortest(math.inf, FORMATS["float16"]) == "inf"
    assert encode(1.0, Format("own", 5, 7, -6)) is None


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-50, 50, width=16), min_size=2, max_size=6))
def test_the_worst_of_given_logits_is_the_worst_of_all_components(logits: list[float]) -> None:
    value = fpstudy.exact("softmax", logits, dtype="float16")
    case = given_case(value)
    worst = {r.formula: r for r in inspect(case, value.inputs).results}
    for result in inspect(case, value.inputs, components=range(len(logits))).results:
        if result.component >= 0:
            assert result.ulp_error <= worst[result.formula].ulp_error


LOGITS = ("--logits", "1,2")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere: no such folder or file; want a report's folder, a study file"),
        (["softmx", *LOGITS], "no problem 'softmx'; known: softmax"),
        (["softmax", *LOGITS, "--dtype", "half"], "no dtype 'half'; known: float16"),
        (["softmax", *LOGITS, "--arithmetic", "nump"], "did you mean numpy?"),
        (["softmax", *LOGITS, "--arithmetic", "arb"], "it carries the truth"),
        (["softmax", *LOGITS, "--accumulation", "kahan"], "numpy has no kahan sums; it has native"),
        (["softmax", *LOGITS, "--accumulation", "kahn"], "did you mean kahan?"),
        (["softmax", *LOGITS, "--component", 2], "no component 2: the result has 0 to 1"),
        (["logsumexp", *LOGITS, "--component", 1], "no component 1: the result has 0 alone"),
        (["softmax", "--logits", ",".join("1" * 17), "--all"], "17 components are too many"),
        (["softmax", *LOGITS, "--sample", 0], "--sample goes with a CASE, not with --logits"),
        (["softmax", 3, *LOGITS], "CASE goes with a CASE, not with --logits"),
        (["softmax", "--logits", "1,x"], "'x' is not a number"),
        ([QUICKSTART], "want a CASE, 0 to 560"),
        ([QUICKSTART, 561], "no case 561: quickstart has the cases 0 to 560"),
        ([QUICKSTART, 5, "--sample", 16], "no sample 16: case 5 has 0 to 15"),
        ([QUICKSTART, 5, "--dtype", "float16"], "--dtype goes with --logits"),
        ([QUICKSTART, 5, "--only", "dtype=float16"], "CASE and --only exclude each other"),
        ([QUICKSTART, "--only", "dtype=float8"], "no such case; there are bfloat16"),
        ([QUICKSTART.parent], "no summary.csv here"),
        ([QUICKSTART, -1], "No such option"),
    ],
)
def test_bad_arguments_are_refused_with_what_is_allowed(
    arguments: list[str | int | Path], words: str
) -> None:
    done = show(*arguments)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.output


def signed(out: Path, **change: Any) -> None:
    """The manifest, changed, with digests of all as it is now: of somebody who means it."""
    manifest.write(out, read_manifest(out) | change)


NESTED: dict[str, Any] = {"sweep": []}
for _ in range(400):
    NESTED = {"sweep": [NESTED]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"study": None}, "holds no study, as one of an earlier fpstudy"),
        ({"study": []}, "is damaged"),
        ({"study": {"sweep": [{"problem": "x"}]}}, "is not a problem; known: softmax"),
        ({"study": {"sweep": [{"problem": "softmax", "dtype": "float16"}]}}, "does not give the"),
        ({"study": {"sweep": [{"file": "/etc/x.npy"}]}}, "a file of logits without its digest"),
        ({"study": {"sweep": ["x"]}}, "is damaged"),
        ({"study": NESTED}, "is damaged"),
        ({"only": "dtype"}, "is damaged"),
        ({"files": "x.npy"}, "is damaged"),
        ({"files": {"\x1b[31m.npy": "0"}}, "reads its logits from \\u001b[31m.npy, which"),
        ({"only": {"dtype": ["float16"]}}, "does not give the cases of summary.csv"),
        ({"files": {"../x.npy": "0"}}, "reads its logits from ../x.npy, which is not in"),
        ({"files": {"manifest.json": "0"}}, "is not the file that the study was run on"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    quickstart: flow.Run, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(quickstart.directory, out)
    signed(out, **change)
    done = show(out, 3)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("place", ["defaults", "sweep", "files"])
def test_a_manifest_reads_no_file_outside_its_folder(
    quickstart: flow.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    out, secret = tmp_path / "out", tmp_path / "outside" / "secret.npy"
    shutil.copytree(quickstart.directory, out)
    secret.parent.mkdir()
    np.save(secret, np.ones((2, 3)))
    sweep = {"problem": "softmax", "dtype": "float16", "distribution": "file"}
    keys: dict[str, Any] = {"sweep": [sweep | {"file": "secret.npy"}]}
    change: dict[str, Any] = {"study": keys, "files": {}}
    if place == "defaults":
        change["study"] = {"sweep": [sweep], "defaults": {"file": "../outside/secret.npy"}}
    elif place == "sweep":
        keys["sweep"] = [sweep | {"file": "../outside/secret.npy"}]
        change["files"] = {"secret.npy": ""}
    else:
        digest = hashlib.sha256(secret.read_bytes()).hexdigest()
        change["files"] = {str(secret): digest}
    read: list[Path] = []
    for name in ("read_bytes", "open"):
        real = getattr(Path, name)
        monkeypatch.setattr(
            Path, name, lambda path, *a, real=real, **k: (read.append(path), real(path, *a, **k))[1]
        )
    monkeypatch.setattr(np, "load", lambda path, **k: pytest.fail(f"{path} was loaded"))
    signed(out, **change)
    with pytest.raises((DamagedError, AbsentError), match=SAID_OF[place]):
        recorded.find(out)
    assert read and secret not in [path.resolve() for path in read]


SAID_OF = {
    "defaults": "a study with defaults",
    "sweep": r"secret\.npy, which is not in",
    "files": r"outside/secret\.npy, which is not in",
}


def rows_of(number: int, **columns: list[Any]) -> pa.Table:
    """A record with a row of that case."""
    sound = {"sample": [0], "ulp_error": [1.0], "worst_component": [0], "worst_computed": [0.5]}
    return pa.table({"case": [number], **sound, **columns})


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"sample": [9999]}, "case 3 has the samples 0 to 15"),
        ({"sample": [-2]}, "case 3 has the samples 0 to 15"),
        ({"sample": pa.array([None], pa.int64())}, "column sample is not numbers"),
        ({"ulp_error": ["much"]}, "column ulp_error is not numbers"),
        ({"worst_component": pa.array([None], pa.int64())}, "column worst_component is not"),
        ({"worst_computed": [b"1"]}, "column worst_computed is not numbers"),
    ],
)
def test_a_record_of_other_values_is_damaged(
    quickstart: flow.Run, tmp_path: Path, columns: dict[str, Any], words: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(quickstart.directory, out)
    pq.write_table(rows_of(3), out / "record.parquet")
    unsigned = show(out, 3)
    assert unsigned.exit_code == 2
    assert "record.parquet is not as it was written; run the study again" in unsigned.stderr
    signed(out)
    assert show(out, 3).exit_code == 0
    pq.write_table(rows_of(3, **columns), out / "record.parquet")
    done = show(out, 3)
    assert done.exit_code == 2
    assert f"record.parquet is damaged ({words}" in done.stderr


def test_a_summary_without_the_errors_is_none(quickstart: flow.Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(quickstart.directory, out)
    (out / "record.parquet").unlink()
    summary = pd.read_csv(out / "summary.csv", keep_default_na=False)
    summary.drop(columns="ulp_error_max").to_csv(out / "summary.csv", index=False)
    done = show(out, 3)
    assert (done.exit_code, "it has no column ulp_error_max" in done.stderr) == (2, True)


def test_a_warning_drives_no_terminal(
    quickstart: flow.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "_unlike", lambda *arguments: ["numpy \x1b[2J -> 2"])
    assert show(quickstart.directory, 40).stderr == "warning: numpy \\u001b[2J -> 2\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("manifest.json", b"[" * 200_000, "manifest.json is damaged"),
        ("manifest.json", b"{", "manifest.json is damaged"),
        ("manifest.json", b"[]", "not a table"),
        ("summary.csv", b"\xff\xfe", "summary.csv is damaged"),
        ("summary.csv", b"", "summary.csv is damaged"),
        ("summary.csv", b"problem\nsoftmax\n", "it has no column formula"),
        ("record.parquet", b"PAR1", "record.parquet is damaged"),
    ],
)
def test_damaged_files_are_said(
    quickstart: flow.Run, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(quickstart.directory, out)
    (out / name).write_bytes(content)
    done = show(out, 3)
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_file_of_logits_is_asked_for_by_name(mixed: Path) -> None:
    with pytest.raises(AbsentError, match=r"from x\.npy, which is not in .*--files DIR says"):
        recorded.find(mixed / "out")
    done = show(mixed / "out", 0, "--files", mixed / "out")
    assert (done.exit_code, "x.npy" in done.stderr) == (2, True)


def test_a_folder_without_a_manifest(quickstart: flow.Run, tmp_path: Path) -> None:
    shutil.copy(quickstart.directory / "summary.csv", tmp_path)
    with pytest.raises(DamagedError, match=r"manifest\.json is missing"):
        recorded.find(tmp_path)
