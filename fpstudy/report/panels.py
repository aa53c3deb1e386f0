"""A grid of panels placed by the inch: alike on every machine, and no solver to wait for."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

from fpstudy.report.palette import BASE, FONT, SMALL, Line
from fpstudy.report.picture import Picture


@cache
def text_width(text: str, points: float = SMALL) -> float:
    """Inches that the widest line of the text takes."""
    font = FontProperties(family=FONT, size=points)
    lines = text.splitlines() or [""]
    measured = (text_to_path.get_text_width_height_descent(line, font, False) for line in lines)
    return float(max(width for width, *_ in measured)) / 72


@dataclass(frozen=True)
class Grid:
    """Panels of width x height inches with gaps between and margins around.

    heights: of each row of panels where they differ
    """

    rows: int
    columns: int
    width: float
    height: float
    gap_x: float
    gap_y: float
    left: float
    right: float
    top: float
    bottom: float
    heights: tuple[float, ...] = ()

    @property
    def each(self) -> tuple[float, ...]:
        """The height of each row of panels, in inches."""
        return self.heights or (self.height,) * self.rows

    @property
    def size(self) -> tuple[float, float]:
        """Of the whole figure, in inches."""
        wide = self.columns * self.width + (self.columns - 1) * self.gap_x
        high = sum(self.each) + (self.rows - 1) * self.gap_y
        return self.left + wide + self.right, self.top + high + self.bottom

    def figure(self) -> tuple[Figure, NDArray[np.object_]]:
        """The figure and its axes, (rows, columns), without shared limits."""
        W, H = self.size
        figure = Picture(figsize=(W, H))
        panels = np.empty((self.rows, self.columns), dtype=object)
        for r, height in enumerate(self.each):
            y = self.bottom + sum(below + self.gap_y for below in self.each[r + 1 :])
            for c in range(self.columns):
                x = self.left + c * (self.width + self.gap_x)
                panels[r, c] = figure.add_axes((x / W, y / H, self.width / W, height / H))
        return figure, panels

    def below(self, figure: Figure, text: str, inches: float = 0.06) -> None:
        """A line of text that many inches above the lower edge, centred on the panels."""
        W, H = self.size
        middle = (self.left + W - self.right) / 2
        figure.text(middle / W, inches / H, text, ha="center", va="bottom")


def legend(grid: Grid, figure: Figure, drawn: dict[str, Line], dashes: bool = True) -> None:
    """The formulas' lines and markers at the top left, in as many rows as the width asks for."""
    W, H = grid.size
    handles = [
        Line2D(
            [], [], color=line.colour, linestyle=line.dashes if dashes else "none",
            linewidth=line.width, marker=line.marker, markersize=5, markeredgewidth=0,
        )
        for line in drawn.values()
    ]  # fmt: skip
    figure.legend(
        handles, list(drawn), loc="upper left", bbox_to_anchor=(0.1 / W, 1 - 0.04 / H),
        borderaxespad=0, borderpad=0, ncols=_per_row(list(drawn), W),
        handlelength=3.2 if dashes else 1,
    )  # fmt: skip


def legend_height(names: list[str], width: float) -> float:
    """Inches that the legend takes above a figure so many inches wide."""
    return 0.06 + 0.22 * -(-len(names) // _per_row(names, width))


def _per_row(names: list[str], width: float) -> int:
    """How many entries of a legend stand beside each other: all, or as many of the widest."""
    widths = [text_width(name, BASE) + 0.8 for name in names]
    if sum(widths) < width - 0.2:
        return len(names)
    return max(1, int((width - 0.2) / max(widths)))
