"""What a notebook shows of a run, and the tutorial: clean as committed, and true when run anew."""

import importlib.util
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import fpstudy
from fpstudy import progress
from fpstudy.calculator import MOST_SHOWN
from fpstudy.flow import Run
from fpstudy.report.notebook import MOST_ROWS
from fpstudy.summary import read_csv

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
TUTORIAL = EXPERIMENTS / "tutorial.ipynb"
HOSTILE = "<script>alert('x')</script> $x$ |a| **b** [c](d) & \u202e"
STUDY: dict[str, Any] = {
    "name": "shown",
    "title": "Shown <b>here</b>",
    "question": "A & B?",
    "sweep": [
        {"problem": "softmax", "dtype": ["float16", "float32"], "n": 4, "magnitude": [1, 100]},
    ],
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fpstudy.run(STUDY, tmp_path_factory.mktemp("shown"), figures=False)


class Page(HTMLParser):
    """The text of some HTML, its tags, and the addresses of its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        assert self.open == []
        return " ".join(" ".join(self.words).split())


def test_a_run_shows_its_verdicts(done: Run) -> None:
    html = done._repr_html_()
    page = Page(html)
    assert page.tags.count("tr") == 1 + len(done.verdicts)
    for words in (
        "Shown <b>here</b>", "A & B?", "float16 (11)", "numpy, native accumulation",
        "20 cases measured.", "all agree", "Undecided truths: 0", "never a bound",
    ):  # fmt: skip
        assert words in page.text
    assert set(done.verdicts["formula"]) <= set(page.text.split())
    assert not re.search(r"colou?r|background|script|<style", html)
    assert len(html) < 4_000


def test_a_run_is_a_line_where_there_is_no_html(done: Run, monkeypatch: Any) -> None:
    monkeypatch.chdir(done.directory.parent)
    assert re.fullmatch(
        r"<Run shown: 20 cases measured\. mpmath recomputed (\d+) of \1 truths: all agree\."
        r" Undecided truths: 0\. Report: shown0>",
        repr(done),
    )


def test_nothing_from_outside_is_markup(done: Run, tmp_path: Path) -> None:
    manifest = done.manifest | {
        "name": HOSTILE, "title": HOSTILE, "question": HOSTILE, "violations": [HOSTILE],
        "claims": [{"verdict": HOSTILE}],
    }  # fmt: skip
    summary = done.summary.assign(formula=HOSTILE, arithmetic=HOSTILE)
    shown = Run(tmp_path / HOSTILE.replace("/", ""), summary, manifest)
    page = Page(shown._repr_html_())
    known = {"div", "p", "b", "br", "table", "thead", "tbody", "tr", "th", "td", "code", "small"}
    assert set(page.tags) == known | {"span"}
    assert page.text.count("<script>alert('x')</script>") >= 7
    assert "\u202e" not in page.text and "\u202e" not in repr(shown)
    assert "check failed: <script>" in page.text


def test_a_long_table_is_cut_and_says_so(done: Run) -> None:
    rows = [done.summary.assign(arithmetic=f"a{k}") for k in range(30)]
    shown = Run(done.directory, pd.concat(rows, ignore_index=True), done.manifest)
    page = Page(shown._repr_html_())
    assert len(shown.verdicts) == 60
    assert page.tags.count("tr") == 1 + MOST_ROWS
    assert f"... and {60 - MOST_ROWS} rows more in the report." in page.text


@pytest.mark.parametrize(
    ("folder", "link"),
    [
        ("reports/a", "./reports/a/index.html"),
        ("re ports/b#c", "./re%20ports/b%23c/index.html"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29/index.html"),
        ("../beside", None),
    ],
)
def test_a_report_below_the_notebook_is_linked(
    done: Run, tmp_path: Path, monkeypatch: Any, folder: str, link: str | None
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    page = Page(Run(Path(folder), done.summary, done.manifest)._repr_html_())
    assert page.links == ([] if link is None else [link])
    assert page.text.endswith(f"Report: {folder}")


def test_cases_that_did_not_run_are_counted(done: Run) -> None:
    cases = {"total": 5, "run": 2, "skipped": 2, "crashed": 1}
    shown = Run(done.directory, done.summary, done.manifest | {"cases": cases})
    for text in (repr(shown), Page(shown._repr_html_()).text):
        assert "2 cases measured, 2 skipped, 1 crashed." in text


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What goes to a notebook's display, in a process without one."""
    shown: list[dict[str, Any]] = []

    def display(data: dict[str, Any], **keywords: Any) -> Any:
        assert keywords.pop("raw") is True
        shown.append(data | keywords)
        return SimpleNamespace(update=lambda data, raw: shown.append(data | {"again": raw}))

    shell = SimpleNamespace(kernel=None)
    ipython = SimpleNamespace(get_ipython=lambda: shell, version_info=(9, 0))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    return shown


def test_a_figure_shows_itself_with_its_words(done: Run, displayed: list[dict[str, Any]]) -> None:
    figure = done.plot.failures()
    figure.title = HOSTILE
    figure._ipython_display_()
    image, words = displayed
    width, height = figure.get_size_inches()
    assert image["image/png"] == figure.png()
    assert image["metadata"]["image/png"] == {
        "width": round(96 * width), "height": round(96 * height)
    }  # fmt: skip
    page = Page(words["text/html"])
    assert set(page.tags) == {"p", "small", "b"}
    assert figure.caption in page.text and "alert('x')" in page.text
    assert words["text/plain"].endswith(figure.caption)


def test_a_notebook_shows_a_long_run_and_no_short_one(
    displayed: list[dict[str, Any]], monkeypatch: Any, tmp_path: Path
) -> None:
    assert progress.in_notebook()
    monkeypatch.setattr(progress, "QUIET", 1e9)
    fpstudy.run(STUDY, tmp_path / "short", figures=False)
    assert displayed == []
    monkeypatch.setattr(progress, "QUIET", 0)
    monkeypatch.setattr(progress, "AGAIN", 0)
    with progress.shown("long") as show:
        show(5, 20)
        show(20, 20)
    assert [re.sub(r"\S+ (?=a second|s left)", "", one["text/plain"]) for one in displayed] == [
        "long: 25%, 5 of 20 cases, a second, s left",
        "long: 100%, 20 of 20 cases, a second, s left",
    ]
    assert displayed[0]["display_id"] is True and displayed[1]["again"] is True
    displayed.clear()
    fpstudy.run(STUDY, tmp_path / "silent", figures=False, progress=False)
    assert displayed == []
    fpstudy.run(STUDY, tmp_path / "shown", figures=False)
    assert displayed[-1]["text/plain"].startswith("shown: 100%, 20 of 20 cases")


@pytest.mark.parametrize(("asked", "lines"), [(True, True), (False, False), (None, False)])
def test_elsewhere_a_run_shows_how_far_it_is_if_asked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], asked: bool | None, lines: bool
) -> None:
    assert not progress.in_notebook()
    fpstudy.run(STUDY, tmp_path, figures=False, progress=asked)
    assert ("shown: 100%, 20 of 20 cases" in capfd.readouterr().err) is lines


def test_a_plan_and_a_value_say_what_they_are() -> None:
    plan = repr(fpstudy.plan(STUDY | {"sweep": [STUDY["sweep"][0] | {"magnitude": [0.1, 1 / 3]}]}))
    assert plan.startswith("shown: 20 cases, 128 logits\n  formula:")
    assert "  magnitude:    0.1 10, 0.333333 10\n" in plan
    value = fpstudy.exact("logsumexp", [0.0, -40.0])
    assert "4.2483542552915890e-18" in repr(value) and "correctly rounded" in repr(value)
    long = fpstudy.exact("softmax", [0.0] * (MOST_SHOWN + 1), dtype="float16")
    assert repr(long) == (
        "<softmax at 9 logits stored in float16: see decimal(digits) and rounded()>"
    )


# The tutorial as it is committed: read as JSON, so that this needs nothing installed.


def committed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(TUTORIAL.read_text(encoding="utf-8"))
    return found


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in code_cells(notebook) for output in cell["outputs"]]


def said(cell: Any) -> str:
    """The plain text of a cell's outputs."""
    texts = [
        output["text"] if output["output_type"] == "stream" else output["data"]["text/plain"]
        for output in cell["outputs"]
    ]
    return "\n".join("".join(text) for text in texts)


def test_the_committed_tutorial_was_run_once_from_top_to_bottom() -> None:
    cells = code_cells(committed())
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    silent = [cell["id"] for cell in cells if not cell["outputs"]]
    assert silent == ["imports"]
    kinds = {(output["output_type"], output.get("name")) for output in outputs(committed())}
    assert kinds == {("stream", "stdout"), ("display_data", None), ("execute_result", None)}


def test_the_committed_tutorial_shows_its_figures_with_their_words() -> None:
    cells = {cell["id"]: cell for cell in code_cells(committed())}
    drawn = [name for name, cell in cells.items() if "image/png" in json.dumps(cell["outputs"])]
    assert drawn == ["error", "failures", "bits", "gap"]
    for name in drawn:
        *_, image, words = cells[name]["outputs"]
        assert len(image["data"]["image/png"]) < 60_000
        assert "numpy, native accumulation" in "".join(words["data"]["text/html"])
    assert TUTORIAL.stat().st_size < 300_000


def test_the_committed_tutorial_says_nothing_of_a_machine() -> None:
    notebook = committed()
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    for output in outputs(notebook):
        data = {kind: text for kind, text in output.get("data", {}).items() if "image" not in kind}
        text = json.dumps([data, output.get("text")])
        assert not re.search(r"(?<![\w<.])/(?!\d)\w+/|ipykernel|[A-Z]:\\|0x[0-9a-f]{9,}>", text)


def test_every_link_of_the_tutorial_leads_somewhere() -> None:
    texts = ["".join(c["source"]) for c in committed()["cells"] if c["cell_type"] == "markdown"]
    links = re.findall(r"\]\((?!http)([^)#]+)\)", "\n".join(texts))
    assert len(links) > 0
    assert [link for link in links if not (EXPERIMENTS / link).exists()] == []


# The tutorial run anew, which needs the extra `notebook`.


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    pytest.importorskip("nbclient", reason="nbclient is not installed: the extra `notebook`")
    spec = importlib.util.spec_from_file_location("make_tutorial", EXPERIMENTS / "make_tutorial.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tutorial")


@pytest.fixture(scope="module")
def anew(maker: ModuleType, folder: Path) -> Any:
    """The tutorial run in a folder, where it also leaves the errors of its own functions."""
    import nbformat

    notebook = nbformat.read(TUTORIAL, as_version=4)
    leave = 'pd.concat(tables).to_csv("measured.csv"); first.to_csv("first.csv")'
    notebook.cells.append(nbformat.v4.new_code_cell(leave))
    done = maker.kept(maker.executed(notebook, folder))
    assert done.cells.pop().outputs == []
    return done


def test_the_tutorial_run_anew_has_the_same_outputs(anew: Any) -> None:
    old, new = code_cells(committed()), code_cells(anew)
    assert [cell["source"] for cell in new] == ["".join(cell["source"]) for cell in old]
    for was, cell in zip(old, new, strict=True):
        kinds = [
            [(one["output_type"], *sorted(one.get("data", ()))) for one in outputs]
            for outputs in (was["outputs"], cell["outputs"])
        ]
        assert kinds[0] == kinds[1], cell["id"]
    exact = ("nan", "exact", "digits", "choices", "file", "mistake")  # the same on any processor
    assert {cell["id"]: said(cell) for cell in new if cell["id"] in exact} == {
        cell["id"]: said(cell) for cell in old if cell["id"] in exact
    }
    assert anew.metadata == committed()["metadata"]


def test_what_the_tutorial_says_of_its_study_is_so(anew: Any, folder: Path) -> None:
    report = folder / "reports" / "first_loss"
    assert (report / "index.html").is_file() and (folder / "bits_kept.svg").is_file()
    manifest = json.loads((report / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"] == ""
    assert manifest["witness"]["disagreements"] == manifest["violations"] == []
    summary = read_csv(report / "summary.csv")
    counts = summary.groupby("formula")[["nan", "spurious_overflow", "spurious_underflow"]].sum()
    lost = summary["spurious_underflow"] > summary["flushed_subnormal"]
    assert counts.loc["shifted", ["nan", "spurious_overflow"]].sum() == 0
    assert set(summary["formula"]) - set(summary["formula"][lost]) == {"log1p"}
    assert counts.loc["log1p"].sum() == 0
    assert counts.loc["naive", "nan"] > 0
    cells = {cell["id"]: said(cell) for cell in code_cells(anew)}
    assert cells["nan"] == "[nan, inf]\n"
    assert "computed 0.0, exact 0.0001" in cells["worst"]


def test_what_the_tutorial_says_of_its_functions_is_so(anew: Any, folder: Path) -> None:
    measured = pd.read_csv(folder / "measured.csv")
    sums = measured.groupby("formula")[["nan", "spurious_overflow", "spurious_underflow"]].sum()
    assert sums.loc["log_of_softmax", "spurious_overflow"] > 0
    assert sums.loc["mine", "spurious_overflow"] == sums.loc["mine", "nan"] == 0
    assert sums.loc["mine", "spurious_underflow"] > 0
    first = pd.read_csv(folder / "first.csv")
    assert set(first["formula"]) == {"log_of_softmax", "minus_lse", "shifted"}
