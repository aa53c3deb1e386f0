"""Error along an axis: a median line each, a band up to the maximum, failures drawn."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fpstudy.report.arrangement import of_panels, panels_of
from fpstudy.report.axis import MAGNITUDE, Axis, N, Place, places, ticks
from fpstudy.report.guides import draw_guides, draw_roundoff, reach
from fpstudy.report.palette import MUTED, PAPER, STRIP, Line, lines
from fpstudy.report.panels import LETTER_WIDTH, Grid, legend, legend_height
from fpstudy.report.scale import Scale, scale
from fpstudy.report.variants import in_order


def error_curves(points: pd.DataFrame, axis: Axis, title: str) -> Figure:
    """A panel for each row and each dtype with what computed in it.

    points: columns line, dtype, who, precision, largest, row (text), row_at, median, maximum, rate
            (the exponent is rate times the logit; NaN if it varies), and the axis; one row a point
    """
    drawn = lines(in_order(points["line"]))
    columns, rows = panels_of(points), in_order(points.sort_values("row_at")["row"])
    guided = axis is N
    titles = ["\n".join(panel) for panel in columns]
    grid = _grid(len(rows), titles, list(drawn), guided)
    figure, panels = grid.figure()
    place = places(list(points[axis.column]))
    for c, panel in enumerate(columns):
        here = of_panels(points, [panel])
        u = 2.0 ** -int(here["precision"].iloc[0])
        found = here[["median", "maximum"]].to_numpy(float).ravel()
        errors = scale(np.append(found, reach(points["n"], u) if guided else []), u)
        for r, row in enumerate(rows):
            ax, own = panels[r, c], here[here["row"] == row]
            _frame(ax, errors, first=c == 0)
            _along(ax, axis, place, points[axis.column], labelled=r == len(rows) - 1)
            if own.empty:
                ax.text(0.5, 0.5, "not measured", transform=ax.transAxes, ha="center", color=MUTED)
                continue
            draw_roundoff(ax, u)
            if guided:
                draw_guides(ax, errors, u, place, points["n"], grid.height)
            if axis is MAGNITUDE:
                _threshold(ax, place, here, labelled=r == 0)
            for slot, (name, line) in enumerate(drawn.items()):
                curve = own[own["line"] == name].sort_values(axis.column)
                x = place(curve[axis.column].to_numpy(float))
                _curve(ax, errors, x, curve, line, 1 - (slot + 0.5) / len(drawn))
        panels[0, c].set_title(titles[c], pad=14)
    for r, row in enumerate(rows):
        panels[r, 0].set_ylabel(f"{row}\nrelative error")
        panels[r, 0].yaxis.set_label_coords(-0.62 / grid.width, 0.5)
    grid.below(figure, title)
    legend(grid, figure, drawn)
    return figure


def _grid(rows: int, titles: list[str], names: list[str], guided: bool) -> Grid:
    """Panels as wide as their titles, higher and further apart where guides have a label."""
    width = {1: 3.4, 2: 2.4}.get(len(titles), 1.85)
    gap = 0.95 if guided else 0.55
    longest = max(len(line) for title in titles for line in title.splitlines())
    width = max(width, LETTER_WIDTH * longest - gap / 2)
    height = (2.2 if rows <= 2 else 1.6) if guided else 1.35
    high = legend_height(names, (width + gap) * len(titles) + 1.2 - gap)
    return Grid(
        rows, len(titles), width=width, height=height, gap_x=gap, gap_y=0.16,
        left=1.0, right=0.65 if guided else 0.2, top=0.55 + high, bottom=0.5,
    )  # fmt: skip


def _frame(ax: Axes, errors: Scale, first: bool) -> None:
    """The empty panel: decades, and the strip of what is not finite, which is named once."""
    ax.set_ylim(errors.start, errors.end)
    ax.axhspan(errors.strip, errors.end, color=STRIP, linewidth=0)
    at, labels = errors.ticks(most=6)
    if not first:
        labels = ["" if "finite" in label else label for label in labels]
    ax.set_yticks(at, labels)


def _along(ax: Axes, axis: Axis, place: Place, values: pd.Series, labelled: bool) -> None:
    """The axis that the curves run along, with a little room at both ends."""
    ends = place(np.array([values.min(), values.max()], dtype=float))
    room = 0.04 * (ends[1] - ends[0])
    ax.set_xlim(ends[0] - room, ends[1] + room)
    marked = ticks(axis, list(values))
    ax.set_xticks(place(np.array(marked, dtype=float)), [axis.text(x) for x in marked])
    ax.tick_params(labelbottom=labelled)


def _threshold(ax: Axes, place: Place, here: pd.DataFrame, labelled: bool) -> None:
    """A line where the exponential of a logit M overflows, if it is one for all points."""
    rates = here["rate"].unique()
    if len(rates) != 1 or not 0 < rates[0] < math.inf:
        return
    threshold = math.log(float(here["largest"].iloc[0])) / rates[0]
    if not here["magnitude"].min() <= threshold <= here["magnitude"].max():
        return
    at = float(place(np.array(threshold)))
    ax.axvline(at, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1.5)
    if labelled:
        early = 2 * at < sum(ax.get_xlim())
        ax.text(
            at, 1.02, f"exp overflows at {threshold:.3g}", va="bottom",
            ha="left" if early else "right",
            transform=ax.get_xaxis_transform(), fontsize=6.5, color=MUTED,
        )  # fmt: skip


def _curve(
    ax: Axes, errors: Scale, x: np.ndarray, own: pd.DataFrame, line: Line, slot: float
) -> None:
    """One line: its median, the band up to its maximum, and what left the axis."""
    median, maximum = own["median"].to_numpy(float), own["maximum"].to_numpy(float)
    middle, upper = errors.place(median), errors.place(maximum)
    left = np.isnan(upper) & ~np.isnan(maximum)
    upper = np.where(left, errors.strip, upper)
    ax.fill_between(x, middle, upper, color=line.colour, alpha=0.16, linewidth=0)
    ax.plot(x, upper, color=line.colour, linewidth=0.5, alpha=0.8)
    ax.plot(
        x, middle, color=line.colour, linestyle=line.dashes, linewidth=line.width,
        marker=line.marker, markersize=2.8, markeredgewidth=0,
    )  # fmt: skip
    y = np.full(len(x), errors.strip + slot * (errors.end - errors.strip))
    few = ~np.isnan(middle)  # fewer than half of the samples left the axis
    for chosen, face in ((left & few, PAPER), (left & ~few, line.colour)):
        ax.plot(
            x[chosen], y[chosen], linestyle="none", marker=line.marker, markersize=2.8,
            markerfacecolor=face, markeredgecolor=line.colour, markeredgewidth=0.6,
        )  # fmt: skip
