"""The figures of claims: a panel of named curves each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fpstudy.report.data import MOST_POINTS
from fpstudy.report.drawing import Data, Drawing
from fpstudy.report.labels import name_lines
from fpstudy.report.numbers import count, number
from fpstudy.report.palette import lines
from fpstudy.report.panels import Grid, legend, legend_height
from fpstudy.report.scale import Floats
from fpstudy.report.svg import draw

WIDTH, HEIGHT = 5.0, 2.7  # inches, of the panel
MOST_NAMED = 12  # curves of which each may find room for its name; beyond, none is looked for

Curve = tuple[Floats, Floats]


def claim_drawings(claims: Sequence[Mapping[str, Any]]) -> dict[int, Drawing]:
    """The drawing of each claim that has curves, by the claim's number, counted from 1."""
    return {
        number: _drawing(number, claim["figure"])
        for number, claim in enumerate(claims, start=1)
        if claim.get("figure") is not None
    }


def _drawing(number: int, figure: Mapping[str, Any]) -> Drawing:
    x, y = str(figure["x_label"]), str(figure["y_label"])
    curves = {str(name): _curve(curve) for name, curve in figure["curves"].items()}
    seen = "; ".join(f"{name} from {_ends(curve[1])}" for name, curve in curves.items())
    alternative = f"Curves of {y} against {x}, least to largest value: {seen}."
    title, caption = str(figure["title"]), str(figure["caption"])
    svg = draw(lambda: claim_curves(curves, x, y), title, alternative)
    data = _data(curves, x, y)
    return Drawing(f"claim_{number}", "", title, caption, alternative, svg, data)


def _curve(curve: Mapping[str, Any]) -> Curve:
    return np.asarray(curve["x"], dtype=float), np.asarray(curve["y"], dtype=float)


def _ends(values: Floats) -> str:
    return f"{number(float(values.min()))} to {number(float(values.max()))}"


def _data(curves: Mapping[str, Curve], x_label: str, y_label: str) -> Data:
    """The points of the curves; beyond MOST_POINTS, the range of each curve."""
    if sum(len(x) for x, _ in curves.values()) > MOST_POINTS:
        head = ("curve", "points", f"range of {x_label}", f"range of {y_label}")
        rows = ((name, count(len(x)), _ends(x), _ends(y)) for name, (x, y) in curves.items())
        return Data(head, tuple(rows))
    points = (
        (name, number(a), number(b))
        for name, curve in curves.items()
        for a, b in zip(*(part.tolist() for part in curve), strict=True)
    )
    return Data(("curve", x_label, y_label), tuple(points))


def claim_curves(curves: Mapping[str, Curve], x_label: str, y_label: str) -> Figure:
    """One panel, a line for each curve, named beside it or, without room for one, in a legend."""
    figure, named = _figure(curves, x_label, y_label, keyed=True)
    return _figure(curves, x_label, y_label, keyed=False)[0] if named else figure


def _figure(
    curves: Mapping[str, Curve], x_label: str, y_label: str, keyed: bool
) -> tuple[Figure, bool]:
    """The figure with a legend or without, and whether each curve has its name beside it."""
    drawn = lines(list(curves))
    key = legend_height(list(drawn), WIDTH + 1) if keyed else 0
    grid = Grid(
        1, 1, width=WIDTH, height=HEIGHT, gap_x=0, gap_y=0, left=0.8, right=0.2,
        top=0.2 + key, bottom=0.6,
    )  # fmt: skip
    figure, panels = grid.figure()
    ax = panels[0, 0]
    for (x, y), line in zip(curves.values(), drawn.values(), strict=True):
        ax.plot(
            x, y, color=line.colour, linestyle=line.dashes, linewidth=line.width,
            marker=line.marker, markersize=4, markeredgewidth=0, markevery=_marked(x),
        )  # fmt: skip
    few = len(curves) <= MOST_NAMED
    named = few and name_lines(figure, ax, drawn, (WIDTH, HEIGHT), curves)
    ax.set_ylabel(y_label)
    grid.below(figure, x_label)
    if keyed:
        legend(grid, figure, drawn)
    return figure, named


def _marked(x: Floats) -> int:
    """A marker at every k-th point, so that about eight or fewer tell the line."""
    return max(1, len(x) // 8)
