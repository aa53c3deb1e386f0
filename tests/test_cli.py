"""The commands as a user types them: outputs, exit codes, messages."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from fpstudy.arithmetic import EVALUATORS
from fpstudy.cli import faults, main
from fpstudy.cli.faults import CHECK_FAILED, CRASHED, NO_ROOM, USAGE
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS

STUDY = """
schema = 1
name = "tiny"
[[sweep]]
problem = "softmax"
dtype = ["float16", "float8_e4m3fn"]
n = 4
magnitude = [1, 100, 1000]
samples = 2
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(STUDY)
    return path


def fpstudy(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom fpstudy.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'matplotlib', 'flint', 'mpmath', 'pyarrow', 'rich'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.endswith("loaded: []\n"), done.stdout + done.stderr
    assert "run" in done.stdout


@pytest.mark.parametrize("module", ["measurement", "flow", "planning"])
def test_what_measures_imports_nothing_that_only_reports_need(module: str, study: Path) -> None:
    """Each process of a run imports it anew; a whole task is run, for imports by the way."""
    script = (
        f"import sys\nimport fpstudy.{module}\n"
        "from fpstudy import tasks\nfrom fpstudy.cases import expand\n"
        "from fpstudy.measurement import run_tasks\nfrom fpstudy.study import load\n"
        f"loaded = load({str(study)!r})\n"
        "rows = run_tasks(tasks.tasks(loaded, expand(loaded))).rows\n"
        "print(len(rows), sorted({'pandas', 'matplotlib', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    rows, _, loaded = done.stdout.strip().partition(" ")
    assert int(rows) > 0
    assert loaded == "[]"


@pytest.mark.parametrize(
    "command", ["run", "plan", "report", "table", "show", "list", "exact", "schema"]
)
def test_every_command_explains_itself(command: str) -> None:
    result = fpstudy(command, "--help")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 5


def test_run_prints_verdicts_and_where_the_report_lies(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = fpstudy("run", study, "--out", out, "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert "formula to use" in result.stdout
    assert "M = 1000" in result.stdout
    assert "25 cases measured, 5 skipped" in result.stdout
    assert "mpmath recomputed" in result.stdout
    assert str(out / "index.html") in result.stdout
    assert "100%, 30 of 30 cases" in result.stderr
    assert (out / "summary.csv").is_file()


def test_run_goes_to_reports_by_default(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study.parent)
    assert fpstudy("run", "tiny.toml", "--only", "dtype=float16").exit_code == 0
    assert (study.parent / "reports" / "tiny.dtype=float16" / "index.html").is_file()


def test_a_bad_study_is_refused_at_the_door(study: Path, tmp_path: Path) -> None:
    study.write_text(STUDY.replace("float16", "flaot16").replace("samples = 2", "samples = 0"))
    for command in ("run", "plan"):
        result = fpstudy(command, study)
        assert result.exit_code == 2
        assert "tiny.toml:6: sweep[1].dtype[1]" in result.stderr
        assert "did you mean float16?" in result.stderr
        assert "tiny.toml:9: sweep[1].samples" in result.stderr
        assert "Traceback" not in result.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.toml"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "dtype"], "want COLUMN=VALUE"),
        (["--only", "colour=red"], "COLUMN one of problem, formula"),
        (["--only", "dtype=float64"], "no such case; there are float16, float8_e4m3fn"),
        (["--jobs", "0"], "range"),
    ],
)
def test_bad_options_are_refused(study: Path, arguments: list[str], words: str) -> None:
    result = fpstudy("run", study, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr.replace("\n", " ")


def test_a_damaged_file_of_logits_is_refused(study: Path) -> None:
    np.save(study.parent / "x.npy", np.array([[1.0, np.nan]]))
    study.write_text(
        'schema = 1\nname = "f"\n[[sweep]]\nproblem = "softmax"\ndtype = "float16"\n'
        'distribution = "file"\nfile = "x.npy"\n'
    )
    result = fpstudy("plan", study)
    assert result.exit_code == 2
    assert "x.npy: NaN at row 0, column 1" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write(study: Path, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o555)
    assert fpstudy("run", study, "--out", tmp_path / "shut").exit_code == 74


def test_an_output_folder_that_cannot_be_made(study: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = fpstudy("run", study, "--out", tmp_path / "file" / "out")
    assert result.exit_code == 74
    assert "Traceback" not in result.output


def test_a_study_too_large_for_the_machine_is_refused_by_arithmetic(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fpstudy.samples.BYTES_PER_NUMBER", 10**13)
    for command in ("plan", "run"):
        result = fpstudy(command, study)
        assert result.exit_code == 2
        assert "a study too large for this machine" in result.stderr
        assert "GB" in result.stderr


def test_plan_counts_cases_and_skips_and_writes_nothing(study: Path, tmp_path: Path) -> None:
    result = fpstudy("plan", study)
    assert result.exit_code == 0
    assert "tiny: 30 cases" in result.stdout
    assert "dtype:        float16 15, float8_e4m3fn 15" in result.stdout
    assert "beyond the largest float8_e4m3fn, 448" in result.stdout
    assert " on one core in NumPy" in result.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.toml"]


def test_report_rebuilds_one_folder_or_all_with_an_index(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "tiny"
    assert fpstudy("run", study, "--out", folder).exit_code == 0
    (folder / "index.html").unlink()
    assert fpstudy("report", folder).exit_code == 0
    assert (folder / "index.html").is_file()
    (folder / "index.html").unlink()
    assert fpstudy("report", folder.parent).exit_code == 0
    assert (folder / "index.html").is_file()
    assert "tiny" in (folder.parent / "README.md").read_text()
    empty = tmp_path / "empty"
    empty.mkdir()
    assert fpstudy("report", empty).exit_code == 2
    assert fpstudy("report", tmp_path / "nowhere").exit_code == 2


def test_lists_name_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    names = fpstudy("list", "problems").stdout
    assert all(name in names for name in PROBLEMS)
    formulas = json.loads(fpstudy("list", "formulas", "--json").stdout)
    assert len(formulas) == sum(len(p.formulas) for p in PROBLEMS.values())
    assert all(row["fails"] and row["source"] for row in formulas)
    assert [row["dtype"] for row in json.loads(fpstudy("list", "dtypes", "--json").stdout)] == [
        *FORMATS
    ]
    arithmetics = json.loads(fpstudy("list", "arithmetics", "--json").stdout)
    engines = ("double_double", "arb", "mpmath")
    assert [row["arithmetic"] for row in arithmetics] == [*EVALUATORS, *engines]
    assert all(row["here"] for row in arithmetics[: len(EVALUATORS)])
    monkeypatch.chdir(Path(__file__).parent.parent)
    assert "experiments/quickstart.toml" in fpstudy("list", "studies").stdout
    assert fpstudy("list", "colours").exit_code == 2


def test_exact_shows_inputs_digits_bits_and_roundings() -> None:
    result = fpstudy("exact", "logsumexp", "--logits", "0,-40", "--dtype", "float32")
    assert result.exit_code == 0
    assert "0x0.0p+0 -0x1.4000000000000p+5" in result.stdout
    assert "4.248354255291588986304977843631582181878e-18" in result.stdout
    assert "bits" in result.stdout
    assert all(name in result.stdout for name in FORMATS)


def test_exact_for_machines() -> None:
    arguments = ("exact", "softmax", "--logits", "1,0,0", "--base", "2", "--digits", "5", "--json")
    shown = json.loads(fpstudy(*arguments).stdout)
    assert shown["value"] == ["0.5", "0.25", "0.25"]
    assert shown["inputs"]["base"] == "0x1.0000000000000p+1"
    assert shown["rounded"]["float16"][1] == {"hex": "0x1.0000000000000p-2", "decimal": "0.25"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["softmx", "--logits", "1"], "no problem 'softmx'; known: softmax"),
        (["softmax", "--logits", "1,x"], "'x' is not a number"),
        (["softmax", "--logits", "1,,2"], "'' is not a number"),
        (["softmax", "--logits", "1,nan"], "'nan' is not a number"),
        (["softmax", "--logits", "1", "--dtype", "half"], "no dtype 'half'; known: float16"),
        (["softmax", "--logits", "1e6", "--dtype", "float16"], "beyond the largest float16"),
        (["softmax", "--logits", "1", "--target", "0"], "takes no labels"),
        (["softmax", "--logits", "1", "--base", "2", "--beta", "1"], "exclude each other"),
        (["softmax", "--logits", "1", "--base", "-2"], "base: want a finite number above 0"),
        (["logsumexp", "--logits", "1", "--beta", "2"], "takes no beta"),
        (["logsumexp", "--logits", "1", "--digits", "0"], "want 1 to"),
        (["logsumexp", "--logits", "1;2"], "logsumexp takes one vector at a time"),
        (["cross_entropy", "--logits", "1,2"], "needs either labels or a target"),
        (["cross_entropy", "--logits", "1,2", "--target", "2"], "outside the 2 logits"),
        (["cross_entropy", "--logits", "1,2", "--target", "a"], "want indices"),
        (["cross_entropy", "--logits", "1,2", "--labels", "1"], "labels of shape"),
        (["cross_entropy", "--logits", "1,2", "--labels", "1,-1"], "at least 0"),
        (["softmax"], "Missing option '--logits'"),
    ],
)
def test_exact_names_what_is_wrong(arguments: list[str], words: str) -> None:
    result = fpstudy("exact", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_exact_takes_negative_logits_batches_and_hex() -> None:
    result = fpstudy(
        "exact", "cross_entropy", "--logits", "-1,0x1p-1; 3,4", "--target", "0,-100",
        "--reduction", "mean", "--json",
    )  # fmt: skip
    assert result.exit_code == 0
    one = fpstudy("exact", "cross_entropy", "--logits=-1,0.5", "--target", "0", "--json")
    assert json.loads(result.stdout)["value"] == json.loads(one.stdout)["value"]


def test_schema_is_json_schema() -> None:
    schema = json.loads(fpstudy("schema").stdout)
    assert schema["$schema"].startswith("http")
    assert "sweep" in schema["properties"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("manifest.json", b"{"), ("manifest.json", b"[]"), ("record.parquet", b"PAR1")],
)
def test_a_damaged_report_is_said(study: Path, tmp_path: Path, name: str, content: bytes) -> None:
    out = tmp_path / "out"
    assert fpstudy("run", study, "--out", out).exit_code == 0
    (out / name).write_bytes(content)
    result = fpstudy("report", out)
    assert result.exit_code == 2
    assert name in result.stderr
    assert "run the study again" in result.stderr


def test_a_part_does_not_replace_the_whole(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert fpstudy("run", study, "--out", out).exit_code == 0
    result = fpstudy("run", study, "--out", out, "--only", "dtype=float16")
    assert result.exit_code == 2
    assert "holds the report of a whole study" in result.stderr.replace("\n", " ")
    assert "float8_e4m3fn" in (out / "summary.csv").read_text()


def test_a_selection_that_names_nothing_is_refused(study: Path) -> None:
    for command in ("run", "plan"):
        result = fpstudy(command, study, "--only", "formula=shifted,naiv")
        assert result.exit_code == 2
        assert "formula=naiv: no such case; there are" in result.stderr.replace("\n", " ")


def test_help_keeps_its_examples_apart() -> None:
    for arguments in ((), ("exact",), ("table",), ("show",)):
        text = fpstudy(*arguments, "--help").stdout
        assert "\\b" not in text
        assert len([line for line in text.splitlines() if line.startswith("    fpstudy ")]) >= 3


def test_the_exit_codes_of_a_run_are_in_its_help_and_where_they_are_made() -> None:
    codes = ["0", *map(str, (CHECK_FAILED, USAGE, CRASHED, NO_ROOM)), "130", "143"]
    text = fpstudy("run", "--help").stdout
    assert re.findall(r"^    +(\d+)  +\S", text, flags=re.MULTILINE) == codes
    told = " ".join(str(faults.__doc__).split())
    assert re.findall(r"(?:^|; |codes\. |, )(\d+) [a-z]", told)[: len(codes)] == codes


def test_sigterm_stops_the_workers_too(tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    path.write_text(
        'schema = 1\nname = "long"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\nn = 1000\n'
        'magnitude = {scale = "linear", start = 1, stop = 9, num = 200}\nsamples = 64\n'
    )
    command = [sys.executable, "-m", "fpstudy", "run", str(path), "--out", str(tmp_path / "o")]
    running = subprocess.Popen(
        [*command, "--jobs", "2"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert running.stderr is not None
    running.stderr.readline()  # the first tenth is done: workers are at work
    running.terminate()
    _, said = running.communicate(timeout=30)  # which waits for all that hold the pipe
    assert running.returncode == 143
    assert "terminated" in said


def test_init_writes_a_study_that_runs_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = fpstudy("init", "mine")
    assert result.exit_code == 0
    assert "next: fpstudy plan mine.toml" in result.stdout
    plan = fpstudy("plan", "mine.toml")
    assert plan.exit_code == 0
    assert "mine: 1,122 cases" in plan.stdout
    text = Path("mine.toml").read_text(encoding="utf-8")
    keys, examples = text.replace("my_logits.npy", "x.npy").split("# What adding up")
    kept = [
        line.removeprefix("# ") for line in examples.splitlines() if "=" in line or "[[" in line
    ]
    np.save("x.npy", np.zeros((2, 3)))
    Path("all.toml").write_text(keys + "\n".join(kept), encoding="utf-8")
    assert "1,170 cases" in fpstudy("plan", "all.toml").stdout  # with the examples in comments
    again = fpstudy("init", "mine")
    assert (again.exit_code, "is there already" in again.stderr) == (2, True)
    assert Path("mine.toml").read_text(encoding="utf-8") == text


def test_init_puts_studies_where_there_are_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("experiments").mkdir()
    assert fpstudy("init", "mine").exit_code == 0
    assert Path("experiments/mine.toml").is_file()
    for name, word in (("../mine", "may hold letters"), ("CON", "reserved")):
        result = fpstudy("init", name)
        assert (result.exit_code, word in result.stderr) == (2, True)
    assert fpstudy("init", "mine", "--out", "no/folder/x.toml").exit_code == 74


def test_doctor_says_what_runs_and_why_the_rest_does_not() -> None:
    found = json.loads(fpstudy("doctor", "--json").stdout)
    assert found["sound"]
    assert [one["arithmetic"] for one in found["arithmetics"]] == [*EVALUATORS]
    for one in found["arithmetics"]:
        assert sorted([*one["dtypes"], *one["refused"]]) == sorted(FORMATS)
        assert all(one["refused"].values())
    assert found["arithmetics"][0]["dtypes"] == [*FORMATS]
    told = fpstudy("doctor")
    assert told.exit_code == 0
    assert f"numpy {np.__version__}" in told.stdout


def test_doctor_fails_where_the_processor_rounds_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rounding = {"float32": "upwards, subnormals kept", "float64": "upwards, subnormals kept"}
    monkeypatch.setattr("fpstudy.environment.floating_point.mode", lambda: rounding)
    result = fpstudy("doctor")
    assert (result.exit_code, "float32 is rounded upwards" in result.stdout) == (1, True)
