"""The numbers of a figure as the table that stands beside it; of very many, a row for each line.

Relative errors have no unit; the column of the values on the axis is named as the axis is.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fpstudy.report.arrangement import of_panels, panels_of
from fpstudy.report.axis import AXES, Axis
from fpstudy.report.drawing import Data
from fpstudy.report.numbers import count, number
from fpstudy.report.variants import in_order

MOST_POINTS = 300  # that are given one by one

SUMMED = " The table of this figure has a row for each line; summary.csv has every case."
ERRORS = ("median relative error", "largest relative error", "samples", "samples not finite")

Field = Mapping[Hashable, Any]


def curves_data(points: pd.DataFrame, axis: Axis, title: str) -> Data:
    """Median and maximum of each point, from how many samples, and how many are not finite.

    Beyond MOST_POINTS: of each line, the largest error, and where errors are first not finite.
    """
    rows = AXES[axis.rows].symbol
    head = ("dtype", "computed by", rows, "line")
    groups = [
        ((*panel, str(row).removeprefix(f"{rows} = "), line), own)
        for panel, here in _panels(points.sort_values(["row_at", axis.column], kind="stable"))
        for row, line, own in _lines(here)
    ]
    if len(points) > MOST_POINTS:
        first = f"first {axis.symbol} with a sample not finite"
        table = tuple((*names, *_whole(own, axis)) for names, own in groups)
        return Data((*head, "points", *ERRORS[1:], first), table)
    table = tuple(
        (*names, axis.text(float(point[axis.column])), *_errors(point))
        for names, own in groups
        for point in own.to_dict("records")
    )
    return Data((*head, title, *ERRORS), table)


def dots_data(points: pd.DataFrame) -> Data:
    """Median and maximum at each input, from how many samples, and how many are not finite."""
    table = (
        (*panel, str(point["input"]), str(point["line"]), *_errors(point))
        for panel, here in _panels(points)
        for point in here.to_dict("records")
    )
    return Data(("dtype", "computed by", "input", "line", *ERRORS), tuple(table))


def map_data(fields: pd.DataFrame, across: str, said: Callable[[Field], str]) -> Data:
    """A row for each line of a map and a column for each value, as they stand in the figure.

    said: what a field says; empty where nothing was planned
    """
    axis = AXES.get(across)
    values: list[Any] = sorted(fields[across].unique()) if axis else in_order(fields[across])
    heads = [f"{axis.symbol} = {axis.text(x)}" if axis else str(x) for x in values]
    table = []
    for panel, here in _panels(fields):
        for line in in_order(here["line"]):
            own = here[here["line"] == line].to_dict("records")
            texts = {field[across]: said(field) for field in own}
            table.append((*panel, line, *(texts.get(value, "") for value in values)))
    return Data(("dtype", "computed by", "line", *heads), tuple(table))


def _panels(points: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """The panels in the order of the figure."""
    for panel in panels_of(points):
        yield panel, of_panels(points, [panel])


def _lines(here: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The lines of a panel's column, row by row."""
    for (row, line), own in here.groupby(["row", "line"], sort=False):
        yield str(row), str(line), own


def _errors(point: Field) -> tuple[str, str, str, str]:
    return (
        number(point["median"]), number(point["maximum"]), count(point["samples"]),
        count(point["infinite"]),
    )  # fmt: skip


def _whole(own: pd.DataFrame, axis: Axis) -> tuple[str, ...]:
    """A line in one row: its points, its largest error, its samples, and where they first fail."""
    failing = own.loc[own["infinite"] > 0, axis.column].to_numpy(float)
    first = axis.text(failing[np.argmin(np.abs(failing))]) if len(failing) else ""
    return (
        count(len(own)), number(own["maximum"].max()), count(own["samples"].sum()),
        count(own["infinite"].sum()), first,
    )  # fmt: skip
