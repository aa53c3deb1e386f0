"""Magnitude x formula, a panel per dtype: which failure dominates, and how many bits are kept."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fpstudy.formats import FORMATS
from fpstudy.outcomes import FAILURES, OUTCOMES
from fpstudy.report.numbers import bits as bits_text
from fpstudy.report.numbers import magnitude as magnitude_text
from fpstudy.report.palette import BLUE, MUTED, PAPER, STRIP, VERMILLION, blend
from fpstudy.report.panels import LETTER_WIDTH, Grid
from fpstudy.report.variants import SETTING, computed_by, in_order, magnitude_title, settings
from fpstudy.report.verdicts import dominant, outcome_text

LETTER: dict[str, str] = {outcome.name: outcome.letter for outcome in OUTCOMES}
LOST = "s"  # only subnormals were lost: no failure, but worth a letter
CLEAR = "·"
DARK, LIGHT = "#000000", "#ffffff"  # on coloured cells, which are the same in every theme

Counts = Mapping[Hashable, Any]  # of the cases that share a field: sums, and the fewest bits


@dataclass(frozen=True)
class Cell:
    """What stands in one field of a map."""

    text: str
    fill: str
    colour: str
    bold: bool = False


def failure_map(part: pd.DataFrame) -> Figure:
    """The letter of the failure with most components, the deeper in colour the larger its share."""
    fields = pool(part)
    short = {o.letter: outcome_text(o.name) for o in OUTCOMES}
    short |= {LOST: "lost subnormals only", CLEAR: "no failure seen", LETTER["skipped"]: "not run"}
    return _map(part, fields, failure_cell, "; ".join(f"{c}: {short[c]}" for c in letters(fields)))


def letters(fields: pd.DataFrame) -> list[str]:
    """What occurs in a failure map: the outcomes in their order, then what is no failure."""
    seen = {failure_cell(field).text for field in fields.to_dict("records")}
    return [letter for letter in (*LETTER.values(), LOST, CLEAR) if letter in seen]


def bits_map(part: pd.DataFrame) -> Figure:
    """Bits kept by the worst component of the worst sample, out of the dtype's precision."""
    fields = pool(part)
    zeros = "z: with honest zeros" if fields["honest_underflow"].any() else ""
    return _map(part, fields, bits_cell, zeros)


def pool(part: pd.DataFrame) -> pd.DataFrame:
    """The counts of each formula, setting and magnitude (or given input), all else pooled."""
    column = "magnitude" if part["swept"].all() else "input"
    counts = (*FAILURES, "failing", "measured", "undecided", "flushed_subnormal")
    groups = part.groupby(["formula", *SETTING, column], sort=False)
    fields = groups[[*counts, "honest_underflow"]].sum()
    return fields.assign(bits_kept_min=groups["bits_kept_min"].min()).reset_index()


def failure_cell(field: Counts) -> Cell:
    """What the failure map says."""
    if not field["measured"]:
        return Cell(LETTER["skipped"], PAPER, MUTED)
    worst = dominant(field)
    if worst:
        share = field["failing"] / field["measured"]
        return Cell(LETTER[worst], blend("#fbe6da", VERMILLION, share**0.5), DARK, bold=True)
    if field["undecided"]:
        return Cell(LETTER["undecided"], STRIP, MUTED)
    return Cell(LOST if field["flushed_subnormal"] else CLEAR, STRIP, MUTED)


def bits_cell(field: Counts) -> Cell:
    """What the map of bits says; a z says that some zeros are the correctly rounded result."""
    kept = field["bits_kept_min"]
    if pd.isna(kept):
        return Cell(LETTER["undecided" if field["undecided"] else "skipped"], PAPER, MUTED)
    part = min(max(kept / FORMATS[str(field["dtype"])].precision, 0.0), 1.0)
    honest = field["honest_underflow"] and not field["failing"]
    text = bits_text(kept) + (" z" if honest else "")
    return Cell(text, blend("#f4f8fc", BLUE, part), LIGHT if part > 0.8 else DARK)


def _map(
    part: pd.DataFrame, fields: pd.DataFrame, cell: Callable[[Counts], Cell], key: str
) -> Figure:
    """Panels below each other, one a setting; formulas down, magnitudes or given inputs across."""
    formulas, groups = in_order(part["formula"]), settings(part)
    swept = bool(part["swept"].all())
    column = "magnitude" if swept else "input"
    across: list[Any] = sorted(fields[column].unique()) if swept else in_order(fields[column])
    labels = [magnitude_text(m) for m in across] if swept else across
    widest = max(len(label) for label in labels)
    titles = [f"{dtype}: {computed_by(*who)}" for dtype, *who in groups]
    left = 0.15 + LETTER_WIDTH * max(len(name) for name in formulas)
    width = max(0.37, LETTER_WIDTH * widest + 0.05) * len(across)
    text = max(LETTER_WIDTH * len(key), left + LETTER_WIDTH * max(map(len, titles)), left + 3)
    grid = Grid(
        len(groups), 1, width=width, height=0.22 * len(formulas), gap_x=0, gap_y=0.27,
        left=left, right=max(0.15, text + 0.15 - left - width),
        top=0.25, bottom=0.65 if key else 0.45,
    )  # fmt: skip
    figure, panels = grid.figure()
    for ax, setting, said in zip(panels[:, 0], groups, titles, strict=True):
        _frame(ax, formulas, labels, last=ax is panels[-1, 0])
        own = fields[(fields[SETTING].astype(str) == list(setting)).all(axis=1)]
        for field in own.to_dict("records"):
            place = across.index(field[column]), formulas.index(str(field["formula"]))
            _draw(ax, *place, cell(field))
        ax.set_title(said, loc="left", pad=3)
    title = magnitude_title(in_order(part["distribution"])) if swept else "input"
    grid.below(figure, title, inches=0.26 if key else 0.06)
    figure.text(0.1 / grid.size[0], 0.06 / grid.size[1], key, va="bottom")
    return figure


def _draw(ax: Axes, x: int, y: int, cell: Cell) -> None:
    ax.add_artist(Rectangle((x, y), 1, 1, facecolor=cell.fill, edgecolor=PAPER, linewidth=1))
    ax.text(
        x + 0.5, y + 0.5, cell.text, ha="center", va="center_baseline", fontsize=7,
        color=cell.colour, fontweight="bold" if cell.bold else "normal",
    )  # fmt: skip


def _frame(ax: Axes, formulas: list[str], labels: list[str], last: bool) -> None:
    """Names at the left, magnitudes below the last panel, no lines: the fields are the grid."""
    ax.set_xlim(0, len(labels))
    ax.set_ylim(len(formulas), 0)
    ax.set_yticks([i + 0.5 for i in range(len(formulas))], formulas)
    ax.set_xticks([i + 0.5 for i in range(len(labels))], labels if last else [""] * len(labels))
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
