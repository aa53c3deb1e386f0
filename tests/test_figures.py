"""Figures: their numbers equal the summary, their names touch nothing, their words say what is."""

import itertools
import math
import re
import xml.etree.ElementTree as ET
from itertools import chain
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from test_report import (
    COMPARED,
    EVERYTHING,
    TF32,
    case,
    growth,
    record,
    sweep,
    sweep_of,
    table,
    texts,
)

from fpstudy.formats import FORMATS
from fpstudy.report import claim_curves
from fpstudy.report import figures as figures_module
from fpstudy.report.arrangement import apart, arranged
from fpstudy.report.axis import MAGNITUDE, OFFSET, N, places, ticks
from fpstudy.report.claim_curves import claim_drawings
from fpstudy.report.data import MOST_POINTS
from fpstudy.report.figures import figures
from fpstudy.report.formats import formats_of
from fpstudy.report.guides import limits
from fpstudy.report.labels import CLEAR, HEIGHT, MARK, Room, placed, sampled
from fpstudy.report.numbers import number
from fpstudy.report.palette import INK, LINES, PAPER, SMALL, STYLE
from fpstudy.report.panels import text_width
from fpstudy.report.points import along
from fpstudy.report.svg import _path
from fpstudy.report.variants import with_variants
from fpstudy.summary import read_csv

ROOT = Path(__file__).parents[1]
KNOWN = FORMATS | {"tf32": TF32}
MAGNITUDES = (0.1, 1.0, 10.0, 100.0)


def drawn(rows):
    summary = table(*rows)
    return {drawing.name: drawing for drawing in figures(summary, record(summary), KNOWN)}


@pytest.fixture(scope="module")
def studies():
    """The figures of two made-up studies that have all that a figure can show."""
    return {"everything": drawn(EVERYTHING), "compared": drawn(COMPARED)}


def rows_of(data):
    """The rows of a table as dictionaries by the name of the column."""
    assert all(len(row) == len(data.columns) for row in data.rows)
    return [dict(zip(data.columns, row, strict=True)) for row in data.rows]


# --- numbers ----------------------------------------------------------------------------------


def planted():
    """Two formulas of which one fails in each of the ways that there are, and one is not run."""
    ends = ("accurate", "nan", "spurious_overflow", "undecided")
    for formula, (M, end) in itertools.product("ab", zip(MAGNITUDES, ends, strict=True)):
        outcome = end if formula == "a" else "skipped" if M == 100 else "accurate"
        error = math.nan if outcome == "undecided" else 1e-3 * M
        yield case(outcome, error=error, formula=formula, magnitude=M)


def test_the_numbers_of_curves_are_those_of_the_summary():
    summary = table(*planted())
    told = rows_of(drawn(planted())["error_softmax"].data)
    axis = "magnitude M (standard deviation of the logits)"
    by = {(row["line"], row[axis]): row for row in told}
    assert len(by) == len(told) == 8
    for row in summary.to_dict("records"):
        said = by[row["formula"], f"{row['magnitude']:g}"]
        largest, samples = row["relative_error_max"], row["samples"]
        assert (said["dtype"], said["computed by"]) == ("float16", "numpy, native accumulation")
        assert said["n"] == "8"
        assert said["largest relative error"] == number(largest)
        assert said["samples"] == ("0" if math.isnan(largest) else str(samples))
        assert said["samples not finite"] == (str(samples) if math.isinf(largest) else "0")
    assert by["a", "1"]["median relative error"] == "inf"
    assert by["b", "1"]["median relative error"] == number(1e-3)  # of 0.5, 1, 1, 1 times that
    assert by["a", "100"]["median relative error"] == "–"


def test_curves_are_of_relative_errors_and_no_other_column_of_the_record():
    summary = table(*(case(magnitude=M) for M in MAGNITUDES))
    rows = record(summary).assign(ulp_error=7.0, worst_component=3)
    (drawing,) = (d for d in figures(summary, rows) if d.name == "error_softmax")
    assert {row["largest relative error"] for row in rows_of(drawing.data)} == {number(1e-3)}


def test_a_field_of_a_map_is_the_worst_of_all_that_share_it():
    """Two lengths, of which the first keeps fewest bits and the second fails."""
    cases = [
        (case(magnitude=M, n=2, bits_kept=4.0), case("nan", part=5, magnitude=M, n=8))
        for M in MAGNITUDES
    ]
    few = [
        (case(magnitude=M, n=2, bits_kept=4.0), case(magnitude=M, n=8, bits_kept=9.0))
        for M in MAGNITUDES
    ]
    for ends, failing, kept in ((cases, "N 5 of 64", "0"), (few, "· 0 of 64", "4")):
        for order in (1, -1):
            found = drawn([row for pair in ends for row in pair[::order]])
            (row,) = rows_of(found["failures_softmax"].data)
            assert {row[f"M = {M:g}"] for M in MAGNITUDES} == {failing}
            (row,) = rows_of(found["bits_softmax"].data)
            assert {row[f"M = {M:g}"] for M in MAGNITUDES} == {kept}


def test_some_samples_that_are_not_finite_are_counted():
    summary = table(*(case(magnitude=M) for M in MAGNITUDES))
    rows = record(summary)
    rows.loc[(rows["case"] == 2) & (rows["sample"] == 3), "relative_error"] = math.inf
    (drawing,) = (d for d in figures(summary, rows) if d.name == "error_softmax")
    told = [row["samples not finite"] for row in rows_of(drawing.data)]
    assert told == ["0", "0", "1", "0"]
    assert "Errors not finite: naive first at M = 10." in drawing.alternative


def test_the_numbers_of_maps_are_those_of_the_summary():
    found = drawn(planted())
    failures = {row["line"]: row for row in rows_of(found["failures_softmax"].data)}
    assert failures["a"] | failures["b"] | {"line": ""} == {
        "dtype": "float16", "computed by": "numpy, native accumulation", "line": "",
        "M = 0.1": "· 0 of 32", "M = 1": "· 0 of 32", "M = 10": "· 0 of 32", "M = 100": "not run",
    }  # fmt: skip
    assert [failures["a"][f"M = {M}"] for M in (0.1, 1, 10, 100)] == [
        "· 0 of 32", "N 32 of 32", "I 32 of 32", "? 0 of 32",
    ]  # fmt: skip
    kept = {row["line"]: row for row in rows_of(found["bits_softmax"].data)}
    assert [kept["a"][f"M = {M}"] for M in (0.1, 1, 10)] == ["9", "0", "0"]
    assert kept["b"]["M = 100"] == "not run"


STUDIES = {"everything": EVERYTHING, "compared": COMPARED}


@pytest.mark.parametrize("study", STUDIES)
def test_the_failing_components_of_the_maps_add_up_to_those_of_the_summary(study, studies):
    told = 0
    for drawing in studies[study].values():
        if drawing.name.startswith("failures"):
            told += sum(int(n) for row in drawing.data.rows for cell in row
                        for n in re.findall(r"^\S (\d+) of \d+$", cell))  # fmt: skip
    assert told == with_variants(table(*STUDIES[study]))["failing"].sum() > 0


def test_the_numbers_at_given_inputs_name_the_input(studies):
    told = rows_of(studies["everything"]["error_softmax_given_inputs"].data)
    assert {row["input"] for row in told} == {
        "1: [1000, 0]", "2: [1000, 0]", "file logits.npy",
    }  # fmt: skip
    (failing,) = (row for row in told if row["input"] == "2: [1000, 0]")
    assert failing["samples not finite"] == failing["samples"] == "1"


def test_the_numbers_of_very_many_points_are_a_row_for_each_line():
    fine = tuple(float(M) for M in range(1, MOST_POINTS + 2))
    rows = [*sweep_of(magnitude=fine), case("nan", magnitude=fine[-1] + 1)]
    drawing = drawn(rows)["error_softmax"]
    (row,) = rows_of(drawing.data)
    assert row["points"] == str(len(rows)) and row["samples not finite"] == "4"
    assert row["first M with a sample not finite"] == str(len(rows))
    assert "a row for each line; summary.csv has every case" in drawing.caption
    assert "a row for each line" not in drawn(sweep(1.0))["error_softmax"].caption


def test_every_figure_has_numbers(studies):
    for drawing in chain.from_iterable(study.values() for study in studies.values()):
        assert drawing.data is not None and rows_of(drawing.data), drawing.name


# --- names and room ---------------------------------------------------------------------------


def canvases(summary, rows, formats, monkeypatch):
    """The figures of a study before they become SVG, each with its renderer."""
    made = []
    monkeypatch.setattr(
        figures_module, "draw", lambda figure, *_: made.append(figure()) or "<svg/>"
    )
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        names = [drawing.name for drawing in figures(summary, rows, formats)]
        for name, figure in zip(names, made, strict=True):
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            yield name, figure, canvas.get_renderer()


def boxes(figure, renderer):
    """The texts that are drawn, with where they are in pixels."""
    drawn = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    return [(t.get_text(), t.get_window_extent(renderer)) for t in drawn]


def assert_readable(name, figure, renderer):
    """No text covers another one or leaves the figure."""
    width, height = figure.canvas.get_width_height()
    found = boxes(figure, renderer)
    for text, box in found:
        inside = box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1
        assert inside, f"{name}: {text!r} leaves the figure"
    for (one, a), (other, b) in itertools.combinations(found, 2):
        beside = min(a.x1, b.x1) - max(a.x0, b.x0) <= 1  # a pixel of rounding
        assert beside or min(a.y1, b.y1) - max(a.y0, b.y0) <= 1, f"{name}: {one!r} on {other!r}"


FINE = tuple(10.0**k for k in np.linspace(-2, 4, 13))
CROWDED = {
    "everything": EVERYTHING,
    "compared": COMPARED,
    "gap": sweep_of(
        distribution=("two_point",), magnitude=tuple(map(float, range(1, 41))), n=(2, 1000),
        dtype=("float16", "bfloat16", "float32"),
    ),
    "offset": sweep_of(
        offset=(-1e4, -1e3, -100.0, -10.0, -1.0, 0.0, 1.0, 10.0, 100.0, 1e3, 1e4),
        dtype=("float16", "bfloat16", "float32", "float64"), formula=("naive", "shifted"),
    ),
    "many lines": [
        case(error=1e-3 * (k + 1) * (1 + M), formula=f"formula_number_{k}", magnitude=M, dtype=d)
        for k in range(9) for M in FINE for d in ("float16", "float32")
    ],
    "beyond the axis": [case(error=10.0**k, magnitude=10.0**k) for k in range(-3, 9)],
}  # fmt: skip


@pytest.mark.parametrize("rows", CROWDED.values(), ids=CROWDED)
def test_no_text_covers_another_or_is_cut_off(rows, monkeypatch):
    summary = table(*rows)
    for found in canvases(summary, record(summary), KNOWN, monkeypatch):
        assert_readable(*found)


@pytest.mark.parametrize("study", ["float8", "real_logits"])
def test_no_text_of_a_shipped_study_covers_another_or_is_cut_off(study, monkeypatch):
    """The record is not committed: two samples stand for it, the median's and the worst one."""
    summary = read_csv(ROOT / "reports" / study / "summary.csv").reset_index(drop=True)
    halves = [summary["relative_error_median"], summary["relative_error_max"]]
    rows = pd.concat(
        [summary[["distribution"]].assign(case=summary.index, relative_error=e) for e in halves]
    ).assign(worst_input="")
    manifest = pd.read_json(ROOT / "reports" / study / "manifest.json", typ="series")
    formats = formats_of(manifest.to_dict(), summary)
    count = 0
    for found in canvases(summary, rows, formats, monkeypatch):
        assert_readable(*found)
        count += 1
    assert count >= 10


def test_lines_that_stand_apart_are_named_beside_them_and_need_no_legend():
    rows = [
        case(error=error * (1 + M / 50), formula=name, magnitude=M)
        for name, error in (("low", 1e-4), ("middle", 1e-2), ("high", 1.0))
        for M in FINE
    ]
    words = texts(drawn(rows)["error_softmax"])
    assert [words.count(name) for name in ("low", "middle", "high")] == [1, 1, 1]
    alike = [row | {"formula": name} for row in rows[:13] for name in ("one", "other")]
    root = ET.fromstring(drawn(alike)["error_softmax"].svg)
    names = [e for e in root.iter() if e.text in ("one", "other")]
    assert len(names) == 2  # in the legend alone: a name beside both lines would name neither


X = np.linspace(0, 3, 7)
FLAT = {name: np.stack([X, np.full(7, y)], 1) for name, y in (("a", 0.3), ("b", 0.9), ("c", 1.5))}
EMPTY = np.empty((0, 2))
EVERYWHERE = np.concatenate([sampled(FLAT["a"] + [0, 0.1 * k]) for k in range(-3, 18)])


def _distance(corner, wide, points):
    x, y = corner
    dx = np.maximum(np.maximum(x - points[:, 0], points[:, 0] - x - wide), 0)
    dy = np.maximum(np.maximum(y - points[:, 1], points[:, 1] - y - HEIGHT), 0)
    return np.hypot(dx, dy).min()


def test_a_name_is_nearest_to_its_own_line_and_covers_none():
    found = placed(FLAT, Room(3.0, 2.0, EMPTY))
    assert list(found) == ["a", "b", "c"]
    for name, corner in found.items():
        wide = MARK + text_width(name)
        far = {other: _distance(corner, wide, sampled(path)) for other, path in FLAT.items()}
        assert min(far, key=far.__getitem__) == name
        assert min(far.values()) >= CLEAR
        assert CLEAR <= corner[0] <= 3 - wide and CLEAR <= corner[1] <= 2 - HEIGHT


@pytest.mark.parametrize(
    ("paths", "room", "named"),
    [
        (FLAT, Room(3.0, 2.0, sampled(FLAT["b"] + [0, 0.1])), {"a", "b", "c"}),
        ({"a": FLAT["a"]}, Room(3.0, 2.0, EVERYWHERE), set()),
        (FLAT | {"d": FLAT["a"]}, Room(3.0, 2.0, EMPTY), {"b", "c"}),
        (FLAT, Room(0.2, 2.0, EMPTY), set()),
        ({"a": np.full((3, 2), np.nan)}, Room(3.0, 2.0, EMPTY), set()),
        ({"a": np.array([[0.5, 0.5]])}, Room(3.0, 2.0, EMPTY), {"a"}),
        ({"a": FLAT["a"]}, Room(3.0, 0.35, EMPTY), {"a"}),  # above it there is no room
    ],
    ids=[
        "a guide in the way",
        "guides everywhere",
        "two alike",
        "too narrow",
        "nothing drawn",
        "a point",
        "low",
    ],
)
def test_a_name_without_room_is_left_out(paths, room, named):
    found = placed(paths, room)
    assert set(found) == named
    for name, corner in found.items():
        if len(room.taken):
            assert _distance(corner, MARK + text_width(name), room.taken) >= CLEAR


# --- axes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("axis", "values", "most", "labelled"),
    [
        (OFFSET, [-1e4, -100.0, -1.0, 0.0, 1.0, 100.0, 1e4], 4, [-1e4, -100, 0, 100, 1e4]),
        (OFFSET, [-1e4, -100.0, -1.0, 0.0, 1.0, 100.0, 1e4], 2, [-1e4, 0, 1e4]),
        (OFFSET, [-1e3, -1.0, 0.0], 5, [-1e3, 0]),
        (OFFSET, [-20.0, -10.0, 0.0, 10.0, 20.0], 5, [-20, -10, 0, 10, 20]),
        (MAGNITUDE, [float(k) for k in range(1, 41)], 5, [10, 20, 30, 40]),
        (N, [10, 20, 30, 40], 5, [10, 20, 30, 40]),
    ],
)
def test_an_axis_labels_its_ends_and_zero_or_round_numbers(axis, values, most, labelled):
    assert ticks(axis, values, most) == labelled
    at = places(values)(np.array(values, dtype=float))
    assert (np.diff(at) > 0).all()
    if min(values) == -max(values):
        np.testing.assert_allclose(at, -at[::-1], atol=1e-12)  # symmetric about 0


def test_failures_on_both_sides_of_offset_0_are_drawn_and_told():
    offsets = (-1e3, -100.0, -1.0, 0.0, 1.0, 100.0, 1e3)
    rows = [
        case("nan" if abs(c) >= 100 else "accurate", offset=c, dtype="float16") for c in offsets
    ]
    drawing = drawn(rows)["against_offset_softmax"]
    told = {row["offset added to all logits"]: row for row in rows_of(drawing.data)}
    failing = [c for c, row in told.items() if row["samples not finite"] == "4"]
    assert failing == ["-1000", "-100", "100", "1000"]
    assert "naive first at offset = -100" in drawing.alternative
    words = texts(drawing)
    assert {"-1000", "0", "1000", "exp overflows at 11.1", "exp underflows at -17.3"} <= set(words)
    assert "Dashed: where the exponential of the value on the axis overflows" in drawing.caption


@pytest.mark.parametrize(
    ("distribution", "n", "title", "quantity"),
    [
        ("two_point", (1000,), "top-class gap M (largest logit less the others)", "top-class gap"),
        ("peaked", (8,), "top-class gap M (added to one of standard normal logits)",
         "top-class gap"),
        ("uniform", (8,), "magnitude M (half-width of the logits' interval)", "magnitude"),
    ],
)  # fmt: skip
def test_the_axis_says_what_the_magnitude_is(distribution, n, title, quantity):
    rows = sweep_of(distribution=(distribution,), magnitude=tuple(map(float, range(1, 21))), n=n)
    drawing = drawn(rows)["error_softmax"]
    assert title in texts(drawing) and title in drawing.data.columns
    assert drawing.title == f"softmax: error against {quantity}"
    said = "the others below u from" in " ".join(texts(drawing))
    assert said is (distribution == "two_point")  # of the others the sum is not known
    assert ("fall below u" in drawing.caption) is said


def _points(rows, axis):
    summary = table(*rows)
    samples = arranged(with_variants(record(summary)), sums=False)
    f = FORMATS["float16"]
    facts = {"precision": f.precision, "largest": f.largest, "least": f.least_subnormal}
    return along(samples.assign(**facts), axis)


@pytest.mark.parametrize("n", [2, 1000])
def test_at_the_gap_the_other_exponentials_are_u_together(n):
    rows = sweep_of(distribution=("two_point",), magnitude=(1.0, 10.0, 20.0), n=(n,))
    points = _points(rows, MAGNITUDE)
    found = {text.rsplit(" ", 1)[0]: x for x, text in limits(MAGNITUDE, points, points)}
    assert (n - 1) * math.exp(-found["the others below u from"]) == pytest.approx(2.0**-11)
    assert math.exp(found["exp overflows at"]) == pytest.approx(FORMATS["float16"].largest)


@pytest.mark.parametrize(
    ("rows", "axis"),
    [
        (sweep_of(distribution=("two_point", "normal"), magnitude=(1.0, 10.0), n=(9,)), MAGNITUDE),
        (sweep_of(n=(4, 8, 16, 32)), N),
        (sweep_of(magnitude=(1.0, 2.0)), MAGNITUDE),
        (sweep_of(magnitude=(1.0, 20.0), beta=(1.0, 2.0)), MAGNITUDE),
    ],
    ids=["mixed", "n", "not in range", "two temperatures"],
)
def test_no_limit_is_drawn_where_there_is_no_one_such_place(rows, axis):
    points = _points(rows, axis)
    assert limits(axis, points, points) == []


def test_panels_without_a_row_in_common_stand_on_figures_of_their_own():
    rows = [
        *sweep_of(dtype=("float16", "bfloat16"), n=(2, 4), magnitude=(1.0, 2.0)),
        *sweep_of(dtype=("float32",), n=(64,), magnitude=(1.0, 2.0)),
        *sweep_of(dtype=("float64",), n=(4, 8), magnitude=(1.0, 2.0)),
    ]
    found = drawn(rows)
    titles = [found[f"error_softmax_{k}"].title for k in (1, 2)]
    assert titles == [
        "softmax: error against magnitude (float16, bfloat16, float64)",
        "softmax: error against magnitude (float32)",
    ]
    assert "not measured" in texts(found["error_softmax_1"])  # at n = 8 float64 alone
    assert "not measured" not in texts(found["error_softmax_2"])
    frame = arranged(with_variants(table(*rows)), sums=False)
    panels = [(d, "numpy, native accumulation") for d in ("float16", "float32", "float64")]
    assert apart(frame, panels, "n") == [[panels[0], panels[2]], [panels[1]]]


def test_a_panel_of_a_map_has_its_own_values():
    rows = [
        *sweep_of(dtype=("float16",), magnitude=(1.0, 10.0)),
        *sweep_of(dtype=("float32",), magnitude=(2.0, 20.0)),
    ]
    found = drawn(rows)["failures_softmax"]
    assert [texts(found).count(M) for M in ("1", "10", "2", "20")] == [1, 1, 1, 1]
    (first, second) = rows_of(found.data)
    assert (first["M = 1"], first["M = 2"]) == ("· 0 of 32", "")
    assert (second["M = 1"], second["M = 2"]) == ("", "· 0 of 32")


# --- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize("study", STUDIES)
def test_captions_name_dtype_arithmetic_accumulation_and_sample_size(study, studies):
    summary = with_variants(table(*STUDIES[study]))
    for drawing in studies[study].values():
        told = {row["dtype"] for row in rows_of(drawing.data)}
        assert told and all(f"{dtype}" in drawing.caption for dtype in told)
        of = summary[summary["variant"] == drawing.problem]
        assert any(f"({name}, " in drawing.caption for name in of["arithmetic"].unique())
        assert re.search(r"accumulation|sums", drawing.caption)
        assert re.search(r"\d samples? a case", drawing.caption)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("error_softmax", "Errors not finite: naive first at M = 1. Lowest where largest: shifted "
         "with 9.77e-04 (float16), shifted with 1.19e-07 (float32)."),
        ("failures_softmax", "256 of 768 components fail."),
        ("failures_softmax", "Failures: naive first at M = 1."),
        ("bits_softmax", "Most bits where fewest are kept: shifted with 9 (float16), shifted with "
         "22 (float32)."),
    ],
)  # fmt: skip
def test_the_alternative_says_what_one_sees(name, said):
    drawing = drawn(sweep(1.0))[name]
    assert said in drawing.alternative
    assert ET.fromstring(drawing.svg)[1].text == drawing.alternative


def test_a_problem_without_failures_says_so():
    found = drawn(sweep_of(magnitude=MAGNITUDES))
    assert "All errors are finite." in found["error_softmax"].alternative
    assert "0 of 128 components fail. None fails." in found["failures_softmax"].alternative


def test_errors_of_1_and_more_are_told_though_they_are_finite():
    rows = [case(error=M / 10, magnitude=M) for M in MAGNITUDES]
    said = drawn(rows)["error_softmax"].alternative
    assert "Errors of 1 or more (no digit is right): naive first at M = 10." in said


# --- colours and files ------------------------------------------------------------------------

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
SEEN = {
    "full": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip
DARK_PAPER = re.search(
    r"dark.*?--paper: (#\w+)",
    (ROOT / "fpstudy/report/templates/page.css").read_text(encoding="utf-8"), re.DOTALL,
)[1]  # fmt: skip


def _linear(colour):
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def _oklab(rgb):
    lms = np.cbrt([[0.4122214708, 0.5363325363, 0.0514459929],
                   [0.2119034982, 0.6806995451, 0.1073969566],
                   [0.0883024619, 0.2817188376, 0.6299787005]] @ np.clip(rgb, 0, 1))  # fmt: skip
    return [[0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660]] @ lms  # fmt: skip


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_colours_stay_apart_for_colour_blind_readers(seen):
    labs = [_oklab(np.array(seen) @ _linear(line.colour)) for line in LINES]
    least = min(np.linalg.norm(a - b) for a, b in itertools.combinations(labs, 2))
    assert least > 0.12


@pytest.mark.parametrize("paper", [PAPER, DARK_PAPER], ids=["light", "dark"])
def test_lines_stand_out_from_the_paper(paper):
    for line in LINES:
        if line.colour == INK:  # the page replaces it with that of its theme
            continue
        luminances = (_linear(c) @ [0.2126, 0.7152, 0.0722] + 0.05 for c in (line.colour, paper))
        dark, light = sorted(luminances)
        assert light / dark > 2.95, line.colour


def test_no_text_is_smaller_than_8_5_points(studies):
    for drawing in chain.from_iterable(study.values() for study in studies.values()):
        sizes = [float(size) for size in re.findall(r"font-size:([\d.]+)px", drawing.svg)]
        assert sizes and min(sizes) >= SMALL >= 8.5


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("M 0 1  L 2 3.5  L -4 5  z ", "M0 1 2 3.5 -4 5z"),
        ("M 0 1  C 1 2 3 4 5 6  L 7 8  L 9 9  ", "M0 1C1 2 3 4 5 6L7 8 9 9"),
        ("M 1 1  L 2 2  M 3 3  L 4 4  ", "M1 1 2 2M3 3 4 4"),
        ("", ""),
    ],
)
def test_a_path_is_the_same_in_fewer_characters(long, short):
    assert _path(long) == short


def test_the_same_study_gives_the_same_bytes_whatever_the_users_settings():
    rows = CROWDED["offset"]
    once = drawn(rows)
    with matplotlib.rc_context({"font.size": 20, "axes.grid": False, "lines.linewidth": 9}):
        assert drawn(rows) == once


# --- claims -----------------------------------------------------------------------------------


def _claim(points):
    x = np.linspace(-1, 1, points)
    curves = {"rising": {"x": list(x), "y": list(x)}, "flat": {"x": list(x), "y": [-0.8] * points}}
    said = {"title": "T", "caption": "C", "x_label": "d", "y_label": "p", "curves": curves}
    return claim_drawings([{}, {"figure": said}])


def test_the_curves_of_a_claim_have_their_numbers_and_their_names():
    ((k, drawing),) = _claim(5).items()
    assert k == 2 and drawing.name == "claim_2"
    assert drawing.data.columns == ("curve", "d", "p")
    assert drawing.data.rows[:2] == (("rising", "-1", "-1"), ("rising", "-0.5", "-0.5"))
    assert len(drawing.data.rows) == 10
    assert [texts(drawing).count(name) for name in ("rising", "flat")] == [1, 1]  # no legend
    assert "rising from -1 to 1; flat from -0.8 to -0.8." in drawing.alternative


def test_a_claim_of_many_points_gives_the_range_of_each_curve():
    (drawing,) = _claim(MOST_POINTS).values()
    assert drawing.data.columns == ("curve", "points", "range of d", "range of p")
    assert drawing.data.rows[0] == ("rising", "300", "-1 to 1", "-1 to 1")


def test_of_very_many_curves_none_has_its_name_beside_it(monkeypatch):
    """The search for room takes the square of their number, half a minute for fifty."""
    monkeypatch.setattr(claim_curves, "name_lines", lambda *a, **k: pytest.fail("looked for room"))
    curve = {"x": [0.0, 1.0], "y": [0.0, 1.0]}
    curves = {f"beta = {k}": curve for k in range(claim_curves.MOST_NAMED + 1)}
    said = {"title": "T", "caption": "C", "x_label": "d", "y_label": "p", "curves": curves}
    shown = texts(claim_drawings([{"figure": said}])[1])
    assert [shown.count(name) for name in curves] == [1] * len(curves)  # in the legend


def test_growth_is_named_beside_its_guides():
    shown = texts(drawn(growth(("sequential", "neumaier")))["against_n_softmax"])
    assert {"u", "n u", "√n u", "log₂(n) u"} <= set(shown)
