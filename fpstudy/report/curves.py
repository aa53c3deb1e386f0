"""Error along an axis: a median line each, a band up to the maximum, failures drawn."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fpstudy.report.arrangement import Panel, of_panels, panels_of
from fpstudy.report.axis import MOST_TICKS, Axis, Floats, N, Place, places, ticks
from fpstudy.report.guides import (
    LIMIT_HEIGHT,
    Limits,
    draw_guides,
    draw_limits,
    draw_roundoff,
    limits,
    reach,
)
from fpstudy.report.labels import Path, name_lines
from fpstudy.report.palette import BASE, MUTED, PAPER, STRIP, Line, lines
from fpstudy.report.panels import Grid, legend, legend_height, text_width
from fpstudy.report.scale import Scale, scale
from fpstudy.report.variants import in_order

MARKER = 3.8  # points
MOST_MARKED = 16  # about so many markers tell a line; those in the strip are all drawn
NOTE = 0.18  # inches below the strip where a guide that leaves the panel has its name
Cell = tuple[int, int]  # row and column of a panel


def error_curves(points: pd.DataFrame, axis: Axis, title: str) -> Figure:
    """A panel for each row and each dtype with what computed in it.

    points: columns line, dtype, who, precision, largest, row (text), row_at, row_to, median,
            maximum, gap (whether all logits are two_point), rate (the exponent is rate times the
            logit; NaN if it varies), and the axis; one row a point

    Lines have their names beside them; where one of them has no room, a legend names all.
    """
    figure, named = _figure(points, axis, title, keyed=True)
    return _figure(points, axis, title, keyed=False)[0] if named else figure


def _figure(points: pd.DataFrame, axis: Axis, title: str, keyed: bool) -> tuple[Figure, bool]:
    """The figure with a legend or without, and whether each line is named in each panel."""
    columns, rows = panels_of(points), in_order(points.sort_values("row_at")["row"])
    beside = [of_panels(points, [panel]) for panel in columns]
    cells = {
        (r, c): here[here["row"] == row]
        for c, here in enumerate(beside)
        for r, row in enumerate(rows)
    }
    bounds = {(r, c): limits(axis, beside[c], own) for (r, c), own in cells.items() if len(own)}
    drawn = lines(in_order(points["line"]))
    grid = _grid(len(rows), columns, list(drawn) if keyed else [], axis, bounds)
    figure, panels = grid.figure()
    named = True
    for (r, c), own in cells.items():
        ax, errors = panels[r, c], _scale(beside[c], points["n"] if axis is N else None)
        _frame(ax, errors, first=c == 0)
        _along(ax, axis, points[axis.column], grid.width, labelled=r == len(rows) - 1)
        if own.empty:
            ax.text(0.5, 0.5, "not measured", transform=ax.transAxes, ha="center", color=MUTED)
            continue
        guides = _guides(ax, errors, axis, points, grid.height, int(own["precision"].iloc[0]))
        place, size = places(list(points[axis.column])), (grid.width, grid.height)
        guides += draw_limits(ax, place, bounds[r, c], size, labelled=r == 0 or _apart(bounds))
        middles, edges = _curves(ax, errors, place, own, axis, drawn)
        top = errors.high - (NOTE / grid.height * (errors.end - errors.start) if axis is N else 0)
        named &= name_lines(figure, ax, drawn, size, middles, [*guides, *edges], top)
    for c, panel in enumerate(columns):
        panels[0, c].set_title("\n".join(panel), pad=6 + 72 * LIMIT_HEIGHT * _levels(bounds))
    for r, row in enumerate(rows):
        panels[r, 0].set_ylabel(f"{row}\nrelative error")
        panels[r, 0].yaxis.set_label_coords(-0.76 / grid.width, 0.5)
    grid.below(figure, title)
    if keyed:
        legend(grid, figure, drawn)
    return figure, named


def _levels(bounds: dict[Cell, Limits]) -> int:
    """How many lines of words stand above a panel at most."""
    return max(map(len, bounds.values()))


def _apart(bounds: dict[Cell, Limits]) -> bool:
    """Whether each panel needs its own words: not all have the limits of the topmost one."""
    return any(bounds.get((0, c)) != found for (_, c), found in bounds.items())


def _grid(
    rows: int, columns: list[Panel], names: list[str], axis: Axis, bounds: dict[Cell, Limits]
) -> Grid:
    """Panels as wide as their titles, higher and further apart where guides have a label."""
    guided = axis is N
    width = {1: 3.8, 2: 2.9, 3: 2.4}.get(len(columns), 1.95 if guided else 2.1)
    gap = 0.95 if guided else 0.68
    width = max(width, max(text_width("\n".join(panel), BASE) for panel in columns) + 0.1 - gap)
    words = LIMIT_HEIGHT * _levels(bounds)
    left, right = 1.15, 0.72 if guided else 0.25
    wide = (width + gap) * len(columns) - gap + left + right
    return Grid(
        rows, len(columns), width=width, height=2.2 if guided and rows <= 2 else 1.75, gap_x=gap,
        gap_y=0.18 + (words if _apart(bounds) else 0), left=left, right=right,
        top=0.52 + words + (legend_height(names, wide) if names else 0), bottom=0.55,
    )  # fmt: skip


def _scale(here: pd.DataFrame, sizes: pd.Series | None) -> Scale:
    """The axis of errors of a column of panels, with room for the guides over these n."""
    u = 2.0 ** -int(here["precision"].iloc[0])
    found = here[["median", "maximum"]].to_numpy(float).ravel()
    return scale(np.append(found, [] if sizes is None else reach(sizes, u)), u)


def _frame(ax: Axes, errors: Scale, first: bool) -> None:
    """The empty panel: decades, and the strip of what is not finite, which is named once."""
    ax.set_ylim(errors.start, errors.end)
    ax.axhspan(errors.strip, errors.end, color=STRIP, linewidth=0)
    at, labels = errors.ticks(most=6)
    if not first:
        labels = ["" if "finite" in label else label for label in labels]
    ax.set_yticks(at, labels)


def _along(ax: Axes, axis: Axis, values: pd.Series, width: float, labelled: bool) -> None:
    """The axis that the curves run along, with a little room at both ends.

    Where 0 or a negative value makes it neither even nor logarithmic, each value has a short tick.
    """
    measured = np.unique(values.to_numpy(float))
    place = places(list(measured))
    at = place(measured)
    room = 0.04 * (at[-1] - at[0])
    ax.set_xlim(at[0] - room, at[-1] + room)
    widest = max(text_width(axis.text(x)) for x in measured) + 0.14
    marked = ticks(axis, list(measured), most=min(MOST_TICKS, max(2, int(width / widest))))
    ax.set_xticks(place(np.array(marked, dtype=float)), [axis.text(x) for x in marked])
    if measured[0] <= 0 and not np.array_equal(at, measured):
        ax.set_xticks(at, minor=True)
        ax.tick_params(which="minor", length=2)
    ax.tick_params(labelbottom=labelled)


def _guides(
    ax: Axes, errors: Scale, axis: Axis, points: pd.DataFrame, height: float, precision: int
) -> list[Path]:
    """The line at u, and against n those of growth, drawn; returns where they are."""
    u = 2.0**-precision
    draw_roundoff(ax, u)
    paths = [(np.array(ax.get_xlim()), np.full(2, math.log10(u)))]
    if axis is N:
        n = points["n"]
        paths += draw_guides(ax, errors, u, places(list(n)), n, height)
    return paths


def _curves(
    ax: Axes, errors: Scale, place: Place, own: pd.DataFrame, axis: Axis, drawn: dict[str, Line]
) -> tuple[dict[str, Path], list[Path]]:
    """The lines of a panel, drawn; their medians by name, and the edges of their bands."""
    middles, edges = {}, []
    for slot, (name, line) in enumerate(drawn.items()):
        curve = own[own["line"] == name].sort_values(axis.column)
        if len(curve):
            x = place(curve[axis.column].to_numpy(float))
            middle, upper = _curve(ax, errors, x, curve, line, 1 - (slot + 0.5) / len(drawn))
            middles[name] = (x, middle)
            edges.append((x, upper))
    return middles, edges


def _curve(
    ax: Axes, errors: Scale, x: Floats, own: pd.DataFrame, line: Line, slot: float
) -> tuple[Floats, Floats]:
    """One line: its median, the band up to its maximum, and what left the axis."""
    median, maximum = own["median"].to_numpy(float), own["maximum"].to_numpy(float)
    middle, upper = errors.place(median), errors.place(maximum)
    left = np.isnan(upper) & ~np.isnan(maximum)
    upper = np.where(left, errors.strip, upper)
    ax.fill_between(x, middle, upper, color=line.colour, alpha=0.16, linewidth=0)
    ax.plot(x, upper, color=line.colour, linewidth=0.6, alpha=0.8)
    ax.plot(
        x, middle, color=line.colour, linestyle=line.dashes, linewidth=line.width,
        marker=line.marker, markersize=MARKER, markeredgewidth=0,
        markevery=max(1, len(x) // MOST_MARKED),
    )  # fmt: skip
    y = np.full(len(x), errors.strip + slot * (errors.end - errors.strip))
    few = ~np.isnan(middle)  # fewer than half of the samples left the axis
    for chosen, face in ((left & few, PAPER), (left & ~few, line.colour)):
        ax.plot(
            x[chosen], y[chosen], linestyle="none", marker=line.marker, markersize=MARKER,
            markerfacecolor=face, markeredgecolor=line.colour, markeredgewidth=0.7,
        )  # fmt: skip
    return middle, upper
