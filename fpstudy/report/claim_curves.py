"""The figures of claims: a panel of named curves each."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from fpstudy.report.drawing import Drawing
from fpstudy.report.palette import lines
from fpstudy.report.panels import Grid, legend, legend_height
from fpstudy.report.svg import draw


def claim_drawings(claims: Sequence[Mapping[str, Any]]) -> dict[int, Drawing]:
    """The drawing of each claim that has curves, by the claim's number, counted from 1."""
    return {
        number: _drawing(number, claim["figure"])
        for number, claim in enumerate(claims, start=1)
        if claim.get("figure") is not None
    }


def _drawing(number: int, figure: Mapping[str, Any]) -> Drawing:
    names = ", ".join(map(str, figure["curves"]))
    alternative = f"Curves of {figure['y_label']} against {figure['x_label']}: {names}."
    title, caption = str(figure["title"]), str(figure["caption"])
    svg = draw(lambda: _curves(figure), title, alternative)
    return Drawing(f"claim_{number}", "", title, caption, alternative, svg)


def _curves(figure: Mapping[str, Any]) -> Figure:
    """One panel, a line for each named curve."""
    curves = figure["curves"]
    drawn = lines([str(name) for name in curves])
    width = 4.6
    grid = Grid(
        1, 1, width=width, height=2.4, gap_x=0, gap_y=0, left=0.7, right=0.2,
        top=0.2 + legend_height(list(drawn), width + 0.9), bottom=0.55,
    )  # fmt: skip
    drawing, panels = grid.figure()
    ax = panels[0, 0]
    for curve, line in zip(curves.values(), drawn.values(), strict=True):
        ax.plot(
            curve["x"], curve["y"], color=line.colour, linestyle=line.dashes, linewidth=line.width,
            marker=line.marker, markersize=3.4, markeredgewidth=0, markevery=_marked(curve["x"]),
        )  # fmt: skip
    ax.set_ylabel(str(figure["y_label"]))
    grid.below(drawing, str(figure["x_label"]))
    legend(grid, drawing, drawn)
    return drawing


def _marked(x: Sequence[float]) -> int:
    """A marker at every k-th point, so that about eight or fewer tell the line."""
    return max(1, len(x) // 8)
