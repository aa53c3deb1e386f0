"""Claims with their verdicts as both pages print them, and the figures that belong to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from fpstudy.report.figures import Drawing
from fpstudy.report.palette import lines
from fpstudy.report.panels import Grid, legend, legend_height
from fpstudy.report.svg import draw


@dataclass(frozen=True)
class Told:
    """A claim in words, none of them markup; rows are of `columns`' length, and may be none."""

    number: int
    says: str
    verdict: str
    evidence: str
    note: str
    reproduce: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    drawing: Drawing | None


def told(claims: Sequence[Mapping[str, Any]]) -> list[Told]:
    """The claims of a manifest, in their order, numbered from 1."""
    return [_told(number, claim) for number, claim in enumerate(claims, start=1)]


def tally(claims: Sequence[Told]) -> str:
    """How many claims have which verdict: "12 confirmed, 3 refuted"."""
    verdicts = [claim.verdict for claim in claims]
    return ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(sorted(verdicts)))


def _told(number: int, claim: Mapping[str, Any]) -> Told:
    table, figure = claim.get("table") or {}, claim.get("figure")
    texts = {
        key: str(claim.get(key) or "")
        for key in ("says", "verdict", "evidence", "note", "reproduce", "source")
    }
    return Told(
        number,
        **texts,
        columns=tuple(map(str, table.get("columns", ()))),
        rows=tuple(tuple(map(str, row)) for row in table.get("rows", ())),
        drawing=None if figure is None else _drawing(number, figure),
    )


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
