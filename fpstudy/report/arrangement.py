"""What a figure tells apart in a panel, which panels it has, and how they are shared out.

A panel is one dtype with what computed in it; within a panel a line of a curve or a row of a map
is one formula. Where a study compares accumulations these two change places: the lines are the
accumulations, and the formula stands above the panel.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import pandas as pd

from fpstudy.report.axis import N
from fpstudy.report.variants import accumulation_text, computed_by, dtype_order

Panel = tuple[str, str]  # dtype, and what computed
PANEL: list[str] = ["dtype", "who"]
MOST_BESIDE = 4  # panels beside each other that can still be read
MOST_BELOW = 8  # panels of a map below each other
Item = TypeVar("Item")


def compares_sums(part: pd.DataFrame, column: str) -> bool:
    """Whether the lines of a figure along the column are the accumulations.

    They are if an arithmetic has more of them than there are formulas; against n, if it has two
    and the formulas have room beside each other.
    """
    sums = int(part.groupby("arithmetic")["accumulation"].nunique().max())
    beside = len(part[["arithmetic", "formula"]].drop_duplicates())
    room = column == N.column and beside <= MOST_BESIDE
    return sums > (1 if room else part["formula"].nunique())


def arranged(frame: pd.DataFrame, sums: bool) -> pd.DataFrame:
    """The frame with the columns `line` and `who`, which names the panel beside the dtype."""
    formulas, *ways = (frame[key].astype(str) for key in ("formula", "arithmetic", "accumulation"))
    arithmetics, accumulations = ways
    if sums:
        names = {name: accumulation_text(name) for name in accumulations.unique()}
        return frame.assign(line=accumulations.map(names), who=arithmetics + ", " + formulas)
    who = [computed_by(*way) for way in zip(*ways, strict=True)]
    return frame.assign(line=formulas, who=who)


def panels_of(frame: pd.DataFrame) -> list[Panel]:
    """The panels of an arranged frame: the dtypes in order, in each what computed as it comes."""
    unique = frame[PANEL].astype(str).drop_duplicates()
    rows = [(row[0], row[1]) for row in unique.itertuples(index=False, name=None)]
    return sorted(rows, key=dtype_order(frame))


def of_panels(frame: pd.DataFrame, panels: Sequence[Panel]) -> pd.DataFrame:
    """The rows of these panels, in the order of the frame."""
    return frame[pd.MultiIndex.from_frame(frame[PANEL].astype(str)).isin(panels)]


def sheets(panels: list[Panel], most: int) -> list[tuple[str, list[Panel]]]:
    """The panels of each figure, and what tells it from the others: "float16, 1 of 2".

    What fits on one figure stands together. Otherwise a figure takes as many whole dtypes as fit;
    a dtype that alone has too many panels gets several figures.
    """
    if len(panels) <= most:
        return [("", panels)]
    dtypes = list(dict.fromkeys(dtype for dtype, _ in panels))
    widest = max(sum(dtype == name for dtype, _ in panels) for name in dtypes)
    found = []
    for group in _cut(dtypes, max(1, most // widest)):
        parts = _cut([panel for panel in panels if panel[0] in group], most)
        for k, part in enumerate(parts, start=1):
            which = f", {k} of {len(parts)}" if len(parts) > 1 else ""
            found.append((", ".join(group) + which, part))
    return found


def apart(frame: pd.DataFrame, panels: list[Panel], column: str) -> list[list[Panel]]:
    """The panels in groups that have no value of the column in common, each in the given order."""
    values = {panel: set(of_panels(frame, [panel])[column]) for panel in panels}
    groups: list[list[Panel]] = []
    for panel in panels:
        near = [group for group in groups if any(values[panel] & values[one] for one in group)]
        merged = [one for group in near for one in group] + [panel]
        groups = [group for group in groups if group not in near] + [merged]
    order = {panel: k for k, panel in enumerate(panels)}
    sort = [sorted(group, key=order.__getitem__) for group in groups]
    return sorted(sort, key=lambda group: order[group[0]])


def _cut(items: Sequence[Item], most: int) -> list[list[Item]]:
    """The items in as few parts of at most so many as can be, all but equal in size."""
    count = -(-len(items) // most)
    ends = [-(-len(items) * k // count) for k in range(count + 1)]
    return [list(items[a:b]) for a, b in pairwise(ends)]
