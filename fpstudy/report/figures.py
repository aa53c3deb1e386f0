"""Which figures a study gets: per problem its errors, its failures and the bits that it keeps.

What a figure does not tell apart is pooled in it, never left out: the maps take the worst over all
else, the curves take median and maximum over all samples of the record.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fpstudy.report import captions
from fpstudy.report.curves import error_curves
from fpstudy.report.dots import error_dots
from fpstudy.report.inputs import input_names
from fpstudy.report.maps import bits_map, failure_map
from fpstudy.report.numbers import magnitude as magnitude_text
from fpstudy.report.svg import draw
from fpstudy.report.variants import SETTING, in_order, with_variants

MOST_SLICES = 6  # figures of error curves for one problem; beyond, axes are pooled
MOST_ROWS = 5  # values of n with a row of panels each; beyond, n is pooled
MOST_INPUTS = 30  # given inputs that a figure has room for
SLICES: list[str] = ["distribution", "offset", "base", "beta"]  # pooled from the last one on


@dataclass(frozen=True)
class Drawing:
    """A figure with the words that go with it, all plain text; `name` is the stem of its file."""

    name: str
    problem: str
    title: str
    caption: str
    alternative: str
    svg: str


def figures(summary: pd.DataFrame, record: pd.DataFrame) -> Iterator[Drawing]:
    """The figures of a study, problem by problem, in the order of the summary."""
    names = input_names(record)
    table, samples = _read(summary, names), _read(record, names)
    stems: set[str] = set()
    for problem in in_order(table["variant"]):
        part, drawn = (frame[frame["variant"] == problem] for frame in (table, samples))
        for swept in (True, False):
            of, its = part[part["swept"] == swept], drawn[drawn["swept"] == swept]
            if not of["measured"].sum():
                continue
            if swept and of["magnitude"].nunique() > 1:
                stem = _stem(problem, stems)
                yield from _curves(stem, of, its)
                yield from _maps(stem, of)
            elif of["input"].nunique() <= MOST_INPUTS:
                stem = _stem(problem if swept else f"{problem} given inputs", stems)
                yield _dots(stem, of, its)
                yield from _maps(stem, of.assign(swept=False))


def _read(frame: pd.DataFrame, given: dict[str, str]) -> pd.DataFrame:
    """The frame with a name for the input of each row, used where no magnitude tells them apart."""
    table = with_variants(frame)
    columns = ["distribution", "magnitude", "n", "swept"]
    names = table[columns].drop_duplicates()
    names["input"] = [
        given.get(str(name), str(name)) + f", M = {magnitude_text(M)}, n = {n}" * swept
        for name, M, n, swept in names.itertuples(index=False, name=None)
    ]
    return table.merge(names, on=columns, how="left")


def _stem(text: str, taken: set[str]) -> str:
    """A file stem of ASCII letters, digits and underscores that no other problem has."""
    stem = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60] or "problem"
    unique, k = stem, 1
    while unique in taken:
        k += 1
        unique = f"{stem}_{k}"
    taken.add(unique)
    return unique


def _curves(stem: str, part: pd.DataFrame, samples: pd.DataFrame) -> Iterator[Drawing]:
    """Error against magnitude, a figure for each slice of the sweep that has several magnitudes."""
    keys = _slice_keys(part)
    slices = part[keys].drop_duplicates() if keys else pd.DataFrame(index=[0])
    for k, where in enumerate(slices.to_dict("records"), start=1):
        here, its = _where(part, where), _where(samples, where)
        if here["magnitude"].nunique() < 2 or not its["relative_error"].notna().any():
            continue
        points = _points(its, ["n", "magnitude"])
        yield _drawing(
            f"error_{stem}" + (f"_{k}" if len(slices) > 1 else ""),
            captions.curves(here, where),
            lambda points=points: error_curves(points),  # type: ignore[misc]
        )


def _where(frame: pd.DataFrame, values: dict[Hashable, Any]) -> pd.DataFrame:
    """The rows with these values, where one missing value is like another."""
    for key, value in values.items():
        frame = frame[frame[key].isna() if pd.isna(value) else frame[key] == value]
    return frame


def _slice_keys(part: pd.DataFrame) -> list[str]:
    """The axes that get a figure per value: those that vary, as long as the figures stay few."""
    keys = [key for key in SLICES if part[key].nunique(dropna=False) > 1]
    while keys and len(part[keys].drop_duplicates()) > MOST_SLICES:
        keys.pop()
    return keys


def _points(samples: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Median and maximum of the relative error over all samples that share the keys."""
    if "n" in keys and samples["n"].nunique() > MOST_ROWS:
        samples = samples.assign(n=f"{samples['n'].min()} .. {samples['n'].max()}")
    beta = samples["beta"].astype(float).fillna(1.0)
    base = samples["base"].astype(float).fillna(np.e)
    samples = samples.assign(rate=np.abs(beta * np.log(base)))
    grouped = samples.groupby(["formula", *SETTING, *keys], sort=False)
    points = grouped.agg(
        median=("relative_error", "median"),
        maximum=("relative_error", "max"),
        rate=("rate", "min"),
        rate_max=("rate", "max"),
        distribution=("distribution", "first"),
    )
    points["rate"] = points["rate"].where(points["rate"] == points["rate_max"])
    if samples["distribution"].nunique() > 1:
        points["distribution"] = ""
    return points.reset_index()


def _dots(stem: str, part: pd.DataFrame, samples: pd.DataFrame) -> Drawing:
    """The error at each given input."""
    points = _points(samples, ["input"])
    return _drawing(f"error_{stem}", captions.dots(part), lambda: error_dots(points))


def _maps(stem: str, part: pd.DataFrame) -> Iterator[Drawing]:
    """Which failures, and how many bits are kept."""
    yield _drawing(f"failures_{stem}", captions.failures(part), lambda: failure_map(part))
    yield _drawing(f"bits_{stem}", captions.bits(part), lambda: bits_map(part))


def _drawing(name: str, words: captions.Words, figure: Callable[[], Figure]) -> Drawing:
    svg = draw(figure, words.title, words.alternative)
    return Drawing(name, words.problem, words.title, words.caption, words.alternative, svg)
