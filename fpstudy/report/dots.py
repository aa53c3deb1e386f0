"""Error per input, where inputs are given and have no magnitude: a row each, a dot per formula."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fpstudy.report.arrangement import of_panels, panels_of
from fpstudy.report.palette import BASE, INK, PAPER, RULE, SMALL, STRIP, Line, lines
from fpstudy.report.panels import Grid, legend, legend_height, text_width
from fpstudy.report.scale import Scale, scale
from fpstudy.report.variants import in_order


def error_dots(points: pd.DataFrame) -> Figure:
    """A panel for each dtype with what computed in it; a line leads to the maximum from the median.

    points: columns line, dtype, who, precision, input, median, maximum
    """
    drawn = lines(in_order(points["line"]))
    columns, inputs = panels_of(points), in_order(points["input"])
    gap, left = 0.3, 0.2 + max(map(text_width, inputs))
    width = max(text_width("\n".join(panel), BASE) - gap + 0.1 for panel in columns)
    width = max(width, 3.4 if len(columns) == 1 else 2.3)
    high = legend_height(list(drawn), left + (width + gap) * len(columns))
    grid = Grid(
        1, len(columns), width=width, height=len(inputs) * (0.16 + 0.1 * len(drawn)),
        gap_x=gap, gap_y=0, left=left, right=0.2, top=0.66 + high, bottom=0.68,
    )  # fmt: skip
    figure, panels = grid.figure()
    for ax, panel in zip(panels[0], columns, strict=True):
        here = of_panels(points, [panel])
        u = 2.0 ** -int(here["precision"].iloc[0])
        axis = scale(here[["median", "maximum"]].to_numpy(float).ravel(), u)
        _panel(ax, axis, u, inputs, first=ax is panels[0, 0])
        for slot, (name, line) in enumerate(drawn.items()):
            own = here[here["line"] == name]
            _dots(ax, axis, own, inputs, line, (slot + 0.5) / len(drawn))
        ax.set_title("\n".join(panel), pad=16)
    grid.below(figure, "relative error")
    legend(grid, figure, drawn, dashes=False)
    return figure


def _panel(ax: Axes, axis: Scale, u: float, inputs: list[str], first: bool) -> None:
    """The empty panel: a row per input, the strip at the right, the line at u."""
    ax.set_xlim(axis.start, axis.end)
    ax.set_ylim(len(inputs), 0)
    ax.axvspan(axis.strip, axis.end, color=STRIP, linewidth=0)
    places, labels = axis.ticks(most=3)
    ax.set_xticks(places, ["" if "finite" in name else name for name in labels])
    ax.annotate(
        next(name for name in labels if "finite" in name), ((axis.strip + axis.end) / 2, 0),
        (0, -17), xycoords=ax.get_xaxis_transform(), textcoords="offset points", ha="center",
        va="top", fontsize=SMALL,
    )  # fmt: skip
    ax.set_yticks([i + 0.5 for i in range(len(inputs))], inputs if first else [""] * len(inputs))
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    for i in range(1, len(inputs)):
        ax.axhline(i, color=RULE, linewidth=0.5, zorder=1)
    ax.axvline(math.log10(u), color=INK, linewidth=0.8, zorder=1.5)
    ax.text(
        math.log10(u), 1.0, "u", transform=ax.get_xaxis_transform(), ha="center", va="bottom",
        fontsize=SMALL,
    )  # fmt: skip


def _dots(
    ax: Axes, axis: Scale, own: pd.DataFrame, inputs: list[str], line: Line, slot: float
) -> None:
    """One formula's dots, hollow where only some samples are not finite."""
    y = np.array([inputs.index(name) for name in own["input"].astype(str)], dtype=float)
    y += 0.1 + 0.8 * slot
    median, maximum = own["median"].to_numpy(float), own["maximum"].to_numpy(float)
    middle, upper = axis.place(median), axis.place(maximum)
    left = np.isnan(upper) & ~np.isnan(maximum)
    shown = np.where(left, (axis.strip + axis.end) / 2, upper)
    ax.hlines(y, middle, shown, color=line.colour, linewidth=1)
    hollow = left & ~np.isnan(middle)
    for chosen, face in ((~hollow, line.colour), (hollow, PAPER)):
        ax.plot(
            shown[chosen], y[chosen], linestyle="none", marker=line.marker, markersize=5,
            markerfacecolor=face, markeredgecolor=line.colour, markeredgewidth=0.7,
        )  # fmt: skip
