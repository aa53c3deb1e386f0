"""The table of verdicts for a paper: the formula to use, how far, what it keeps, what it loses."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from fpstudy.report.numbers import NONE, magnitude
from fpstudy.report.paper.table import Cell, Column, Number, PaperTable, Place, Tables
from fpstudy.report.paper.words import circumstances, not_run
from fpstudy.report.variants import computed_by, with_variants
from fpstudy.report.verdicts import Verdict, each_verdict, outcome_text, verdicts

SAYS = (
    "The formula to use, the largest magnitude of the logits without a failure, and up to there the"
    " fewest bits kept and the largest relative error."
)


def verdict_table(summary: pd.DataFrame, manifest: Mapping[str, Any]) -> Tables:
    """A row for each problem and setting."""
    data = verdicts(summary)
    found = each_verdict(data)
    several = len({(v.arithmetic, v.accumulation) for v in found}) > 1
    columns = [Column("problem"), Column("dtype"), *[Column("computed by")] * several]
    columns += [
        Column("formula to use"), Column("no failure up to", True), Column("then"),
        Column("bits kept", True), Column("relative error", True), Column("failing", True),
    ]  # fmt: skip
    without = {"magnitude", *(("arithmetic", "accumulation") if several else ())}
    frame = with_variants(summary)
    table = PaperTable(
        name="verdicts",
        caption=f"{SAYS} {circumstances(frame, manifest, without)}",
        columns=tuple(columns),
        rows=tuple(_row(v, several) for v in found),
        notes=tuple(_notes(frame, found)),
    )
    return Tables((table,), data)


def _row(v: Verdict, several: bool) -> tuple[Cell, ...]:
    way = [computed_by(v.arithmetic, v.accumulation)] * several
    share = f"{v.failing:,} of {v.components:,}"
    kept: tuple[Cell, ...] = (_number(v.bits_worst), _number(v.relative_error_max))
    return (v.problem, v.dtype, *way, v.formula, *_reach(v), *kept, share)


def _number(x: float) -> Cell:
    return NONE if math.isnan(x) else Number(x)


def _reach(v: Verdict) -> tuple[Cell, str]:
    """How far no failure was seen, and what comes then."""
    what = outcome_text(v.first_failure)
    if v.inputs == "given":
        return "given logits", f"most often {what}" if v.failing else "no failure"
    if math.isnan(v.largest_magnitude):
        return "none", f"{what} at {magnitude(v.least_measured)}"
    reach = Place(float(f"{v.largest_magnitude:.3g}"))
    if v.largest_magnitude == v.largest_measured:
        return reach, "all measured"
    return reach, f"{what} at {magnitude(v.first_failure_magnitude)}"


def _notes(frame: pd.DataFrame, found: list[Verdict]) -> list[str]:
    notes = ["All numbers are the worst of the samples measured, no bounds."]
    notes.append("Failing: of all results of the formula, at every magnitude.")
    zeros = sum(v.honest_underflow for v in found)
    if zeros:
        notes.append(f"{zeros:,} zeros are the correctly rounded result and count as such.")
    return notes + not_run(frame)
