"""Lines to read errors by: the unit roundoff u, and how rounding errors grow with n."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fpstudy.report.axis import Floats, Place
from fpstudy.report.palette import INK, MUTED
from fpstudy.report.scale import Scale

# What theory says of a sum of n positive terms: one after another, errors that are independent,
# and in pairs.
GROWTH: dict[str, Callable[[Floats], Floats]] = {
    "n u": lambda n: n,
    "\N{SQUARE ROOT}n u": np.sqrt,
    "log\N{SUBSCRIPT TWO}(n) u": np.log2,
}
APART = 0.115  # inches between the labels of two lines
LEAST = 0.2  # part of the width that a guide crosses before it leaves the panel, or it is not drawn


def reach(n: pd.Series, u: float) -> list[float]:
    """The errors that an axis has to hold for the slower guides to be seen to their ends."""
    return [u * math.sqrt(n.max()), u * math.log2(max(2, n.max()))]


def draw_guides(
    ax: Axes, errors: Scale, u: float, place: Place, n: pd.Series, height: float
) -> None:
    """The guides over the range of n, and their names at their ends, with that of u.

    height: of the panel, in inches
    """
    x = np.geomspace(float(n.min()), float(n.max()), 65)
    with np.errstate(divide="ignore"):  # log2(1) u = 0 has no place
        growth = {name: np.log10(grown(x) * u) for name, grown in GROWTH.items()}
    ends: dict[str, float] = {}
    for name, y in growth.items():
        inside = (y >= errors.low) & (y <= errors.high)
        if inside.mean() < LEAST:
            continue
        ax.plot(
            place(x[inside]), y[inside], color=MUTED, linewidth=0.7, linestyle=(0, (1, 1.6)),
            zorder=1.4,
        )  # fmt: skip
        if inside[-1]:
            ends[name] = float(y[-1])
        else:  # what stands above a guide is beyond it, so there is room
            ax.annotate(
                name, (float(place(x[inside])[-1]), errors.high), (-12, 3), fontsize=7,
                textcoords="offset points", ha="right", va="top", color=MUTED,
            )  # fmt: skip
    apart = APART * (errors.end - errors.start) / height
    above = math.log10(u)
    for name, end in sorted(ends.items(), key=lambda item: item[1]):
        above = max(end, above + apart)  # moved up so far that no name covers another
        ax.text(
            1.015, above, name, transform=ax.get_yaxis_transform(), va="center", fontsize=7,
            color=MUTED,
        )  # fmt: skip


def draw_roundoff(ax: Axes, u: float) -> None:
    """The line at u, with its name at its end."""
    ax.axhline(math.log10(u), color=INK, linewidth=0.8, zorder=1.5)
    ax.text(1.015, math.log10(u), "u", transform=ax.get_yaxis_transform(), va="center", fontsize=7)
