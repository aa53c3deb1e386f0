"""Tables for papers: the numbers of the summary, escaped in every language, failures in sight."""

import csv
import io
import math
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import fpstudy
from fpstudy import manifest
from fpstudy.cli import main
from fpstudy.damage import DamagedError
from fpstudy.report.paper import errors, failure_table, verdict_table, written
from fpstudy.report.paper.cells import comma_separated
from fpstudy.report.paper.digits import apart, short, significant
from fpstudy.report.paper.errors import COUNTED, MEASURED
from fpstudy.report.paper.latex import escape, latex
from fpstudy.report.paper.markdown import markdown
from fpstudy.report.paper.table import Column, Number, PaperTable, Place, Tables
from fpstudy.report.variants import with_variants
from fpstudy.report.verdicts import verdicts
from fpstudy.report_folder import read_report
from fpstudy.summary import read_csv, write_csv

REPORTS = Path(__file__).parent.parent / "reports"

STUDY = """
schema = 1
name = "papers"
seed = 2

[defaults]
dtype = ["float16", "float8_e4m3fn"]
samples = 5

[[sweep]]
problem = ["softmax", "logsumexp"]
formula = ["naive", "shifted"]
n = [3, 8]
magnitude = [1, 30, 1000]

[[sweep]]
problem = "softmax"
formula = "shifted"
distribution = "explicit"
vectors = [["inf", "inf"], [1, 2]]
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    (folder / "papers.toml").write_text(STUDY)
    return fpstudy.run(folder / "papers.toml", folder / "out", figures=False).directory


@pytest.fixture(scope="module")
def summary(report: Path) -> pd.DataFrame:
    return read_csv(report / "summary.csv")


def table(*arguments: str | Path | int) -> Result:
    return CliRunner().invoke(main, ["table", *(str(argument) for argument in arguments)])


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def balanced(text: str) -> bool:
    """Whether the braces of a LaTeX text that are no characters of it pair up."""
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text.replace("\\\\", "")):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def check_latex(text: str) -> int:
    """Environments closed, braces paired, as many cells in each row as columns; the tables."""
    assert balanced(text)
    opened: list[str] = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if what == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    tabulars = re.findall(r"\\begin\{tabular\}\{([lr]+)\}(.*?)\\end\{tabular\}", text, re.DOTALL)
    for columns, body in tabulars:
        lines = [line.strip() for line in body.strip().splitlines()]
        assert [line for line in lines if line in ("\\toprule", "\\midrule", "\\bottomrule")] == [
            "\\toprule", "\\midrule", "\\bottomrule",
        ]  # fmt: skip
        for line in lines:
            if not line.startswith(("\\toprule", "\\midrule", "\\bottomrule", "\\cmidrule")):
                assert line.endswith("\\\\")
                spans = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
                assert len(re.findall(r"(?<!\\)&", line)) + 1 + spans == len(columns)
    labels = re.findall(r"\\label\{([^}]*)\}", text)
    assert len(set(labels)) == len(labels) == len(tabulars) == text.count("\\caption{")
    assert all(re.fullmatch(r"tab:[a-z0-9-]+", label) for label in labels)
    return len(tabulars)


SUMMARIES = sorted(REPORTS.glob("*/summary.csv"))


@pytest.mark.parametrize("path", SUMMARIES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("what", ["verdicts", "errors", "failures"])
def test_every_shipped_report_has_tables_in_every_language(path: Path, what: str) -> None:
    summary, manifest = read_csv(path), {"name": path.parent.name}
    if what == "errors":
        tables = errors(summary, manifest, "formula", "distribution", "relative_error_max")
    else:
        tables = {"verdicts": verdict_table, "failures": failure_table}[what](summary, manifest)
    assert check_latex(written(tables, "latex", 3, manifest)) == len(tables.tables) > 0
    told = written(tables, "markdown", 3, manifest).split("**Table.**")[1:]
    assert len(told) == len(tables.tables)
    for part in told:
        assert f"Study {path.parent.name}" in part
        assert re.search(r"samples? a case", part)
        lines = [line for line in part.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    data = rows_of(written(tables, "csv", 3, manifest))
    assert len(data) == len(tables.data) >= len(told)
    assert all(None not in row and None not in row.values() for row in data)


def test_verdicts_are_those_of_the_report(report: Path, summary: pd.DataFrame) -> None:
    expected = verdicts(summary)
    text = table(report, "--format", "csv").stdout
    found = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values={"bits_worst": [""]})
    assert list(found.columns) == list(expected.columns)
    assert found["formula"].tolist() == expected["formula"].tolist()
    np.testing.assert_array_equal(found["bits_worst"], expected["bits_worst"])
    told = table(report).stdout
    for _, verdict in expected.iterrows():
        share = f"{verdict['failing']:,} of {verdict['components']:,}"
        start = f"| {verdict['problem']} | {verdict['dtype']} | {verdict['formula']} |"
        assert any(line.startswith(start) and share in line for line in told.splitlines())
    assert "no bounds" in told


@pytest.mark.parametrize(
    "value", ["relative_error_max", "bits_kept_min", "ulp_error_median", "nan"]
)
@pytest.mark.parametrize(("rows", "columns"), [("formula", "magnitude"), ("dtype", "n")])
def test_each_number_is_the_worst_of_what_it_pools(
    summary: pd.DataFrame, rows: str, columns: str, value: str
) -> None:
    data = errors(summary, {}, rows, columns, value).data
    frame = with_variants(summary)
    frame = frame[frame["swept"]] if columns == "magnitude" else frame
    pool = "sum" if value in COUNTED else "min" if value == "bits_kept_min" else "max"
    keys = ["problem", "formula", "dtype", "arithmetic", "accumulation"]
    by = list(dict.fromkeys([*keys, rows, columns]))
    expected = frame.groupby(by)[value].agg(pool)
    assert len(data) == len(expected)
    for _, row in data.iterrows():
        ours, theirs = row[value], expected[tuple(row[name] for name in by)]
        assert ours == theirs or (math.isnan(ours) and math.isnan(theirs))
    assert data["cases"].sum() == len(frame)
    assert data["results"].sum() == frame["measured"].sum()
    assert data["failing"].sum() == frame["failing"].sum()
    assert data["not_run"].sum() == (frame["skipped"] > 0).sum() > 0


def test_a_cell_says_how_many_of_its_results_fail(report: Path, summary: pd.DataFrame) -> None:
    only = ["--only", "problem=softmax", "--only", "formula=naive", "--only", "dtype=float16"]
    told = table(report, "--what", "errors", *only).stdout
    at = with_variants(summary)
    at = at[(at.problem == "softmax") & (at.formula == "naive") & (at.dtype == "float16")]
    failing = at.groupby("magnitude")["failing"].sum()
    cells = (_plain(at, 1), f"infinite ({failing[30]})", f"infinite ({failing[1000]})")
    assert f"| naive | {' | '.join(cells)} |" in told
    assert f"{failing.sum()} of {3 * 5 * 11} in all" in told
    assert "Each number is the worst of 10 samples, no bound." in told
    inside = table(report, "--what", "errors", "--format", "latex", *only).stdout
    assert f"$\\infty$ ({failing[30]})" in inside
    assert "float16; by numpy, native accumulation; logits normal; n = 3, 8;" in inside
    assert "5 samples a case. Study papers." in inside


def _plain(frame: pd.DataFrame, magnitude: float) -> str:
    worst = frame[frame["magnitude"] == magnitude]["relative_error_max"].max()
    return f"{worst:.5f}" if worst >= 1e-3 else f"{worst:.2e}".replace("e-0", "e-")


def test_divergences_are_of_distributions_alone(summary: pd.DataFrame) -> None:
    for value in ("kl_divergence_max", "top1_flips"):
        found = errors(summary, {}, "formula", "magnitude", value)
        assert set(found.data["problem"]) == {"softmax"}
        at = with_variants(summary)
        at = at[at["swept"] & (at["problem"] == "softmax")]
        worst = at[value].max() if value != "top1_flips" else at[value].sum()
        ours = found.data[value].max() if value != "top1_flips" else found.data[value].sum()
        assert float(ours) == float(worst) > 0
    assert "KL divergence of softmax" in errors(
        summary, {}, "formula", "n", "kl_divergence_max"
    ).tables[0].caption  # fmt: skip
    with pytest.raises(ValueError, match="it is measured of no problem here"):
        errors(summary[summary["problem"] == "logsumexp"], {}, "formula", "n", "top1_flips")
    with pytest.raises(ValueError, match="of an earlier fpstudy, has none"):
        errors(summary.drop(columns="top1_flips"), {}, "formula", "n", "top1_flips")


def test_what_was_not_run_or_has_no_value_is_said(report: Path) -> None:
    told = table(report, "--what", "errors", "--only", "dtype=float8_e4m3fn").stdout
    assert "not run |" in told
    assert "cases were not run: a logit of" in told
    given_logits = ["--what", "errors", "--columns", "distribution", "--only", "formula=shifted"]
    told = table(
        report, *given_logits, "--only", "dtype=float16", "--only", "problem=softmax"
    ).stdout
    assert "undefined" in told
    assert "explicit\\[0\\]" in told
    of_magnitude = table(report, "--what", "errors")
    assert "4 cases on given logits, which have no magnitude, are in no table" in (
        of_magnitude.stdout
    )
    assert "--columns distribution shows them" in of_magnitude.stderr


def test_an_arithmetic_is_a_column_where_there_are_several() -> None:
    told = table(REPORTS / "frameworks", "--only", "problem=softmax").stdout
    assert "| problem | dtype | computed by |" in told
    assert "torch, native accumulation" in told


TEXTS = (
    "a|b", "a$b$", "a_b", "50%", "a&b", "a<b>", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)",
    "\t=1", "\r=1", "#x", "~^", "a\\b{c}", "[x]", "*x", "--", "`x`", '"x"', "tab\tnew\nline",
    "\x1b[31m", "\u202eevil", "http://host/x", "![x](y)", "\\input{x}", "$\\infty$", "",
)  # fmt: skip


def of_text(text: str) -> PaperTable:
    cells = (text, Number(1e-9, 2), Number(math.inf), Number(-math.inf), Place(1000.0), Number(7))
    heading = Column(text)
    columns = (heading, *[Column(text, True)] * 5)
    return PaperTable(text, text, columns, (cells, cells), (text,), span=text)


@pytest.mark.parametrize("text", TEXTS)
def test_text_of_others_stays_text(text: str) -> None:
    manifest = {"name": text}
    tables = Tables((of_text(text), of_text(text)), pd.DataFrame({"a": [text], "x": [-1.5]}))
    assert check_latex(written(tables, "latex", 3, manifest)) == 2
    inside = escape(text)
    assert balanced(inside)
    plain = inside.replace("$<$", "").replace("$>$", "")
    assert not re.search(r"(?<!\\)[$&#_%^~]", plain)
    assert not re.match(r"[\[*]", inside)
    assert "--" not in inside
    told = markdown(of_text(text), 3)
    body = [line for line in told.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in body} == {7}
    assert "<b>" not in told and "://" not in told and "\x1b" not in told and "\u202e" not in told
    (row,) = rows_of(comma_separated(tables.data))
    assert row["x"] == "-1.5"
    assert not row["a"].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert (row["a"] == "'" + text) == (text.startswith(("=", "+", "-", "@", "\t")))


def test_numbers_in_every_language() -> None:
    table_of = of_text("x")
    assert "| x | 1.00e-9 (2) | infinite | -infinite | 1000 | 7 |" in markdown(table_of, 3)
    inside = latex(table_of, "tab:x", 2)
    assert "x & $1.0\\times10^{-9}$ (2) & $\\infty$ & $-\\infty$ & $1000$ & $7$ \\\\" in inside
    assert "& \\multicolumn{5}{c}{x} \\\\\n    \\cmidrule(lr){2-6}" in inside
    data = pd.DataFrame({"a": [0.1, math.nan, -math.inf], "n": [1, 2, 3], "b": [True, False, True]})
    assert comma_separated(data) == "a,n,b\n0.1,1,true\n,2,false\n-inf,3,true\n"


@pytest.mark.parametrize("before", ["", " ", "  ", "\xa0", "\u3000", "\u2003 ", "\t", "\v"])
@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-1", "@x"])
def test_no_space_hides_a_formula_from_the_apostrophe(before: str, text: str) -> None:
    (row,) = rows_of(comma_separated(pd.DataFrame({"a": [before + text]})))
    assert row["a"].startswith("'") and row["a"].endswith(text)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300), st.integers(1, 17))
def test_significant_digits_are_correctly_rounded(x: float, digits: int) -> None:
    mantissa, power = significant(x, digits)
    written_value = Decimal(mantissa.replace(",", "")).scaleb(power or 0)
    assert written_value == Decimal(f"{x:.{digits - 1}e}")
    shown = mantissa.lstrip("-").replace(".", "").lstrip("0")
    assert x == 0 or len(shown) == digits


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_a_value_on_an_axis_is_written_whole(x: float) -> None:
    mantissa, power = short(x)
    assert float(Decimal(mantissa).scaleb(power or 0)) == x


def test_headings_stay_apart() -> None:
    assert apart([0.1, 0.31622776601683794, 1.0]) == [0.1, 0.316, 1.0]
    assert apart([3.1622, 3.1623]) == [3.1622, 3.1623]


def test_the_file_is_written_whole_or_not_at_all(report: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.tex"
    done = table(report, "--format", "latex", "--out", out)
    assert (done.exit_code, done.stdout) == (0, f"wrote {out}\n")
    assert out.read_text() == table(report, "--format", "latex").stdout
    assert [path.name for path in tmp_path.iterdir()] == ["t.tex"]
    lost = table(report, "--out", tmp_path / "nowhere" / "t.md")
    assert (lost.exit_code, "nowhere" in lost.stderr) == (74, True)


def test_a_summary_alone_will_do(report: Path, tmp_path: Path, summary: pd.DataFrame) -> None:
    write_csv(summary, tmp_path / "summary.csv")
    alone = table(tmp_path / "summary.csv")
    assert alone.exit_code == 0
    assert alone.stdout.replace("Study unknown", "Study papers") == table(report).stdout


def test_a_table_too_large_for_a_page_is_said(report: Path) -> None:
    only = ("--only", "problem=softmax", "--only", "dtype=float16")
    wide = table(REPORTS / "magnitude_sweep", "--format", "latex", "--what", "errors", *only)
    assert re.search(r"a table of \d+ columns and \d+ rows is too large for a page", wide.stderr)
    assert table(report, "--format", "latex").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--what", "errors", "--rows", "formulla"], "--rows 'formulla': no such column; want one"),
        (["--what", "errors", "--rows", "formulla"], "did you mean formula?"),
        (["--what", "errors", "--columns", "x"], "want one of problem, formula, dtype"),
        (["--what", "errors", "--value", "relative_eror_max"], "did you mean relative_error_max?"),
        (["--what", "errors", "--rows", "n", "--columns", "n"], "are both n: want two axes"),
        (["--rows", "formula"], "--rows goes with --what errors"),
        (["--what", "failures", "--value", "nan"], "--value goes with --what errors"),
        (["--what", "curves"], "'verdicts', 'errors', 'failures'"),
        (["--format", "html"], "'markdown', 'latex', 'csv'"),
        (["--digits", 0], "1<=x<=17"),
        (["--only", "colour=red"], "COLUMN one of problem, formula"),
        (["--only", "dtype=float32"], "no such case; there are float16, float8_e4m3fn"),
        (["--only", "dtype=float16", "--only", "n=9"], "no such case; there are 2, 3, 8"),
        (
            ["--what", "errors", "--only", "distribution=explicit[0]"],
            "no magnitude is an axis: --columns distribution is one",
        ),
    ],
)
def test_bad_arguments_are_refused_with_what_is_allowed(
    report: Path, arguments: list[str | int], words: str
) -> None:
    done = table(report, *arguments)
    assert done.exit_code == 2
    assert words in " ".join(re.sub("│", " ", done.stderr).split())


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("summary.csv", "", "is damaged"),
        ("summary.csv", "a,b\n1,2\n", "is no summary: it has no column problem"),
        ("manifest.json", "[]", "is damaged (not a table)"),
    ],
)
def test_damaged_files_are_said(
    report: Path, tmp_path: Path, name: str, content: str, words: str
) -> None:
    for file in ("summary.csv", "manifest.json"):
        (tmp_path / file).write_text((report / file).read_text())
    (tmp_path / name).write_text(content)
    done = table(tmp_path)
    assert done.exit_code == 2
    assert words in done.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no summary.csv here" in table(empty).stderr


def test_no_flipped_bit_of_a_report_gives_another_number(report: Path, tmp_path: Path) -> None:
    """A summary's digest is of every byte; a manifest's of what it says, not of its blanks."""
    files, rng = ("summary.csv", "manifest.json"), np.random.default_rng(0)
    for file in files:
        shutil.copy(report / file, tmp_path)
    whole = {file: (report / file).read_bytes() for file in files}
    expected, said = read_report(report)
    for flip in range(200):
        file = files[flip % 2]
        damaged = bytearray(whole[file])
        damaged[int(rng.integers(len(damaged)))] ^= 1 << int(rng.integers(8))
        (tmp_path / file).write_bytes(damaged)
        try:
            summary, found = read_report(tmp_path)
        except DamagedError:
            pass
        else:
            assert file == "manifest.json"
            assert summary.equals(expected) and found == said
        (tmp_path / file).write_bytes(whole[file])


def test_an_edited_summary_is_refused_until_it_is_made_anew(report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(report, out)
    path, whole = out / "summary.csv", (report / "summary.csv").read_text()
    path.write_text(whole.replace("1", "2", 1))
    for command in (["table", str(out)], ["table", str(path)], ["show", str(out), "0"]):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 2
        assert f"{path} is not as it was written; fpstudy report makes it anew" in done.stderr
    assert CliRunner().invoke(main, ["report", str(out), "--no-figures"]).exit_code == 0
    assert path.read_text() == whole
    assert table(out).stdout == table(report).stdout


def test_a_column_of_words_is_no_column_of_numbers(
    report: Path, tmp_path: Path, summary: pd.DataFrame
) -> None:
    changed: dict[str, Any] = {"magnitude": "=cmd"}
    write_csv(summary.assign(**changed), tmp_path / "summary.csv")
    done = table(tmp_path)
    assert (done.exit_code, "column magnitude is not numbers" in done.stderr) == (2, True)
    write_csv(summary.head(0), tmp_path / "summary.csv")
    assert "holds no case" in table(tmp_path).stderr


def test_names_of_a_summary_are_escaped(tmp_path: Path, summary: pd.DataFrame) -> None:
    evil = {"shifted": "=cmd|x\\input{y}_%&<b>$"}
    write_csv(summary.replace({"formula": evil}), tmp_path / "summary.csv")
    manifest.write(tmp_path, {"name": "a_b & <i>{"})
    for what in ("verdicts", "errors", "failures"):
        inside = table(tmp_path, "--what", what, "--format", "latex").stdout
        assert check_latex(inside) > 0
        assert "\\input{y}" not in inside
        assert "a\\_b \\& $<$i$>$\\{" in inside
        told = table(tmp_path, "--what", what).stdout
        assert "<b>" not in told and "<i>" not in told
        rows = rows_of(table(tmp_path, "--what", what, "--format", "csv").stdout)
        assert {row["formula"][:2] for row in rows} <= {"'=", "na"}


def test_the_measured_columns_are_those_of_the_summary(summary: pd.DataFrame) -> None:
    assert set(MEASURED) <= set(summary.columns)
    assert "relative_error_max" in MEASURED
    tables = failure_table(summary, {})
    assert tables.data["components"].sum() == summary["components"].sum()
    assert len(verdict_table(summary, {}).tables) == 1
