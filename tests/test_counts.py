"""Counts are conserved: whatever is planted in a study stands in every table, page and figure.

Formulas of the user's own fail in every way beside one that does not, for each problem, dtype and
magnitude; one dtype is refused throughout, and one at the largest magnitude. What each case must
count is worked out here from what was planted alone.
"""

import csv
import io
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import fpstudy
from fpstudy.cli import main
from fpstudy.flow import Run
from fpstudy.outcomes import FAILURES, NAMES
from fpstudy.problems import PROBLEMS
from fpstudy.record import samples as samples_of_record
from fpstudy.report import outcomes, verdicts
from fpstudy.report.figures import figures
from fpstudy.report.formats import formats_of
from fpstudy.report.terminal import print_verdicts

MODULE = "planted_formulas"
# Each takes what an honest formula gives and spoils it; y is (samples, n) or (samples,).
FORMULAS = f"""
import os
import time

import numpy as np

from fpstudy.problems import PROBLEMS


def honest(y):
    return y


def nan_once(y):
    y.flat[0] = np.nan
    return y


def infinite_once(y):
    y.flat[0] = np.inf
    return y


def nan_at_one_sample(y):
    y[-1] = np.nan
    return y


def all_nan(y):
    return y * np.nan


def all_infinite(y):
    return np.full_like(y, np.inf)


def raises(y):
    raise ZeroDivisionError("planted | <b>here</b>")


def wrong_shape(y):
    return y[..., None]


def hangs(y):
    time.sleep(60)
    return y


def dies(y):
    os._exit(9)


def spoiled(problem, how):
    def formula(*arrays):
        return how(PROBLEMS[problem].formulas["shifted"].text(np, *arrays))

    return formula


for _problem in {list(PROBLEMS)}:
    for _how in (
        honest, nan_once, infinite_once, nan_at_one_sample, all_nan, all_infinite, raises,
        wrong_shape, hangs, dies,
    ):
        globals()[f"{{_problem}}_{{_how.__name__}}"] = spoiled(_problem, _how)
"""
N, SAMPLES = 3, 4
OFFSET = 500.0  # beyond float8_e4m3fn's 448, so that it is refused throughout
MAGNITUDES = (1.0, 3.0, 1e5)  # the last one beyond float16's 65504
DTYPES = ("float16", "float32", "float8_e4m3fn")


@dataclass(frozen=True)
class Planted:
    """What a formula must end in: an outcome, of so many components of a vector and samples.

    samples: those that fail; one alone fails in one component, if not `whole`
    """

    outcome: str
    samples: int
    whole: bool


PLANTED: dict[str, Planted] = {
    "honest": Planted("", 0, False),
    "nan_once": Planted("nan", 1, False),
    "infinite_once": Planted("spurious_overflow", 1, False),
    "nan_at_one_sample": Planted("nan", 1, True),
    "all_nan": Planted("nan", SAMPLES, True),
    "all_infinite": Planted("spurious_overflow", SAMPLES, True),
    "raises": Planted("crashed", SAMPLES, True),
    "wrong_shape": Planted("bad_output", SAMPLES, True),
}


def width(problem: str) -> int:
    return N if PROBLEMS[problem].vector else 1


def skips(dtype: str, magnitude: float) -> bool:
    return dtype == "float8_e4m3fn" or (dtype == "float16" and magnitude > 65504)


def kind(formula: str, problem: str) -> str:
    return formula.removeprefix(f"{MODULE}:{problem}_")


def failing(problem: str, how: str) -> int:
    """Components of a case that must fail, where it runs."""
    planted = PLANTED[how]
    return planted.samples * (width(problem) if planted.whole else 1)


STUDY = """
schema = 1
name = "counts"
"""
SWEEP = """
[[sweep]]
problem = "{problem}"
formula = {formulas}
dtype = {dtypes}
n = {n}
distribution = "uniform"
magnitude = {magnitudes}
offset = {offset}
samples = {samples}
inputs = "per_dtype"
"""


def sweep(problem: str, hows: list[str]) -> str:
    return SWEEP.format(
        problem=problem, formulas=[f"{MODULE}:{problem}_{how}" for how in hows],
        dtypes=list(DTYPES), n=N, magnitudes=list(MAGNITUDES), offset=OFFSET, samples=SAMPLES,
    ).replace("'", '"') + 'target = "argmax"\n' * PROBLEMS[problem].labels  # fmt: skip


def run(folder: Path, text: str, *options: object) -> Run:
    (folder / f"{MODULE}.py").write_text(FORMULAS)
    (folder / "counts.toml").write_text(text)
    sys.modules.pop(MODULE, None)
    arguments = ["run", folder / "counts.toml", "--out", folder / "out", "--jobs", 1, *options]
    result = CliRunner().invoke(main, [*map(str, arguments), "--allow-code", MODULE])
    assert result.exit_code in (0, 3), result.output
    done = fpstudy.rebuild(folder / "out", figures="--no-figures" not in options)
    assert (f"{done.manifest['cases']['crashed']:,} crashed" in result.stdout) == (
        result.exit_code == 3
    )
    return done


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    text = STUDY + "".join(sweep(problem, list(PLANTED)) for problem in PROBLEMS)
    return run(tmp_path_factory.mktemp("counts"), text)


GROUPS = list(product(PROBLEMS, PLANTED, DTYPES, MAGNITUDES))
CRASHES = [how for how, planted in PLANTED.items() if planted.outcome in ("crashed", "bad_output")]


def expected() -> pd.DataFrame:
    """What each case counts: components, those that fail, the outcome, whether it was skipped."""
    rows = []
    for problem, how, dtype, M in GROUPS:
        components, skipped = SAMPLES * width(problem), skips(dtype, M)
        rows.append({
            "problem": problem, "how": how, "dtype": dtype, "magnitude": M,
            "components": components, "skipped": components * skipped,
            "failing": failing(problem, how) * (not skipped), "outcome": PLANTED[how].outcome,
        })  # fmt: skip
    return pd.DataFrame(rows)


KEYS = ["problem", "how", "dtype"]


def with_how(frame: pd.DataFrame) -> pd.DataFrame:
    names = [kind(f, p) for f, p in zip(frame["formula"], frame["problem"], strict=True)]
    return frame.assign(how=names)


def test_every_case_ends_as_was_planted(done: Run) -> None:
    summary = with_how(done.summary).set_index([*KEYS, "magnitude"]).sort_index()
    cases = expected().set_index([*KEYS, "magnitude"]).sort_index()
    assert summary.index.tolist() == cases.index.tolist()
    assert (summary[list(NAMES)].sum(axis=1) == summary["components"]).all()
    for column in ("components", "skipped"):
        assert (summary[column] == cases[column]).all(), column
    failed = summary[list(FAILURES)].sum(axis=1) - summary["flushed_subnormal"]
    assert (failed == cases["failing"]).all()
    for name in FAILURES:
        own = cases["failing"].where(cases["outcome"] == name, 0)
        assert (
            (summary[name] - (name == "spurious_underflow") * summary["flushed_subnormal"])
            .eq(own)
            .all()
        ), name
    errors = [column for column in summary if str(column).endswith(("_median", "_max"))]
    some, half = cases["failing"] > 0, cases["failing"] >= cases["components"]
    assert (summary.loc[some, "relative_error_max"] == np.inf).all()
    assert (summary.loc[half, "relative_error_median"] == np.inf).all()
    assert summary.loc[cases["skipped"] > 0, errors].isna().all(axis=None)
    assert (summary.loc[some, "bits_kept_min"] == 0).all()


def test_the_record_holds_all_of_it_and_the_manifest_says_so(done: Run) -> None:
    record, cases = with_how(done.record), expected()
    assert (record[list(NAMES)].sum(axis=1) == record["components"]).all()
    assert record["components"].sum() == cases["components"].sum()
    assert record["case"].nunique() == len(cases)
    sizes = record.groupby("case").size()
    ended = Counter(
        "skipped" if case["skipped"] else "crashed" if case["how"] in CRASHES else "run"
        for case in cases.to_dict("records")
    )
    assert sizes.sum() == ended["run"] * SAMPLES + ended["skipped"] + ended["crashed"]
    counts = done.manifest["cases"]
    assert counts == {"total": len(cases)} | ended
    assert counts["total"] == counts["run"] + counts["skipped"] + counts["crashed"]


def test_the_table_of_outcomes_adds_up(done: Run) -> None:
    table = outcomes(done.summary).rename(columns={"problem": "variant"})
    table["problem"] = table["variant"].str.partition(" (")[0]
    sums = with_how(table).set_index(KEYS).sort_index()
    cases = expected().groupby(KEYS)[["components", "skipped", "failing"]].sum()
    for column in cases:
        assert (sums[column] == cases[column]).all(), column
    assert (sums[list(NAMES)].sum(axis=1) == sums["components"]).all()


def test_verdicts_count_what_was_run_and_name_every_formula(done: Run) -> None:
    """In each problem and dtype that ran; 1e5 is beyond float16 and takes part in no verdict."""
    table = verdicts(done.summary)
    assert len(table) == len(PROBLEMS) * 2
    cases = expected()
    cases = cases[cases["skipped"] == 0]
    for row in table.to_dict("records"):
        problem = row["problem"].partition(" (")[0]
        assert kind(row["formula"], problem) == "honest"
        own = cases[(cases["problem"] == problem) & (cases["dtype"] == row["dtype"])]
        honest = own[own["how"] == "honest"]
        assert row["components"] == honest["components"].sum()
        assert row["samples"] == SAMPLES * len(honest)
        assert (row["failing"], row["largest_magnitude"]) == (0, honest["magnitude"].max())
        fails = [f"{MODULE}:{problem}_{how} fails from 1 " for how in PLANTED if how != "honest"]
        assert all(text in row["others"] for text in fails), row["others"]


def numbers(text: str) -> int:
    return int(text.replace(",", ""))


def check_failure_table(head: list[str], rows: list[list[str]], found: pd.DataFrame) -> None:
    """A table of failure counts in words: its rows are the groups, its columns add up."""
    assert len(rows) == len(found)
    place = {name: head.index(name) for name in head}
    results = place.get("components", place.get("results", -1))
    for name, column in ((results, "components"), (place["failing"], "failing"),
                         (place["not run"], "skipped")):  # fmt: skip
        assert sum(numbers(row[name]) for row in rows) == found[column].sum(), column
    for row in rows:
        outcomes_said, _, _ = row[place["which"]].partition("outside m")
        said = re.findall(r"[A-Za-z] ([\d,]*\d)", outcomes_said)
        assert sum(map(numbers, said)) == numbers(row[place["failing"]]), row


GROUPED = ["problem", "formula", "dtype"]


def grouped(done: Run) -> pd.DataFrame:
    return outcomes(done.summary)


def test_the_command_table_counts_all_of_it(done: Run) -> None:
    command = ["table", str(done.directory), "--what", "failures", "--format"]
    said = CliRunner().invoke(main, [*command, "csv"]).stdout
    rows = list(csv.DictReader(io.StringIO(said)))
    cases = expected()
    for column in ("components", "skipped", "failing"):
        assert sum(int(row[column]) for row in rows) == cases[column].sum()
    assert sum(int(row[name]) for row in rows for name in NAMES) == cases["components"].sum()
    printed = CliRunner().invoke(main, [*command, "markdown"]).stdout
    head, *rest = markdown_table(printed, "problem")
    check_failure_table(head, rest, grouped(done))
    skipped = int((cases["skipped"] > 0).sum())
    assert f"{skipped} of {len(cases)} cases were not run" in printed


def markdown_table(text: str, first: str) -> list[list[str]]:
    """The last table whose head begins with a word: its head and rows, as text."""
    lines = text.splitlines()
    starts = [k for k, line in enumerate(lines) if line.startswith(f"| {first} |")]
    start, table = starts[-1], []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        cells = line.replace("\\|", "\0").strip().strip("|").split("|")
        table.append([cell.replace("\0", "|").strip().replace("\\", "") for cell in cells])
    return [table[0], *table[2:]]


class Tables(HTMLParser):
    """The tables of a page by their captions, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[str]]]] = []
        self.words, self._caption, self._cell = "", "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        if tag == "table":
            self.tables.append(("", []))
        elif tag == "tr" and self.tables:
            self.tables[-1][1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][1][-1].append("")
            self._cell = True
        elif tag == "caption":
            self._caption = "open"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False
        elif tag == "caption":
            self._caption = ""

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._caption:
            said, rows = self.tables[-1]
            self.tables[-1] = (said + data, rows)
        elif self._cell:
            self.tables[-1][1][-1][-1] += data

    def table(self, caption: str) -> list[list[str]]:
        (rows,) = (rows for said, rows in self.tables if caption in said)
        return rows


def page_of(done: Run) -> Tables:
    return Tables((done.directory / "index.html").read_text())


def size_sentence(done: Run) -> str:
    cases = expected()
    sums = cases["components"].sum(), cases["skipped"].sum()
    return f"{len(cases):,} cases, {sums[0]:,} results, {sums[1]:,} not run."


def test_the_page_counts_all_of_it(done: Run) -> None:
    page = page_of(done)
    head, *rows = page.table("What became of the components of each formula")
    check_failure_table(head, rows, grouped(done))
    assert size_sentence(done) in page.words
    _, *reasons = page.table("Cases that were not run, and why")
    assert sum(numbers(row[-1]) for row in reasons) == (done.summary["reason"] != "").sum()
    assert "skipped" in page.words
    crashed = [row for row in reasons if "ZeroDivisionError: planted | <b>here</b>" in row[2]]
    assert crashed


def test_the_readme_counts_all_of_it(done: Run) -> None:
    text = (done.directory / "README.md").read_text()
    head, *rows = markdown_table(text, "problem")
    assert head[-1] == "not run"
    check_failure_table(head, rows, grouped(done))
    assert size_sentence(done) in text
    _, *reasons = markdown_table(text, "dtype")
    assert sum(numbers(row[-1]) for row in reasons) == (done.summary["reason"] != "").sum()


LETTERS = {"nan": "N", "spurious_overflow": "I", "crashed": "C", "bad_output": "B", "": "·"}


def test_the_maps_of_failures_show_each_of_them(done: Run) -> None:
    """In figure, number table, alternative text and page: every group has its field."""
    cases = expected()
    page = page_of(done)
    drawn = drawings(done)
    for problem in PROBLEMS:
        (figure,) = (d for d in drawn if d.name == f"failures_{stem(d, problem)}")
        own = cases[cases["problem"] == problem]
        ran = own[own["skipped"] == 0]
        said = f"{ran['failing'].sum()} of {ran['components'].sum()} components fail"
        assert said in figure.alternative
        assert said in (done.directory / "index.html").read_text()
        assert said in (done.directory / "README.md").read_text()
        assert f'aria-label="{figure.title}"' in figure.svg or figure.title in figure.svg
        rows = {(row[0], kind(row[2], problem)): row[3:] for row in figure.data.rows}
        letters = Counter()
        for (dtype, how), fields in rows.items():
            for M, field in zip(MAGNITUDES, fields, strict=True):
                planted = PLANTED[how]
                count = failing(problem, how)
                fine = f"{LETTERS[planted.outcome]} {count} of {SAMPLES * width(problem)}"
                fine = fine if planted.outcome else f"{field[0]} 0 of {SAMPLES * width(problem)}"
                assert field == ("not run" if skips(dtype, M) else fine)
                letters["-" if field == "not run" else field[0]] += 1
        assert len(rows) == len(PLANTED) * len(DTYPES)
        texts = Counter(svg_texts(figure.svg))
        assert all(texts[letter] >= count for letter, count in letters.items()), letters
        assert [list(row) for row in figure.data.rows] == page.table(f": {figure.title}")[1:]


def svg_texts(svg: str) -> list[str]:
    class Texts(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: list[str] = []

        def handle_data(self, data: str) -> None:
            self.found.append(data.strip())

    parser = Texts()
    parser.feed(svg)
    return parser.found


def drawings(done: Run) -> list:
    record = samples_of_record(done.directory / "record.parquet")
    return list(figures(done.summary, record, formats_of(done.manifest, done.summary)))


def stem(drawing: object, problem: str) -> str:
    """The figure's problem, where it is this one."""
    return drawing.name.partition("_")[2] if drawing.problem.partition(" (")[0] == problem else "-"


def test_the_curves_count_every_sample(done: Run) -> None:
    """Also those of a case that raised, which has one row in the record: four samples."""
    drawn = drawings(done)
    for problem in PROBLEMS:
        (figure,) = (d for d in drawn if d.name == f"error_{stem(d, problem)}")
        head = figure.data.columns
        assert head[-2:] == ("samples", "samples not finite")
        for row in figure.data.rows:
            how, dtype = kind(row[head.index("line")], problem), row[0]
            ran = not skips(dtype, float(row[head.index("line") + 1]))
            assert numbers(row[-2]) == SAMPLES * ran
            assert numbers(row[-1]) == PLANTED[how].samples * ran
            assert (row[-3] == "inf") == (PLANTED[how].samples * ran > 0)
            assert (row[-4] == "inf") == (PLANTED[how].samples * ran * 2 > SAMPLES)
        assert len(figure.data.rows) == len(PLANTED) * len(MAGNITUDES) * 2


def test_the_maps_of_bits_say_none_is_kept_or_not_run(done: Run) -> None:
    for figure in drawings(done):
        if not figure.name.startswith("bits_"):
            continue
        problem = figure.problem.partition(" (")[0]
        for dtype, _, line, *fields in figure.data.rows:
            for M, field in zip(MAGNITUDES, fields, strict=True):
                how = kind(line, problem)
                if skips(dtype, M):
                    assert field == "not run"
                else:
                    assert (field == "0") >= (PLANTED[how].samples > 0), (line, field)


@pytest.mark.parametrize(
    "hows", [["raises"], ["all_nan"], ["wrong_shape", "all_infinite"]], ids=str
)
def test_a_study_of_failures_alone_hides_none(
    hows: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    done = run(tmp_path, STUDY + sweep("softmax", hows) + sweep("logsumexp", hows))
    cases = expected()
    own = cases[cases["how"].isin(hows) & cases["problem"].isin(["softmax", "logsumexp"])]
    assert outcomes(done.summary)["failing"].sum() == own["failing"].sum() > 0
    table = verdicts(done.summary)
    assert len(table) == 4  # two problems in two dtypes
    assert table["largest_magnitude"].isna().all()
    assert (table["failing"] == table["components"]).all()
    print_verdicts(done.summary)
    assert capsys.readouterr().out.count("no magnitude") == 4
    page = page_of(done)
    head, *rows = page.table("What became of the components of each formula")
    check_failure_table(head, rows, grouped(done))
    for figure in drawings(done):
        ran = own[(own["problem"] == figure.problem) & (own["skipped"] == 0)]
        if figure.name.startswith("failures"):
            said = f"{ran['failing'].sum()} of {ran['components'].sum()} components fail"
            assert said in figure.alternative
        if figure.name.startswith("error"):
            assert sum(numbers(row[-1]) for row in figure.data.rows) == SAMPLES * len(ran)


def test_a_study_without_a_result_counts_what_it_skipped(tmp_path: Path) -> None:
    text = STUDY + sweep("softmax", ["honest", "all_nan"])
    done = run(tmp_path, text.replace(json.dumps(DTYPES), '["float8_e4m3fn"]'))
    components = 2 * len(MAGNITUDES) * SAMPLES * N
    counted = outcomes(done.summary)
    assert counted["skipped"].tolist() == [components / 2] * 2
    assert counted["failing"].tolist() == [0, 0]  # what was not run has not failed
    assert verdicts(done.summary).empty
    assert done.manifest["cases"] == {
        "total": 6, "run": 0, "skipped": 6, "crashed": 0
    }  # fmt: skip
    for name in ("README.md", "index.html"):
        page = (done.directory / name).read_text()
        assert f"6 cases, {components} results, {components} not run." in page
    head, *rows = page_of(done).table("What became of the components of each formula")
    check_failure_table(head, rows, grouped(done))


def test_what_is_undefined_is_counted_where_no_error_is(tmp_path: Path) -> None:
    """All logits masked: no exact value, no error, and every component in its count."""
    text = STUDY + sweep("softmax", ["honest", "raises", "all_infinite"]) + "masked = 1\n"
    done = run(tmp_path, text, "--no-figures")
    ran = with_how(done.summary[done.summary["skipped"] == 0])
    undefined = ran.groupby("how")["undefined"].sum()
    components = ran.groupby("how")["components"].sum()
    assert undefined["honest"] == components["honest"] == len(MAGNITUDES) * 2 * SAMPLES * N
    assert ran.groupby("how")["finite_for_undefined"].sum()["all_infinite"] == components["honest"]
    assert ran.groupby("how")["crashed"].sum()["raises"] == components["raises"]
    assert ran.loc[ran["how"] == "honest", "relative_error_max"].isna().all()
    head, *rows = page_of(done).table("What became of the components of each formula")
    check_failure_table(head, rows, grouped(done))


def test_more_reasons_than_are_spelled_out_are_counted_together(tmp_path: Path) -> None:
    """Thirty magnitudes beyond float16, each refused for a reason of its own."""
    text = STUDY + sweep("softmax", ["honest"]).replace(
        str(list(MAGNITUDES)), str([1.0, *(1e5 * k for k in range(1, 31))])
    ).replace(json.dumps(DTYPES), '["float16", "float8_e4m3fn"]')
    done = run(tmp_path, text, "--no-figures")
    assert (done.summary["reason"] != "").sum() > 30
    _, *reasons = page_of(done).table("Cases that were not run, and why")
    assert "other reasons" in reasons[-1][2]
    assert sum(numbers(row[-1]) for row in reasons) == (done.summary["reason"] != "").sum()


def test_what_hangs_or_ends_its_process_is_counted_whole(tmp_path: Path) -> None:
    """In every case of its own; the other formulas' results are there."""
    magnitudes = MAGNITUDES[:2]
    text = STUDY + sweep("softmax", ["honest", "hangs", "dies"])
    text = text.replace(json.dumps(DTYPES), '["float32"]')
    text = text.replace(str(list(MAGNITUDES)), str(list(magnitudes)))
    done = run(tmp_path, text, "--no-figures", "--timeout", "5")
    cases, components = len(magnitudes), len(magnitudes) * SAMPLES * N
    assert done.manifest["cases"] == {
        "total": 3 * cases, "run": cases, "skipped": 0, "crashed": 2 * cases
    }  # fmt: skip
    counted = with_how(outcomes(done.summary)).set_index("how")
    assert (counted[list(NAMES)].sum(axis=1) == components).all()
    assert counted["failing"].to_dict() == {"honest": 0, "hangs": components, "dies": components}
    assert counted.loc["hangs", "timeout"] == counted.loc["dies", "crashed"] == components
    assert done.summary["top1_flips"].sum() == 2 * cases * SAMPLES
    head, *rows = page_of(done).table("What became of the components of each formula")
    check_failure_table(head, rows, grouped(done))
    _, *reasons = page_of(done).table("Cases that were not run, and why")
    assert sum(numbers(row[-1]) for row in reasons) == 2 * cases
