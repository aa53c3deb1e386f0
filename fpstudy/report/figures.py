"""Which figures a study gets: per problem its errors, its failures and the bits that it keeps.

What a figure does not tell apart is pooled in it, never left out: the maps take the worst over all
else, the curves take median and maximum over all samples of the record.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fpstudy.formats import FORMATS
from fpstudy.report import captions
from fpstudy.report.arrangement import (
    MOST_BELOW,
    MOST_BESIDE,
    PANEL,
    Panel,
    apart,
    arranged,
    compares_sums,
    of_panels,
    panels_of,
    sheets,
)
from fpstudy.report.axis import Axis, swept_axes
from fpstudy.report.curves import error_curves
from fpstudy.report.data import curves_data, dots_data, map_data
from fpstudy.report.dots import error_dots
from fpstudy.report.drawing import Data, Drawing
from fpstudy.report.formats import Formats
from fpstudy.report.inputs import input_names
from fpstudy.report.maps import bits_map, bits_said, failure_map, failure_said, pool
from fpstudy.report.numbers import magnitude as magnitude_text
from fpstudy.report.points import MOST_ROWS, along, median_and_maximum
from fpstudy.report.svg import draw
from fpstudy.report.variants import in_order, with_variants

MOST_FIGURES = 6  # along one axis for one problem; beyond, other axes are pooled
MOST_ACROSS = 40  # columns of a map that can still be read
MOST_INPUTS = 30  # given inputs that a figure has room for
SLICES: list[str] = ["distribution", "magnitude", "offset", "base", "beta"]  # the last pooled first

# What a figure looks at beside the errors of the samples; a record has many of them.
_KNOWN: list[str] = [
    "formula", "dtype", "arithmetic", "accumulation", "n", "offset", "base", "beta", "distribution",
    "magnitude", "input", "precision", "largest",
    "least",
]  # fmt: skip

# a figure with its words and its numbers, not drawn yet
Made = tuple[captions.Words, Data, Callable[[], Figure]]


def figures(
    summary: pd.DataFrame, record: pd.DataFrame, formats: Formats = FORMATS
) -> Iterator[Drawing]:
    """The figures of a study, problem by problem, in the order of the summary.

    record: its columns case (a row of the summary), relative_error, distribution and worst_input
    """
    table = readable(summary, input_names(record), formats)
    stems: set[str] = set()
    for problem in in_order(table["variant"]):
        part = table[table["variant"] == problem]
        for swept in (True, False):
            of = part[part["swept"] == swept]
            axes = swept_axes(of) if swept else []
            if not of["measured"].sum():
                continue
            its = samples_of(of, record)
            if axes:
                stem = _stem(problem, stems)
                for axis in axes:
                    yield from _drawn(f"{axis.stem}_{stem}", _curves(axis, of, its))
                if of[axes[0].column].nunique() <= MOST_ACROSS:  # the curves show the rest
                    yield from _maps(stem, of, axes[0].column)
            elif of["input"].nunique() <= MOST_INPUTS:
                stem = _stem(problem if swept else f"{problem} given inputs", stems)
                yield from _drawn(f"error_{stem}", _dots(of, its))
                yield from _maps(stem, of, "input")


def readable(frame: pd.DataFrame, given: dict[str, str], formats: Formats) -> pd.DataFrame:
    """The frame with facts of each row's format, and with a name for its input.

    The name of the input is used where no axis tells the inputs apart.
    """
    facts: dict[str, dict[str, float]] = {
        "precision": {name: f.precision for name, f in formats.items()},
        "largest": {name: f.largest for name, f in formats.items()},
        "least": {
            name: f.least_subnormal if f.subnormals else f.least_normal
            for name, f in formats.items()
        },
    }
    table = with_variants(frame)
    for name, of in facts.items():
        table[name] = frame["dtype"].map(of)
    columns = ["distribution", "magnitude", "n", "swept"]
    names = table[columns].drop_duplicates()
    names["input"] = [
        given.get(str(name), str(name)) + f", M = {magnitude_text(M)}, n = {n}" * swept
        for name, M, n, swept in names.itertuples(index=False, name=None)
    ]
    return table.merge(names, on=columns, how="left")


def samples_of(cases: pd.DataFrame, record: pd.DataFrame) -> pd.DataFrame:
    """A row for each sample of the cases: what is known of the case, and the relative error.

    A case that raised has one row in the record, which stands for all of its samples.
    """
    own = record.loc[record["case"].isin(cases.index), ["case", "relative_error"]]
    rows = own["case"].map(own["case"].value_counts())
    own = own.loc[own.index.repeat(np.where(rows == 1, own["case"].map(cases["samples"]), 1))]
    errors = own["relative_error"].to_numpy()
    return cases[_KNOWN].loc[own["case"]].assign(relative_error=errors).reset_index(drop=True)


def _stem(text: str, taken: set[str]) -> str:
    """A file stem of ASCII letters, digits and underscores that no other problem has."""
    stem = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60] or "problem"
    unique, k = stem, 1
    while unique in taken:
        k += 1
        unique = f"{stem}_{k}"
    taken.add(unique)
    return unique


def _curves(axis: Axis, part: pd.DataFrame, samples: pd.DataFrame) -> Iterator[Made]:
    """Error along the axis, a figure for each slice of the sweep that has enough of it."""
    sums = compares_sums(part, axis.column)
    part, samples = arranged(part, sums), arranged(samples, sums)
    keys = _slice_keys(part, axis)
    slices = part[keys].drop_duplicates() if keys else pd.DataFrame(index=[0])
    for where in slices.to_dict("records"):
        here, its = _where(part, where), _where(samples, where)
        its = its[its.groupby(PANEL)["relative_error"].transform("count") > 0]
        if here[axis.column].nunique() < axis.least or its.empty:
            continue
        for which, panels in _sheets(its, axis):
            shown, drawn = of_panels(here, panels), of_panels(its, panels)
            if drawn[axis.column].nunique() < 2:  # the other sheets of the slice run along the axis
                continue
            points, title = along(drawn, axis), axis.title(shown)
            words = captions.curves(shown, points, axis, which, where)
            figure = partial(error_curves, points, axis, title)
            yield words, curves_data(points, axis, title), figure


def _sheets(samples: pd.DataFrame, axis: Axis) -> list[tuple[str, list[Panel]]]:
    """The panels of each figure: those that have a row of panels in common stand together."""
    if samples[axis.rows].nunique() > MOST_ROWS:  # one row for all
        return sheets(panels_of(samples), MOST_BESIDE)
    groups = apart(samples, panels_of(samples), axis.rows)
    if len(groups) == 1:
        return sheets(groups[0], MOST_BESIDE)
    found = []
    for group in groups:
        dtypes = ", ".join(dict.fromkeys(dtype for dtype, _ in group))
        found += [(which or dtypes, panels) for which, panels in sheets(group, MOST_BESIDE)]
    return found


def _where(frame: pd.DataFrame, values: dict[Hashable, Any]) -> pd.DataFrame:
    """The rows with these values, where one missing value is like another."""
    for key, value in values.items():
        frame = frame[frame[key].isna() if pd.isna(value) else frame[key] == value]
    return frame


def _slice_keys(part: pd.DataFrame, axis: Axis) -> list[str]:
    """The axes that get a figure per value: those that vary, as long as the figures stay few."""
    told = (axis.column, axis.rows)
    keys = [k for k in SLICES if k not in told and part[k].nunique(dropna=False) > 1]
    each = len(sheets(panels_of(part), MOST_BESIDE))
    while keys and each * len(part[keys].drop_duplicates()) > MOST_FIGURES:
        keys.pop()
    return keys


def _dots(part: pd.DataFrame, samples: pd.DataFrame) -> Iterator[Made]:
    """The error at each given input."""
    sums = compares_sums(part, "input")
    here, its = arranged(part, sums), arranged(samples, sums)
    for which, panels in sheets(panels_of(here), MOST_BESIDE):
        points = median_and_maximum(of_panels(its, panels), ["input"])
        words = captions.dots(of_panels(here, panels), points, which)
        yield words, dots_data(points), partial(error_dots, points)


def _maps(stem: str, part: pd.DataFrame, across: str) -> Iterator[Drawing]:
    """Which failures, and how many bits are kept, along an axis or at each given input."""
    here = arranged(part, compares_sums(part, across))
    shown = [
        (of_panels(here, panels), which) for which, panels in sheets(panels_of(here), MOST_BELOW)
    ]
    for name, words, figure, cell in (
        ("failures", captions.failures, failure_map, failure_said),
        ("bits", captions.bits, bits_map, bits_said),
    ):
        made = (
            (words(of, across, which), map_data(pool(of, across), across, cell),
             partial(figure, of, across))
            for of, which in shown
        )  # fmt: skip
        yield from _drawn(f"{name}_{stem}", made)


def _drawn(name: str, made: Iterator[Made]) -> Iterator[Drawing]:
    """The figures drawn, and numbered if there are several."""
    all_made = list(made)
    for k, (words, data, figure) in enumerate(all_made, start=1):
        numbered = f"{name}_{k}" if len(all_made) > 1 else name
        svg = draw(figure, words.title, words.alternative)
        problem, title, caption = words.problem, words.title, words.caption
        yield Drawing(numbered, problem, title, caption, words.alternative, svg, data)
