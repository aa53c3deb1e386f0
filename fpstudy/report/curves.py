"""Error against magnitude: a median line per formula, a band up to the maximum, failures drawn."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from fpstudy.formats import FORMATS
from fpstudy.report.numbers import magnitude as magnitude_text
from fpstudy.report.palette import INK, MUTED, PAPER, STRIP, Line, lines
from fpstudy.report.panels import Grid, legend, legend_height
from fpstudy.report.scale import Scale, scale
from fpstudy.report.variants import SETTING, computed_by, in_order, magnitude_title, settings


def error_curves(points: pd.DataFrame) -> Figure:
    """A panel for each n (rows) and setting (columns).

    points: columns formula, dtype, arithmetic, accumulation, n, magnitude, distribution, median,
            maximum, rate (the exponent is rate times the logit; NaN if it varies); one row a point
    """
    drawn = lines(in_order(points["formula"]))
    columns, rows = settings(points), list(points["n"].drop_duplicates().sort_values())
    width = {1: 3.4, 2: 2.4}.get(len(columns), 1.85)
    high = legend_height(list(drawn), (width + 0.55) * len(columns) + 0.65)
    grid = Grid(
        len(rows), len(columns), width=width, height=1.35, gap_x=0.55, gap_y=0.16,
        left=1.0, right=0.2, top=0.55 + high, bottom=0.5,
    )  # fmt: skip
    figure, panels = grid.figure()
    for c, setting in enumerate(columns):
        here = points[(points[SETTING].astype(str) == list(setting)).all(axis=1)]
        u = FORMATS[setting[0]].unit_roundoff
        axis = scale(here[["median", "maximum"]].to_numpy(float).ravel(), u)
        for r, n in enumerate(rows):
            ax = panels[r, c]
            _panel(ax, axis, u, first=c == 0)
            _magnitudes(ax, points["magnitude"], labelled=r == len(rows) - 1)
            _threshold(ax, here, labelled=r == 0)
            for slot, (formula, line) in enumerate(drawn.items()):
                own = here[(here["n"] == n) & (here["formula"].astype(str) == formula)]
                _curve(ax, axis, own.sort_values("magnitude"), line, 1 - (slot + 0.5) / len(drawn))
        panels[0, c].set_title(f"{setting[0]}\n{computed_by(*setting[1:])}", pad=14)
    for r, n in enumerate(rows):
        panels[r, 0].set_ylabel(f"n = {n}\nrelative error")
        panels[r, 0].yaxis.set_label_coords(-0.62 / width, 0.5)
    grid.below(figure, magnitude_title(in_order(points["distribution"])))
    legend(grid, figure, drawn)
    return figure


def _panel(ax: Axes, axis: Scale, u: float, first: bool) -> None:
    """The empty panel: decades, the strip of what is not finite, the line at the unit roundoff."""
    ax.set_ylim(axis.start, axis.end)
    ax.axhspan(axis.strip, axis.end, color=STRIP, linewidth=0)
    places, labels = axis.ticks(most=6)
    if not first:  # the strip is named once
        labels = ["" if "finite" in label else label for label in labels]
    ax.set_yticks(places, labels)
    ax.axhline(math.log10(u), color=INK, linewidth=0.8, zorder=1.5)
    ax.text(1.015, math.log10(u), "u", transform=ax.get_yaxis_transform(), va="center", fontsize=7)


def _magnitudes(ax: Axes, magnitudes: pd.Series, labelled: bool) -> None:
    """A logarithmic axis of decades; linear where a magnitude is not positive."""
    low, high = float(magnitudes.min()), float(magnitudes.max())
    if low > 0:
        ax.set_xscale("log")
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        step = math.ceil((last - first + 1) / 5)
        ax.xaxis.set_major_locator(FixedLocator([10.0**d for d in range(first, last + 1, step)]))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(low / (high / low) ** 0.04, high * (high / low) ** 0.04)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: magnitude_text(x)))
    ax.tick_params(labelbottom=labelled)


def _threshold(ax: Axes, here: pd.DataFrame, labelled: bool) -> None:
    """A line where the exponential of a logit M overflows, if it is one for all points."""
    rates = here["rate"].unique()
    if len(rates) != 1 or not 0 < rates[0] < math.inf:
        return
    threshold = math.log(FORMATS[str(here["dtype"].iloc[0])].largest) / rates[0]
    if not here["magnitude"].min() <= threshold <= here["magnitude"].max():
        return
    ax.axvline(threshold, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1.5)
    if labelled:
        early = threshold**2 < here["magnitude"].min() * here["magnitude"].max()
        ax.text(
            threshold, 1.02, f"exp overflows at {threshold:.3g}", va="bottom",
            ha="left" if early else "right",
            transform=ax.get_xaxis_transform(), fontsize=6.5, color=MUTED,
        )  # fmt: skip


def _curve(ax: Axes, axis: Scale, own: pd.DataFrame, line: Line, slot: float) -> None:
    """One formula: its median, the band up to its maximum, and what left the axis."""
    x = own["magnitude"].to_numpy(float)
    median, maximum = own["median"].to_numpy(float), own["maximum"].to_numpy(float)
    middle, upper = axis.place(median), axis.place(maximum)
    left = np.isnan(upper) & ~np.isnan(maximum)
    upper = np.where(left, axis.strip, upper)
    ax.fill_between(x, middle, upper, color=line.colour, alpha=0.16, linewidth=0)
    ax.plot(x, upper, color=line.colour, linewidth=0.5, alpha=0.8)
    ax.plot(
        x, middle, color=line.colour, linestyle=line.dashes, linewidth=line.width,
        marker=line.marker, markersize=2.8, markeredgewidth=0,
    )  # fmt: skip
    y = np.full(len(x), axis.strip + slot * (axis.end - axis.strip))
    few = ~np.isnan(middle)  # fewer than half of the samples left the axis
    for chosen, face in ((left & few, PAPER), (left & ~few, line.colour)):
        ax.plot(
            x[chosen], y[chosen], linestyle="none", marker=line.marker, markersize=2.8,
            markerfacecolor=face, markeredgecolor=line.colour, markeredgewidth=0.6,
        )  # fmt: skip
