"""Figures by name: every method draws what was chosen, and says what there is to choose."""

import io
import re
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import pytest
from matplotlib.figure import Figure

import fpstudy
from fpstudy.flow import Run
from fpstudy.outcomes import NAMES
from fpstudy.report.axis import AXES
from fpstudy.report.picture import Picture, styled
from fpstudy.report.plots import Plots
from fpstudy.report.selection import selected

GAPS = ["two_point", "peaked"]
STUDY: dict[str, Any] = {
    "name": "plots",
    "seed": 3,
    "defaults": {"dtype": ["float16", "float32"], "samples": 2},
    "sweep": [
        {"problem": ["softmax", "logsumexp"], "n": [4, 8], "magnitude": [0.1, 10**0.5, 100]},
        {"problem": "softmax", "distribution": GAPS, "n": 4, "magnitude": [1, 9]},
        {"problem": "softmax", "n": [16, 32], "magnitude": 1, "offset": [0, 64]},
        {"problem": "softmax", "formula": "scale_then_shift", "base": [2, 10], "n": 4},
        {"problem": "log_softmax", "distribution": "explicit", "vectors": [[0, 1], [0, -20]]},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fpstudy.run(STUDY, tmp_path_factory.mktemp("plots"), figures=False)


@pytest.fixture(scope="module")
def plot(done: Run) -> Plots:
    return done.plot


def texts(figure: Figure) -> str:
    """All that is written in a figure."""
    found = figure.findobj(matplotlib.text.Text)
    return "\n".join(text.get_text() for text in found if text.get_visible())


NORMAL = {"problem": "softmax", "distribution": "normal"}
DRAWN = [  # method, keywords, what the title is, what stands in the caption, panels
    ("error_against_magnitude", NORMAL | {"offset": 0, "n": [4, 8]},
     r"softmax: error against magnitude \(normal, offset 0\)", "n = 4, 8, 2 samples a case", 4),
    ("error_against_magnitude", {"problem": "logsumexp", "n": 4, "dtype": "float16"},
     "logsumexp: error against magnitude", "float16 (numpy, native accumulation); normal", 1),
    ("error_against_magnitude", NORMAL | {"offset": 0, "n": 4, "formula": ["naive", "shifted"]},
     r"softmax: error against magnitude \(normal, offset 0\)", "n = 4", 2),
    ("error_against_n", NORMAL | {"magnitude": 3.16, "offset": 0},
     r"softmax: error against n \(normal, offset 0\)", "n = 4, 8, M = 3.16", 2),
    ("error_against_n", NORMAL | {"magnitude": 1, "offset": [0, 64]},
     r"softmax: error against n \(normal\)", "M = 1, offset 0, 64", 2),
    ("error_against_offset", NORMAL | {"magnitude": 1},
     r"softmax: error against offset \(normal, magnitude 1\)", "offset 0, 64", 4),
    ("error_against_gap", {"problem": "softmax", "distribution": "peaked"},
     r"softmax: error against (magnitude|top-class gap) \(peaked, offset 0\)", "peaked inputs", 2),
    ("error_against_gap", {"problem": "softmax", "distribution": GAPS},
     r"softmax: error against (magnitude|top-class gap) \(offset 0\)", "two_point, peaked", 2),
    ("error_at_inputs", {"problem": "log_softmax"},
     "log_softmax: error at each input", "explicit[0], explicit[1] inputs", 2),
    ("error_at_inputs", NORMAL | {"n": 16}, "softmax: error at each input", "n = 16", 2),
    ("failures", {"problem": "softmax"}, "softmax: failures", "at each magnitude", 2),
    ("failures", {"problem": "log_softmax"}, "log_softmax: failures", "at each input", 2),
    ("failures", {"problem": "softmax", "across": "n", "dtype": "float16"},
     "softmax: failures", "at each n", 1),
    ("failures", {"problem": "softmax (base b)"}, r"softmax \(base b\): failures", "base 2, 10", 2),
    ("bits_kept", {"problem": "logsumexp"}, "logsumexp: bits kept", "at each magnitude", 2),
    ("bits_kept", {"problem": "softmax", "across": "offset"},
     "softmax: bits kept", "at each offset", 2),
]  # fmt: skip


@pytest.mark.parametrize(("method", "where", "title", "caption", "panels"), DRAWN)
def test_a_figure_shows_what_was_chosen_and_says_so(
    plot: Plots, method: str, where: dict[str, Any], title: str, caption: str, panels: int
) -> None:
    figure = getattr(plot, method)(**where)
    assert isinstance(figure, Figure)
    assert re.fullmatch(title, figure.title)
    assert caption in figure.caption
    assert set(where.get("formula", ())) <= set(re.findall(r"\w+", figure.alternative))
    assert len(figure.axes) == panels
    formulas = where.get("formula")
    if formulas:
        assert [text.get_text() for text in figure.legends[0].get_texts()] == formulas


def test_numbers_are_chosen_as_they_are_shown_or_exactly(plot: Plots, done: Run) -> None:
    magnitudes = {
        value: set(selected(plot._cases, NORMAL | {"magnitude": value})["magnitude"])
        for value in (3.16, 10**0.5, "3.16", 100)
    }
    assert magnitudes == {3.16: {10**0.5}, 10**0.5: {10**0.5}, "3.16": {10**0.5}, 100: {100.0}}
    both = selected(plot._cases, NORMAL | {"magnitude": [0.1, 1]})
    assert set(both["magnitude"]) == {0.1, 1.0}
    plain = selected(plot._cases, {"base": None})
    assert plain["base"].isna().all() and len(plain) < len(done.summary)


REFUSED = [  # method, keywords, message
    ("failures", {}, "a figure is of one problem; choose problem= of softmax, logsumexp, softmax"),
    ("failures", {"problems": "softmax"}, "no column 'problems' to choose by - did you mean prob"),
    ("failures", {"colour": "red"}, "no column 'colour' to choose by; there are problem, formula"),
    ("failures", {"problem": "sofmax"}, "no problem 'sofmax' - did you mean softmax?; there are s"),
    ("failures", {"dtype": "float64"}, "no dtype 'float64'.*; there are float16, float32$"),
    ("failures", {"problem": "logsumexp", "n": [4, 5]},
     "no n 5 with problem='logsumexp'; there are 4, 8$"),
    ("failures", {"n": "many"}, "no n 'many'; there are "),
    ("failures", {"n": []}, "n: want a value, or a list of at least one"),
    ("failures", {"problem": "softmax", "across": "dtype"},
     "across: want one of magnitude, n, offset, input, got 'dtype'"),
    ("bits_kept", {"problem": "logsumexp", "across": "offset"},
     "nothing to draw against offset: what is chosen has offset 0 alone; it varies along magnitu"),
    ("bits_kept", {"problem": "log_softmax", "across": "n"},
     "nothing to draw against n: what is chosen has no n; no axis varies"),
    ("error_against_magnitude", {"problem": "softmax"},
     "one line would pool different values of distribution: choose distribution= of normal, two_"),
    ("error_against_n", NORMAL | {"magnitude": 1},
     "one line would pool different values of offset: choose offset= of 0, 64; a list of them"),
    ("error_against_offset", {"problem": "logsumexp"}, "it varies along magnitude, n$"),
    ("error_against_magnitude", {"problem": "log_softmax"}, "given as they are: use error_at_inp"),
    ("error_against_gap", {"problem": "logsumexp"},
     "no two_point or peaked logits, whose magnitude is a gap; here: normal"),
    ("error_against_gap", {"problem": "softmax"}, "choose distribution= of two_point, peaked;"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "where", "message"), REFUSED)
def test_a_choice_that_cannot_be_drawn_names_those_that_can(
    plot: Plots, method: str, where: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message.replace("?;", r"\?;")):
        getattr(plot, method)(**where)


def test_cases_that_did_not_run_have_no_curve_and_say_why(tmp_path: Path) -> None:
    sweep = {"problem": "softmax", "formula": "naive", "dtype": "float16", "arithmetic": "rounded"}
    keys = {"name": "skips", "sweep": [sweep | {"magnitude": [1e30, 1e31], "n": 4}]}
    done = fpstudy.run(keys, tmp_path, figures=False)
    assert done.summary["skipped"].all()
    with pytest.raises(ValueError, match=r"none of these cases was measured: .*float16"):
        done.plot.error_against_magnitude()
    assert "not run" in texts(done.plot.failures())


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("error_against_magnitude", NORMAL | {"offset": 0, "n": 4}),
        ("failures", {"problem": "logsumexp"}),
        ("error_at_inputs", {"problem": "log_softmax"}),
    ],
)
def test_the_users_settings_change_no_figure(
    plot: Plots, method: str, where: dict[str, Any]
) -> None:
    def drawn() -> tuple[bytes, bytes]:
        figure, saved = getattr(plot, method)(**where), io.BytesIO()
        figure.savefig(saved, format="raw", dpi=50)
        return figure.png(), saved.getvalue()

    plain = drawn()
    settings = {
        "font.size": 20, "xtick.labelsize": 20, "axes.facecolor": "red", "ytick.color": "red",
        "text.parse_math": True, "lines.linewidth": 9, "grid.color": "red", "font.family": "serif",
        "xtick.major.size": 20, "legend.fontsize": 30, "axes.linewidth": 5,
    }  # fmt: skip
    with matplotlib.rc_context(settings):
        assert drawn() == plain
    with matplotlib.rc_context({"savefig.bbox": "tight", "savefig.facecolor": "red"}):
        assert getattr(plot, method)(**where).png() == plain[0]


def test_a_figure_can_be_changed_and_saved_as_any_other(plot: Plots, tmp_path: Path) -> None:
    figure = plot.failures(problem="logsumexp")
    before = figure.png()
    figure.suptitle("Mine")
    figure.savefig(tmp_path / "mine.svg")
    assert "Mine" in texts(figure)
    assert figure.png() != before
    assert before.startswith(b"\x89PNG") and len(before) < 60_000


def test_the_plots_say_what_there_is(plot: Plots) -> None:
    lines = repr(plot).splitlines()
    assert lines[0] == (
        "Plots of plots: error_against_magnitude, error_against_n, error_against_offset,"
        " error_against_gap, error_at_inputs, failures, bits_kept"
    )
    assert "  dtype         float16, float32" in lines
    assert not [line for line in lines if line.startswith(("  arithmetic", "  target"))]
    drawn = re.findall(r"error_\w+|failures|bits_kept", lines[0])
    assert all(callable(getattr(plot, name)) for name in drawn)
    assert {f"error_against_{name}" for name in AXES} <= set(drawn)


def test_the_tables_are_those_of_the_report(done: Run) -> None:
    verdicts, outcomes = done.verdicts, done.outcomes
    assert set(verdicts["problem"]) == set(outcomes["problem"])
    assert "softmax (base b)" in set(verdicts["problem"])
    assert outcomes["components"].sum() == done.summary["components"].sum()
    assert (outcomes[list(NAMES)].sum(axis=1) == outcomes["components"]).all()
    one = verdicts.query("problem == 'logsumexp' and dtype == 'float16'").iloc[0]
    its = outcomes.query("problem == 'logsumexp' and dtype == 'float16'").set_index("formula")
    assert one["failing"] == its.loc[one["formula"], "failing"] == 0
    assert one["components"] == its.loc[one["formula"], "components"]
    assert isinstance(done.record, pd.DataFrame) and set(done.record["case"]) == set(
        done.summary.index
    )


def test_a_picture_without_words_is_a_figure() -> None:
    with warnings.catch_warnings(), styled():
        picture = Picture(figsize=(1, 1))
    assert (picture.title, picture.caption, repr(picture)) == ("", "", "<Picture>")
    assert picture.png().startswith(b"\x89PNG")
