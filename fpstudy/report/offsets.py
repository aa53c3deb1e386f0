"""Bits that each formula keeps as all logits move by an offset, where a study sweeps that."""

import math
from dataclasses import dataclass

import pandas as pd

from fpstudy.report.anchors import offset_anchor
from fpstudy.report.numbers import NONE, bits, magnitude
from fpstudy.report.profile import UNBROKEN
from fpstudy.report.variants import SETTING, computed_by, with_variants

LEAST = 4  # values of |offset| that a study has at least


@dataclass(frozen=True)
class OffsetRow:
    """A formula's bits by |offset|, the worst of both directions; in words.

    reach: the largest |offset| without failure, nor at any smaller one
    """

    anchor: str
    problem: str
    formula: str
    dtype: str
    computed_by: str
    reach: str
    reach_note: str
    kept: str


@dataclass(frozen=True)
class OffsetTable:
    """Rows of all formulas, all at the least magnitude of the study."""

    magnitude: str
    offsets: str
    rows: list[OffsetRow]


def offset_table(summary: pd.DataFrame) -> OffsetTable | None:
    """The table of a study that sweeps offsets of drawn logits; None of another."""
    table = with_variants(summary)
    table = table[table["swept"] & (table["measured"] > 0)]
    size = table["offset"].astype(float).abs()
    swept = size.groupby([table[name] for name in _KEYS]).transform("nunique") >= LEAST
    cases = table[swept].assign(size=size[swept])
    if cases.empty:
        return None
    M = cases["magnitude"].astype(float)
    cases = cases[M.eq(M.min())]
    sizes = _some(sorted(set(cases["size"])))
    groups = cases.groupby(_KEYS, sort=False)
    return OffsetTable(
        magnitude(M.min()),
        f"{UNBROKEN}/{UNBROKEN}".join(magnitude(x) for x in sizes),
        [_row(tuple(map(str, key)), part, sizes) for key, part in groups],
    )


_KEYS = ["variant", "formula", *SETTING]


def _some(sizes: list[float]) -> list[float]:
    """All of a few; of many the least, and from the largest down every other one, four in all."""
    return sizes if len(sizes) <= 7 else [sizes[0], *sizes[:0:-2][::-1][-4:]]


def _row(key: tuple[str, ...], cases: pd.DataFrame, sizes: list[float]) -> OffsetRow:
    problem, formula, dtype, arithmetic, accumulation = key
    failing = cases.loc[cases["failing"] > 0, "size"].min()
    held = cases["size"] < (math.inf if math.isnan(failing) else failing)
    fewest = cases.groupby("size")["bits_kept_min"].min()
    kept = [bits(float(fewest[x])) if x in fewest.index else NONE for x in sizes]
    return OffsetRow(
        offset_anchor(problem, formula, dtype, arithmetic, accumulation),
        *(problem, formula, dtype, computed_by(arithmetic, accumulation)),
        magnitude(float(cases.loc[held, "size"].max())) if held.any() else "none",
        "all measured" if held.all() else f"fails at {magnitude(float(failing))}",
        f"{UNBROKEN}/{UNBROKEN}".join(kept),
    )
