"""The page of a report: its answer in words, its filters, its commands, its parts."""

import base64
import dataclasses
import hashlib
import json
import math
import os
import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from test_report import HOSTILE, MANIFEST, OWN, Page, case, growth, record, sweep, table

from fpstudy.cli import main
from fpstudy.environment import command_line
from fpstudy.flow import rebuild, run
from fpstudy.formats import FORMATS
from fpstudy.record import FULL_VECTOR, exact_text, samples
from fpstudy.report import verdicts, write_report
from fpstudy.report.answers import answers, listed, sentences
from fpstudy.report.drawing import Data, Drawing
from fpstudy.report.facets import facets_of
from fpstudy.report.figures import figures
from fpstudy.report.formats import formats_of
from fpstudy.report.inlining import inlined
from fpstudy.report.method import method
from fpstudy.report.page import HTML
from fpstudy.report.reproduce import (
    Sample,
    exact_command,
    report_folder,
    show_command,
)
from fpstudy.report.worst import Measured, first_failures, sample_of, worst_rows

# --- the answer ---------------------------------------------------------------------------------


def said(*rows: dict[str, Any]) -> list[str]:
    """The sentences of a made-up summary, without markup."""
    summary = table(*rows)
    found = sentences(summary, verdicts(summary), formats_of(OWN, summary), facets_of(summary))
    return [re.sub(r"</?code>", "`", str(sentence.text)) for sentence in found]


GIVEN = {"distribution": "explicit[0]", "magnitude": math.nan}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (sweep(100.0),
         "Use `shifted`. No failure up to 100, the largest measured, in 4 samples a case. The worst"
         " sample keeps 9 of 11 bits in float16, 22 of 24 bits in float32. First to fail: `naive`"
         " in float16, from 100 (NaN)."),
        (sweep(100.0, formulas=("naive",)),
         "Use `naive`. No failure up to 1 in float16 and float32, in 4 samples a case."
         " The worst sample keeps 11 of 11 bits in float16, 24 of 24 bits in"
         " float32. First to fail: `naive` in float16, from 100 (NaN)."),
        ([case("nan", magnitude=0.5), case("nan", magnitude=2.0)],
         "Use `naive`. Every formula fails already at 0.5. First to fail: `naive` in float16, from"
         " 0.5 (NaN)."),
        ([case(samples=1), case("nan", arithmetic="rounded", samples=4)],
         "Use `naive`. No failure up to 1 in float16, in 1 sample a case; 1 of 2 dtypes"
         " and arithmetics fail from the start. The worst sample keeps 9 of 11"
         " bits in float16. First to fail: `naive` in float16, from 1 (NaN)."),
        ([case(formula=formula, arithmetic=a, bits_kept=kept)
          for formula, a, kept in (("f", "x", 9), ("f", "y", 8), ("g", "z", 7.5))],
         "Use `f` in 2 of 3 dtypes and arithmetics, `g` in 1. No failure up to 1, the largest"
         " measured, in 4 samples a case. The worst sample keeps 7.5 to 9 of 11 bits in float16."
         " No formula failed."),
        ([case(formula=formula, dtype=d)
          for formula, d in (("f", "float16"), ("g", "bfloat16"), ("f", "float32"))],
         "Use `f` (`g` in bfloat16). No failure up to 1, the largest measured, in 4 samples a case."
         " The worst sample keeps 9 of 11 bits in float16, 9 of 8 bits in bfloat16, 9 of 24 bits in"
         " float32. No formula failed."),
        ([case("nan", part=2, **GIVEN)],
         "On the inputs given: use `naive`. 2 of 32 results fail. The worst sample keeps 0 of"
         " 11 bits in float16. Less than one bit, in float16, is no answer: `fpstudy advise` tries"
         " what computes wider."),
        ([case(**GIVEN), case()],
         "Use `naive`. No failure up to 1, the largest measured, in 4 samples a case. The worst"
         " sample keeps 9 of 11 bits in float16. No formula failed. On the inputs given: use"
         " `naive`. No failure among 32 results. The worst sample keeps 9 of 11 bits in float16."),
        ([*sweep(100.0, formulas=("naive",), dtypes=("float16",)), case(dtype="float64")],
         "Use `naive`. No failure up to 1 in float16, 1 (all measured) in float64, in 4 samples a"
         " case. The worst sample keeps 11 of 11 bits in float16, 9 of 53 bits in float64. First to"
         " fail: `naive` in float16, from 100 (NaN)."),
        ([case("nan"), case(formula="f[compute=float32]", bits_kept=11)],
         "Use `naive`. Every formula fails already at 1. First to fail: `naive` in float16, from 1"
         " (NaN). Computing in float32: use `f[compute=float32]`. No failure up to 1, the largest"
         " measured, in 4 samples a case. The worst sample keeps 11 of 11 bits in float16. No"
         " formula failed."),
    ],
    ids=["whole", "ends", "never", "some fail", "arithmetics", "dtypes", "given", "both",
         "ends apart", "wider"],
)  # fmt: skip
def test_each_problem_has_a_sentence(rows: list[dict[str, Any]], sentence: str) -> None:
    found = said(*rows)
    assert found == [sentence]


def test_a_sentence_escapes_names() -> None:
    (sentence,) = said(*sweep(100.0, problem=HOSTILE, formulas=("<b>", "<i>")))
    assert "`&lt;i&gt;`" in sentence and "<b>" not in sentence


def test_no_page_says_safe() -> None:
    summary = table(*sweep(100.0))
    words = " ".join([*said(*sweep(100.0)), *method(MANIFEST, summary)])
    assert "safe" not in words and "never a bound" in words


@pytest.mark.parametrize(
    ("rows", "far", "keeps", "first"),
    [
        (sweep(100.0, dtypes=("float16",)),
         ("no failure up to 100", "in 4 samples a case, all measured"),
         ("worst 9 of 11", "11 at 0.01, 9 at 100"), ("naive fails from 100 (NaN)", "")),
        (sweep(1.0, formulas=("naive",), dtypes=("float16",)),
         ("no failure up to 0.01", "in 4 samples a case, then NaN at 1"),
         ("worst 11 of 11", ""), ("–", "")),
        ([case("nan")], ("fails from the start", "NaN already at 1"), ("–", ""), ("–", "")),
        ([case("nan", part=8, **GIVEN)],
         ("25% fail", "most often NaN, 4 samples a case"), ("worst 0 of 11", ""), ("–", "")),
        ([case(samples=k, n=k) for k in (1, 900)],
         ("no failure up to 1", "in 1 to 900 samples a case, all measured"),
         ("worst 9 of 11", ""), ("–", "")),
    ],
    ids=["whole", "ends", "never", "given", "samples"],
)  # fmt: skip
def test_a_verdict_stands_in_plain_words(
    rows: list[dict[str, Any]], far: Any, keeps: Any, first: Any
) -> None:
    summary, judged = table(*rows), verdicts(table(*rows))
    (inputs,) = judged["inputs"]
    (answer,) = answers(summary, judged, inputs, FORMATS, facets_of(summary))
    assert (answer.far, answer.keeps, answer.first) == (far, keeps, first)


@pytest.mark.parametrize(
    ("words", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")]
)
def test_words_are_listed(words: list[str], text: str) -> None:
    assert listed(words) == text


# --- what the page can be filtered by -----------------------------------------------------------


def test_facets_are_offered_where_there_is_a_choice() -> None:
    facets = facets_of(table(*sweep(100.0), *sweep(100.0, problem="logsumexp")))
    assert {name: list(values.values()) for name, values in facets.offered.items()} == {
        "problem": ["p0", "p1"], "dtype": ["d0", "d1"], "formula": ["f0", "f1"],
    }  # fmt: skip
    assert list(facets.offered["problem"]) == ["softmax", "logsumexp"]
    assert facets.keys(problem=["logsumexp"], formula=["shifted", "naive", "else"]) == "p1 f1 f0"
    assert facets.keys(arithmetic=["numpy, native accumulation"]) == "a0"


def test_a_figure_tells_of_what_its_numbers_name() -> None:
    facets = facets_of(table(*sweep(100.0)))
    bare = Drawing("a", "softmax", "", "", "", "")
    cells = ("float32", "numpy, native accumulation", "shifted", "0.5")
    assert facets.keys_of(bare) == "p0"
    full = dataclasses.replace(bare, data=Data(("dtype", "computed by", "line", "x"), (cells,)))
    assert facets.keys_of(full) == "p0 d1 f1 a0"


# --- commands ----------------------------------------------------------------------------------

STUDY = """
schema = 1
name = "small"
seed = 5
[defaults]
samples = 3
n = 4
magnitude = 30
formula = "shifted"
dtype = "float16"
[[format]]
name = "tf32"
precision = 11
emax = 127
[[sweep]]
problem = ["softmax", "logsumexp"]
dtype = ["float16", "bfloat16"]
formula = ["naive", "shifted"]
masked = [0, 0.5]
offset = -3
magnitude = [1, 30]
[[sweep]]
problem = "softmax"
formula = "all"
dtype = ["float16", "float32"]
base = [0.3, 10]
[[sweep]]
problem = "softmax"
formula = "all"
beta = [0.1, inf]
inputs = "per_dtype"
[[sweep]]
problem = ["cross_entropy", "cross_entropy_gradient"]
dtype = ["float16", "float32"]
target = ["random", "argmin", 2]
labels = ["hard", "smoothed", "soft", "uniform"]
[[sweep]]
problem = "cross_entropy"
reduction = ["mean", "sum"]
batch = 4
ignored = [0, 0.5]
[[sweep]]
problem = "logsumexp"
dtype = "tf32"
arithmetic = "rounded"
accumulation = "sequential"
[[sweep]]
problem = "cross_entropy"
distribution = "explicit"
vectors = [[1, 2, 3]]
labels = [[0.5, 0.25, 0.25]]
[[sweep]]
problem = "logsumexp"
n = 300
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.toml").write_text(STUDY, encoding="utf-8")
    return run(folder / "small.toml", folder / "report", jobs=1, figures=False).directory


def inputs_of(folder: Path) -> tuple[Measured, pd.DataFrame]:
    """What `worst_rows` works on, with a verdict's row for each single case."""
    done = rebuild(folder, figures=False)
    facets, formats = facets_of(done.summary), formats_of(done.manifest, done.summary)
    measured = samples(folder / "record.parquet")
    return Measured(measured, done.summary, done.manifest, formats, facets), done.summary


def commands(measured: Measured) -> dict[int, tuple[Sample, str]]:
    """The worst sample of each case, the one whose inputs are recorded, and its command."""
    written = measured.record[measured.record["worst_input"].astype(str) != ""]
    samples_of = {int(row["case"]): sample_of(measured, row) for _, row in written.iterrows()}
    return {
        number: (sample, exact_command(sample, measured.manifest["seed"]))
        for number, sample in samples_of.items()
    }


def test_every_command_gives_the_recorded_value(small: Path) -> None:
    measured, summary = inputs_of(small)
    found = commands(measured)
    ran = summary.index[summary["skipped"] == 0]
    assert sorted(found) == sorted(ran) and len(found) > 80
    bare = {number for number, (_, command) in found.items() if not command}
    explicit, long = summary["labels"] == "explicit[0]", summary["n"] > FULL_VECTOR
    assert bare == set(summary.index[explicit | long]) and len(bare) == 2
    for sample, command in list(found.values())[::2]:
        if command:
            assert value(command, sample.component) == exact_text(sample.exact, sample.exponent)


def value(command: str, component: int) -> str:
    """What a printed command prints for the component, as the float64 that a record holds."""
    program, *words = shlex.split(command)
    assert program == "fpstudy"
    result = CliRunner().invoke(main, [*words, "--json"])
    assert result.exit_code == 0, result.output
    texts = json.loads(result.stdout)["value"]
    text = texts[component] if isinstance(texts, list) else texts
    return repr(float(text))


def test_cards_name_the_case_that_the_summary_has(small: Path) -> None:
    measured, summary = inputs_of(small)
    for row in worst_rows(measured, verdicts(summary)):
        told = summary.loc[row.case]
        assert (told["formula"], told["dtype"]) == (row.formula, row.dtype)
        assert row.again == show_command(measured.manifest, row.case)
        assert f"n = {told['n']}" in row.where


def test_cards_show_the_sample_with_the_largest_error() -> None:
    """Of all samples up to the magnitude that the formula reached."""
    summary = table(case(magnitude=1.0), case(magnitude=10.0), case("nan", magnitude=100.0))
    errors = [3.0, 9.0, 1.0, 2.0, 4.0, 8.0, 2.0, 1.0, *[math.inf] * 4]
    rows = record(summary).assign(ulp_error=errors, worst_component=np.arange(12))
    measured = Measured(rows, summary, MANIFEST, FORMATS, facets_of(summary))
    (row,) = worst_rows(measured, verdicts(summary))
    assert (row.component, row.ulps, row.case) == ("1", "9", 0)


def test_no_command_where_the_value_is_not_the_recorded_one(small: Path) -> None:
    measured, summary = inputs_of(small)
    softmax = verdicts(summary[summary["problem"] == "softmax"])
    assert all(row.exactly for row in worst_rows(measured, softmax))
    off = measured.record.assign(worst_exact=measured.record["worst_exact"] * (1 + 2.0**-40))
    tampered = dataclasses.replace(measured, record=off)
    nonzero = [row for row in worst_rows(tampered, softmax) if float(row.exact)]
    assert nonzero and not any(row.exactly for row in nonzero)


def test_the_first_failure_is_that_at_the_least_magnitude(small: Path) -> None:
    measured, summary = inputs_of(small)
    rows = first_failures(measured, verdicts(summary))
    assert {row.outcome for row in rows} >= {"NaN", "spurious overflow"}
    found = [row for row in rows if row.problem == "logsumexp" and row.dtype == "float16"]
    assert found and all(row.formula == "naive" and "M = 30" in row.where for row in found)
    assert all(math.isinf(float(row.value)) for row in found)


@pytest.mark.parametrize(
    ("manifest", "folder"),
    [
        ({"name": "a", "command": "fpstudy run a.toml"}, "reports/a"),
        ({"name": "a", "command": "fpstudy run a.toml --out x/y --jobs 2"}, "x/y"),
        ({"name": "a", "command": "fpstudy run a.toml --out=x"}, "x"),
        ({"name": "a", "command": "fpstudy run a.toml --out 'my dir'"}, "my dir"),
        ({"name": "a", "command": "fpstudy run '--out=my dir' a.toml"}, "my dir"),
        ({"name": "a", "command": "fpstudy run it's.toml --out x"}, "x"),
        ({"name": "a", "only": {"n": ["2"], "dtype": ["b", "a"]}}, "reports/a.dtype=a+b.n=2"),
        ({"name": "a", "only": {}, "command": "fpstudy run a.toml --out"}, "reports/a"),
    ],
)
def test_a_command_names_the_folder_of_the_report(manifest: dict[str, Any], folder: str) -> None:
    assert report_folder(manifest) == folder
    assert shlex.split(show_command(manifest, 7)) == ["fpstudy", "show", folder, "7"]


def test_the_command_of_a_folder_with_a_space_leads_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/bin/fpstudy", "run", "it's.toml", "--out", "my dir"])
    assert shlex.split(command_line()) == ["fpstudy", "run", "it's.toml", "--out", "my dir"]
    assert show_command({"command": command_line()}, 3) == "fpstudy show 'my dir' 3"


def test_a_command_is_text_whatever_bytes_a_name_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/bin/fpstudy", "run", os.fsdecode(b"gr\xc3\xb6\xff.toml")])
    assert command_line() == "fpstudy run 'gr\u00f6\\xff.toml'"


def test_the_whole_case_can_be_shown_again(small: Path) -> None:
    measured, _ = inputs_of(small)
    there = dict(measured.manifest) | {"command": f"fpstudy run small.toml --out {small}"}
    for number in list(commands(measured))[::30]:
        _, *words = shlex.split(show_command(there, number))
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
        assert str(measured.summary["problem"][number]) in result.stdout


# --- the page as a whole -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    summary = table(
        *sweep(1.0), *sweep(100.0, problem=HOSTILE), *growth(magnitude=1.0),
        *(case(distribution=f"explicit[{k}]", magnitude=math.nan, samples=1) for k in (0, 1)),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("page")
    (folder / "record.parquet").touch()
    write_report(folder, record(summary), summary, OWN, [_claim()], recorded=True)
    return (folder / "index.html").read_text(encoding="utf-8"), folder


def _claim() -> dict[str, Any]:
    curve = {"x": [1.0, 2.0], "y": [0.0, 1.0]}
    return {
        "says": "1 is 2", "verdict": "refuted", "evidence": "it is 1",
        "reproduce": "fpstudy doctor",
        "table": {"columns": ["x"], "rows": [["1"]]},
        "figure": {"title": "f", "caption": "c", "x_label": "x", "y_label": "y",
                   "curves": {"a": curve}},
    }  # fmt: skip


def digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_allows_this_style_and_this_script_only(page: tuple[str, Path]) -> None:
    text, _ = page
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.replace("&#39;", "'").split(";"))
    assert rules == {
        "default-src": "'none'", "style-src": f"'{digest(style)}'",
        "script-src": f"'{digest(script)}'", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
    names = {name for _, name, _ in Page(text).attributes}
    assert "style" not in names and not [name for name in names if name.startswith("on")]


def test_the_answer_comes_first(page: tuple[str, Path]) -> None:
    text, _ = page
    order = ["<h1>", 'class="question"', 'id="answer"', 'id="verdicts"', 'id="given"',
             'id="claims"', 'id="figures"', 'id="worst"', 'id="failures"', 'id="not-run"',
             'id="method"', 'id="reading"', 'id="environment"', 'id="downloads"']  # fmt: skip
    places = [text.index(mark) for mark in order]
    assert places == sorted(places)


def test_claims_are_the_answer_of_a_study_without_verdicts(tmp_path: Path) -> None:
    summary = table(case("skipped"))
    write_report(tmp_path, record(summary), summary, MANIFEST, [_claim()])
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert text.index("1 refuted") < text.index('id="claims"') < text.index('id="failures"')
    assert "verdicts" not in set(re.findall(r'id="([^"]*)"', text))


def test_headings_do_not_skip_a_level_and_tables_name_their_columns(page: tuple[str, Path]) -> None:
    tags = Page(page[0]).tags
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert max(np.diff(levels)) == 1
    assert tags.count("caption") == tags.count("table")
    scopes = [v for tag, name, v in Page(page[0]).attributes if (tag, name) == ("th", "scope")]
    assert tags.count("th") == len(scopes) and set(scopes) == {"col", "row", "rowgroup"}


def test_links_lead_to_what_is_there(page: tuple[str, Path]) -> None:
    text, folder = page
    attributes = Page(text).attributes
    ids = [v for _, name, v in attributes if name == "id"]
    links = {v for tag, name, v in attributes if (tag, name) == ("a", "href")}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    files = {link for link in links if not link.startswith("#")}
    made_later = {"summary.csv", "manifest.json"}  # by `flow.rebuild`, around the page
    assert all((folder / link).is_file() for link in files - made_later)
    assert "record.parquet" in files
    assert len([name for name in ids if name.startswith("verdict-")]) == text.count(
        '<th scope="row">'
    ) - len(re.findall(r'<th scope="row">[^<]*</th><td', text))


def test_every_figure_has_its_numbers_a_click_away(page: tuple[str, Path]) -> None:
    text, _ = page
    summary = table(*sweep(1.0))
    drawn = [d for d in figures(summary, record(summary)) if d.data]
    told = text.count('<details class="data">')
    assert told >= len(drawn)
    data = Data(("dtype", HOSTILE), (("float16", HOSTILE),))
    drawing = Drawing("x", "softmax", "t", "c", "a", "", data)
    macros = HTML.from_string(
        '{% from "parts.html.jinja" import figure with context %}{{ figure(drawing) }}'
    )
    shown = macros.render(drawing=drawing, figures={"x": ""})
    assert shown.count("<th scope=") == 2 and "float16" in shown
    assert "<script" not in shown and "</td></svg>" not in shown


def test_numbers_break_only_between(small: Path) -> None:
    whole = HTML.filters["whole"]
    text = "fpstudy exact softmax --logits '0x1p+0,-0x1p-1; <b>,2' --dtype float16"
    shown = str(whole(text))
    assert re.sub(r"<[^>]*>", "", shown) == text.replace("'", "&#39;").replace("<b>", "&lt;b&gt;")
    assert "<span>-0x1p-1;</span>" in shown


def test_figures_within_the_page_are_the_same_drawings_in_fewer_bytes() -> None:
    summary = table(*sweep(1.0))
    drawings = list(figures(summary, record(summary)))
    found = inlined(drawings)
    for drawing in drawings:
        text = str(found.figures[drawing.name])
        small, whole = ET.fromstring(text), ET.fromstring(drawing.svg)
        assert len(text) < len(drawing.svg)
        for tag in ("path", "text", "use", "clipPath"):
            name = f"{{http://www.w3.org/2000/svg}}{tag}"
            assert len(list(small.iter(name))) == len(list(whole.iter(name)))
        assert drawing.title in small.attrib["aria-label"]
        classes = {e.attrib["class"] for e in small.iter() if "class" in e.attrib}
        assert classes and all(f".{name}{{" in found.css for name in classes)
    assert "#1b1f24" not in found.css and "var(--ink)" in found.css


def test_a_style_that_would_leave_its_rule_is_refused() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="1pt" height="1pt"><path style="a}"/></svg>'
    )
    with pytest.raises(ValueError, match=r"no list of declarations: 'a}'"):
        inlined([Drawing("x", "", "", "", "", svg)])


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (MANIFEST, "enclosed by ball arithmetic (Arb)"),
        (MANIFEST | {"engine": "mpmath", "proven": False}, "stored, computed by mpmath"),
        (MANIFEST | {"engine": "double_double"}, "enclosed by pairs of float64"),
        ({}, "at the inputs as they are stored. No result"),
    ],
)
def test_the_method_says_how_the_exact_values_came_about(
    manifest: dict[str, Any], words: str
) -> None:
    told = method(manifest, table(*sweep(1.0)))
    assert words in told[0]
    assert any("values that all dtypes of a sweep hold" in line for line in told)
