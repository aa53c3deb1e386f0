"""Formulas along an axis, a panel per dtype: which failure dominates, how many bits are kept."""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fpstudy.outcomes import FAILURES, OUTCOMES
from fpstudy.report.arrangement import PANEL, of_panels, panels_of
from fpstudy.report.axis import AXES
from fpstudy.report.numbers import bits as bits_text
from fpstudy.report.numbers import count
from fpstudy.report.palette import BASE, FAILING, KEPT, MUTED, PAPER, SMALL, STRIP, blend
from fpstudy.report.panels import Grid, text_width
from fpstudy.report.variants import in_order
from fpstudy.report.verdicts import dominant, outcome_text

LETTER: dict[str, str] = {outcome.name: outcome.letter for outcome in OUTCOMES}
LOST = "s"  # only subnormals were lost: no failure, but worth a letter
CLEAR = "·"
DARK, LIGHT = "#000000", "#ffffff"  # on coloured cells, which are the same in every theme

ROW = 0.25  # inches, of a row of fields
NARROW = 0.26  # inches, of the narrowest column
FEW = 24  # columns that all have their value below them

Counts = Mapping[Hashable, Any]  # of the cases that share a field: sums, and the fewest bits


@dataclass(frozen=True)
class Cell:
    """What stands in one field of a map."""

    text: str
    fill: str
    colour: str
    bold: bool = False


def failure_map(part: pd.DataFrame, across: str) -> Figure:
    """The letter of the failure with most components, the deeper in colour the larger its share.

    part:   cases with the columns line, dtype, who and precision
    across: the column whose values stand beside each other, an axis or "input"
    """
    fields = pool(part, across)
    short = {o.letter: outcome_text(o.name) for o in OUTCOMES}
    short |= {LOST: "lost subnormals only", CLEAR: "no failure seen", LETTER["skipped"]: "not run"}
    key = "; ".join(f"{letter}: {short[letter]}" for letter in letters(fields))
    return _map(part, across, fields, failure_cell, key)


def letters(fields: pd.DataFrame) -> list[str]:
    """What occurs in a failure map: the outcomes in their order, then what is no failure."""
    seen = {failure_cell(field).text for field in fields.to_dict("records")}
    return [letter for letter in (*LETTER.values(), LOST, CLEAR) if letter in seen]


def bits_map(part: pd.DataFrame, across: str) -> Figure:
    """Bits kept by the worst component of the worst sample, out of the dtype's precision."""
    fields = pool(part, across)
    zeros = "z: with honest zeros" if fields["honest_underflow"].any() else ""
    return _map(part, across, fields, bits_cell, zeros)


def pool(part: pd.DataFrame, across: str) -> pd.DataFrame:
    """The counts of each line, panel and value of the column across, all else pooled."""
    counts = (*FAILURES, "failing", "measured", "undecided", "flushed_subnormal")
    groups = part.groupby(["line", *PANEL, across], sort=False)
    fields = groups[[*counts, "honest_underflow"]].sum()
    kept = {
        "bits_kept_min": groups["bits_kept_min"].min(),
        "precision": groups["precision"].first(),
    }
    return fields.assign(**kept).reset_index()


def failure_cell(field: Counts) -> Cell:
    """What the failure map says."""
    if not field["measured"]:
        return Cell(LETTER["skipped"], PAPER, MUTED)
    worst = dominant(field)
    if worst:
        share = field["failing"] / field["measured"]
        return Cell(LETTER[worst], blend("#fbe6da", FAILING, share**0.5), DARK, bold=True)
    if field["undecided"]:
        return Cell(LETTER["undecided"], STRIP, MUTED)
    return Cell(LOST if field["flushed_subnormal"] else CLEAR, STRIP, MUTED)


def failure_said(field: Counts) -> str:
    """What a field of the failure map is in a table: its letter, and how many components fail."""
    if not field["measured"]:
        return "not run"
    return f"{failure_cell(field).text} {count(field['failing'])} of {count(field['measured'])}"


def bits_said(field: Counts) -> str:
    """What a field of the map of bits is in a table."""
    return bits_cell(field).text if field["measured"] else "not run"


def bits_cell(field: Counts) -> Cell:
    """What the map of bits says; a z says that some zeros are the correctly rounded result."""
    kept = field["bits_kept_min"]
    if pd.isna(kept):
        return Cell(LETTER["undecided" if field["undecided"] else "skipped"], PAPER, MUTED)
    part = min(max(kept / field["precision"], 0.0), 1.0)
    honest = field["honest_underflow"] and not field["failing"]
    text = bits_text(kept) + (" z" if honest else "")
    return Cell(text, blend("#f4f8fc", KEPT, part), LIGHT if part > 0.8 else DARK)


def _map(
    part: pd.DataFrame, across: str, fields: pd.DataFrame, cell: Callable[[Counts], Cell], key: str
) -> Figure:
    """Panels below each other, one a dtype with what computed in it; lines down, values across."""
    groups, axis = panels_of(part), AXES.get(across)
    own = [of_panels(fields, [panel]) for panel in groups]
    rows = [in_order(of_panels(part, [panel])["line"]) for panel in groups]
    values = [_values(field, across) for field in own]
    labels = [[axis.text(x) if axis else str(x) for x in of] for of in values]
    titles = [": ".join(panel) for panel in groups]
    said = {cell(field).text for field in fields.to_dict("records")}
    column = max(NARROW, max(map(text_width, said)) + 0.1)
    widest = max(text_width(name) for of in labels for name in of) + 0.1
    if axis is None or max(map(len, labels)) <= FEW:
        column = max(column, widest)
    width = column * max(map(len, labels))
    title = axis.title(part) if axis else "input"
    over = (text_width(title, BASE) - width) / 2 + 0.1  # of the title, beyond the panels
    left = max(0.18 + max(text_width(name) for names in rows for name in names), over)
    text = max(text_width(key, BASE), left + max(text_width(head, BASE) for head in titles))
    shown = [k + 1 == len(groups) or labels[k] != labels[k + 1] for k in range(len(groups))]
    grid = Grid(
        len(groups), 1, width=width, height=ROW, gap_x=0, gap_y=0.56 if sum(shown) > 1 else 0.33,
        left=left, right=max(0.15, over, max(text, left + 3) + 0.15 - left - width),
        top=0.28, bottom=0.75 if key else 0.52,
        heights=tuple(ROW * len(names) for names in rows),
    )  # fmt: skip
    figure, panels = grid.figure()
    for k, ax in enumerate(panels[:, 0]):
        every = math.ceil(widest / column)
        names = [text if i % every == 0 else "" for i, text in enumerate(labels[k])]
        _frame(ax, rows[k], names, width / column, shown[k])
        for field in own[k].to_dict("records"):
            place = values[k].index(field[across]), rows[k].index(str(field["line"]))
            _draw(ax, *place, cell(field))
        ax.set_title(titles[k], loc="left", pad=3)
    grid.below(figure, title, inches=0.3 if key else 0.06)
    figure.text(0.1 / grid.size[0], 0.06 / grid.size[1], key, va="bottom")
    return figure


def _values(fields: pd.DataFrame, across: str) -> list[Any]:
    """What stands beside each other in a panel: its own values alone."""
    return sorted(fields[across].unique()) if across in AXES else in_order(fields[across])


def _draw(ax: Axes, x: int, y: int, cell: Cell) -> None:
    ax.add_artist(Rectangle((x, y), 1, 1, facecolor=cell.fill, edgecolor=PAPER, linewidth=1))
    ax.text(
        x + 0.5, y + 0.5, cell.text, ha="center", va="center_baseline", fontsize=SMALL,
        color=cell.colour, fontweight="bold" if cell.bold else "normal",
    )  # fmt: skip


def _frame(ax: Axes, names: list[str], labels: list[str], columns: float, labelled: bool) -> None:
    """Names at the left, values below, no lines: the fields are the grid.

    columns: that the panel has room for; labelled: false above a panel with the same values
    """
    ax.set_xlim(0, columns)
    ax.set_ylim(len(names), 0)
    ax.set_yticks([i + 0.5 for i in range(len(names))], names)
    ax.set_xticks([i + 0.5 for i in range(len(labels))], labels if labelled else [""] * len(labels))
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
