"""Lines to read errors by: the unit roundoff u, growth with n, and limits of the exponential."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fpstudy.report.axis import MAGNITUDE, OFFSET, Axis, Floats, Place
from fpstudy.report.numbers import magnitude
from fpstudy.report.palette import INK, MUTED, SMALL
from fpstudy.report.panels import text_width
from fpstudy.report.scale import Scale

# What theory says of a sum of n positive terms: one after another, errors that are independent,
# and in pairs.
GROWTH: dict[str, Callable[[Floats], Floats]] = {
    "n u": lambda n: n,
    "\N{SQUARE ROOT}n u": np.sqrt,
    "log\N{SUBSCRIPT TWO}(n) u": np.log2,
}
APART = 0.14  # inches between the labels of two lines
LIMIT_HEIGHT = 0.14  # inches, of a line of words above a panel
Limits = list[tuple[float, str]]  # a value on the axis, and what begins there
OVER = 0.1  # inches that such words may reach beyond their panel
LEAST = 0.2  # part of the width that a guide crosses before it leaves the panel, or it is not drawn


def reach(n: pd.Series, u: float) -> list[float]:
    """The errors that an axis has to hold for the slower guides to be seen to their ends."""
    return [u * math.sqrt(n.max()), u * math.log2(max(2, n.max()))]


def draw_guides(
    ax: Axes, errors: Scale, u: float, place: Place, n: pd.Series, height: float
) -> list[tuple[Floats, Floats]]:
    """The guides over the range of n, and their names at their ends, with that of u.

    height: of the panel, in inches

    Returns the places of each guide that is drawn.
    """
    x = np.geomspace(float(n.min()), float(n.max()), 65)
    with np.errstate(divide="ignore"):  # log2(1) u = 0 has no place
        growth = {name: np.log10(grown(x) * u) for name, grown in GROWTH.items()}
    ends: dict[str, float] = {}
    paths: list[tuple[Floats, Floats]] = []
    for name, y in growth.items():
        inside = (y >= errors.low) & (y <= errors.high)
        if inside.mean() < LEAST:
            continue
        paths.append((place(x[inside]), y[inside]))
        ax.plot(
            *paths[-1], color=MUTED, linewidth=0.9, linestyle=(0, (1, 1.6)),
            zorder=1.4,
        )  # fmt: skip
        if inside[-1]:
            ends[name] = float(y[-1])
        else:  # what stands above a guide is beyond it, so there is room
            ax.annotate(
                name, (float(place(x[inside])[-1]), errors.high), (-12, 3), fontsize=SMALL,
                textcoords="offset points", ha="right", va="top", color=MUTED,
            )  # fmt: skip
    apart = APART * (errors.end - errors.start) / height
    above = math.log10(u)
    for name, end in sorted(ends.items(), key=lambda item: item[1]):
        above = max(end, above + apart)  # moved up so far that no name covers another
        ax.text(
            1.015, above, name, transform=ax.get_yaxis_transform(), va="center", fontsize=SMALL,
            color=MUTED,
        )  # fmt: skip
    return paths


def draw_roundoff(ax: Axes, u: float) -> None:
    """The line at u, with its name at its end."""
    ax.axhline(math.log10(u), color=INK, linewidth=0.8, zorder=1.5)
    ax.text(
        1.015, math.log10(u), "u", transform=ax.get_yaxis_transform(), va="center", fontsize=SMALL
    )


def limits(axis: Axis, here: pd.DataFrame, row: pd.DataFrame) -> Limits:
    """Where the exponentials of a panel leave the format, as far as the points have one such place.

    On the magnitude M: exp(M) overflows from log(largest) on. If M is the gap of two_point logits
    [M, 0, ..., 0]: from log((n - 1) / u) on the sum of the other exponentials is at most u times
    the largest, so that 1 + their sum rounds to 1. On the offset c: exp(c) overflows from
    log(largest) on, and rounds to 0 below log(least / 2). An inverse temperature or a base scales
    all of them.

    here: the points of the panel's column; row: those of the panel
    """
    rates = here["rate"].unique()
    if axis not in (MAGNITUDE, OFFSET) or len(rates) != 1 or not 0 < rates[0] < math.inf:
        return []
    found = [(math.log(float(here["largest"].iloc[0])), "exp overflows at")]
    if axis is OFFSET and "least" in here:
        least = math.log(float(here["least"].iloc[0])) - math.log(2)  # half of it may be 0
        found.append((least, "exp underflows at"))
    n = set(row["row_at"]) | set(row["row_to"])
    if axis is MAGNITUDE and row["gap"].all() and len(n) == 1 and min(n) > 1:
        p, rest = int(here["precision"].iloc[0]), math.log(min(n) - 1)
        found.append((p * math.log(2) + rest, "the others below u from"))
    at = [(value / rates[0], text) for value, text in found]
    low, high = here[axis.column].min(), here[axis.column].max()
    return [(x, f"{text} {magnitude(x)}") for x, text in at if low <= x <= high]


def draw_limits(
    ax: Axes, place: Place, found: Limits, size: tuple[float, float], labelled: bool
) -> list[tuple[Floats, Floats]]:
    """A line at each limit, and its words above the panel, one above the other.

    size: width and height of the panel, in inches

    Returns the places of the lines.
    """
    (left, right), (width, height) = ax.get_xlim(), size
    for k, (x, text) in enumerate(found):
        at = float(place(np.array(x)))
        ax.axvline(at, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5)
        if labelled:
            half = text_width(text) / 2 - OVER
            middle = min(max((at - left) / (right - left) * width, half), width - half)
            ax.text(
                middle / width, 1 + (0.03 + LIMIT_HEIGHT * k) / height, text, va="bottom",
                ha="center", transform=ax.transAxes, fontsize=SMALL, color=MUTED,
            )  # fmt: skip
    return [(place(np.full(2, x)), np.array(ax.get_ylim())) for x, _ in found]
