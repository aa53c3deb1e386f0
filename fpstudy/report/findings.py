"""What one sees in a figure, in a sentence or two: for those who cannot see it.

Computed from the numbers that are drawn; a value "first" is that nearest to 0.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fpstudy.report.arrangement import PANEL, Panel, panels_of
from fpstudy.report.axis import AXES
from fpstudy.report.numbers import bits, number
from fpstudy.report.variants import in_order

MOST = 4  # lines, or panels, that a sentence names


def of_curves(points: pd.DataFrame, across: str) -> str:
    """Which lines leave the axis first, which have no digit left, which stays lowest.

    across: the column of the values, an axis or "input"
    """
    lost = points["infinite"] > 0
    wrong = ~lost & (points["maximum"] >= 1)
    said = [
        _first(points, lost, across, "Errors not finite") or "All errors are finite.",
        _first(points, wrong, across, "Errors of 1 or more (no digit is right)"),
        _lowest(points),
    ]
    return " ".join(filter(None, said))


def of_failures(fields: pd.DataFrame, across: str) -> str:
    """Which lines fail first."""
    return _first(fields, fields["failing"] > 0, across, "Failures") or "None fails."


def of_bits(fields: pd.DataFrame) -> str:
    """Which line keeps most bits in each panel where it keeps fewest."""
    kept = fields.dropna(subset="bits_kept_min")
    if kept.empty:
        return "None was measured."
    worst = kept.groupby(["line", *PANEL], sort=False)["bits_kept_min"].min().reset_index()
    said = []
    for panel in panels_of(kept):
        here = worst[(worst["dtype"] == panel[0]) & (worst["who"] == panel[1])]
        best = here.sort_values("bits_kept_min", ascending=False, kind="stable").iloc[0]
        said.append((f"{best['line']} with {bits(best['bits_kept_min'])}", panel))
    return _sentence("Most bits where fewest are kept", said, panels_of(fields))


def _first(frame: pd.DataFrame, where: pd.Series, across: str, what: str) -> str:
    """The lines with the value at which each has it first: "Failures: a first at M = 10 (...)"."""
    having = frame.loc[where]
    if having.empty:
        return ""
    panels = panels_of(frame)
    lines = in_order(having["line"])
    said = [_line(having[having["line"] == line], line, across, panels) for line in lines[:MOST]]
    others = [f"and {len(lines) - MOST} other lines"] if len(lines) > MOST else []
    return f"{what}: {'; '.join([*said, *others])}."


def _line(own: pd.DataFrame, line: str, across: str, panels: Sequence[Panel]) -> str:
    """One line: "naive first at M = 10 (float16), 100 (bfloat16, float32)"."""
    axis, at = AXES.get(across), []
    for dtype, who in panels_of(own):
        here = own.loc[(own["dtype"] == dtype) & (own["who"] == who), across]
        if axis is None:
            at.append((f"{here.nunique()} inputs".replace("1 inputs", "1 input"), (dtype, who)))
        else:
            values = here.to_numpy(float)
            at.append((axis.text(values[np.argmin(np.abs(values))]), (dtype, who)))
    lead = f"{line} first at {axis.symbol} = " if axis else f"{line} at "
    return lead + _shared(at, panels)


def _lowest(points: pd.DataFrame) -> str:
    """The line of each panel whose largest error is the least, if there are several lines."""
    worst = points.groupby(["line", *PANEL], sort=False)["maximum"].max().reset_index()
    said = []
    for panel in panels_of(points):
        here = worst[(worst["dtype"] == panel[0]) & (worst["who"] == panel[1])].dropna()
        if len(here) > 1 and np.isfinite(here["maximum"].min()):
            best = here.sort_values("maximum", kind="stable").iloc[0]
            said.append((f"{best['line']} with {number(best['maximum'])}", panel))
    return _sentence("Lowest where largest", said, panels_of(points)) if said else ""


def _sentence(what: str, said: list[tuple[str, Panel]], panels: Sequence[Panel]) -> str:
    return f"{what}: {_shared(said, panels)}."


def _shared(said: list[tuple[str, Panel]], panels: Sequence[Panel]) -> str:
    """Texts with the panels that each is of; those with the same text stand together."""
    of: dict[str, list[str]] = {}
    for text, panel in said:
        of.setdefault(text, []).append(_panel(panel, panels))
    if len(of) == 1 and len(said) == len(panels):
        return next(iter(of))
    texts = [f"{text} ({', '.join(names)})" for text, names in of.items()]
    return ", ".join(texts[:MOST]) + (", ..." if len(texts) > MOST else "")


def _panel(panel: Panel, panels: Sequence[Panel]) -> str:
    """A panel by its dtype, and by what computed where the dtype has several panels."""
    several = sum(dtype == panel[0] for dtype, _ in panels) > 1
    return ": ".join(panel) if several else panel[0]
