"""The tables of a report, as rows of words that both pages print."""

import math
from dataclasses import dataclass

import pandas as pd

from fpstudy.outcomes import FAILURES
from fpstudy.record import COUNTS
from fpstudy.report.anchors import formula_anchor, verdict_anchor
from fpstudy.report.formats import Formats
from fpstudy.report.numbers import NONE, bits, count, magnitude, number, share
from fpstudy.report.profile import (
    lengths_text,
    own_cases,
    profile,
    samples_text,
    typical_text,
)
from fpstudy.report.variants import SETTING, computed_by, with_variants
from fpstudy.report.verdicts import Verdict, each_verdict, judgements, outcome_text

MOST_REASONS = 20  # groups of skipped cases that are spelled out; the others are counted


@dataclass(frozen=True)
class Row:
    """One verdict in words; a note says more about the entry before it, or nothing.

    anchor:  of the row in the pages
    samples: vectors measured up to the largest magnitude without failure
    """

    anchor: str
    problem: str
    dtype: str
    precision: int
    computed_by: str
    formula: str
    safe: str
    safe_note: str
    samples: str
    bits: str
    bits_note: str
    error: str
    others: str


def verdict_rows(table: pd.DataFrame, inputs: str, formats: Formats) -> list[Row]:
    """The verdicts on magnitudes, or those on given inputs, in words."""
    chosen = each_verdict(table[table["inputs"] == inputs])
    return [verdict_row(v, formats[v.dtype].precision) for v in chosen]


def verdict_row(v: Verdict, precision: int) -> Row:
    """A verdict in words."""
    return Row(
        verdict_anchor_of(v),
        v.problem,
        v.dtype,
        precision,
        computed_by(v.arithmetic, v.accumulation, v.how),
        v.formula,
        *_safe(v),
        count(v.samples),
        *_bits(v),
        number(v.relative_error_max),
        v.others or NONE,
    )


def verdict_anchor_of(v: Verdict) -> str:
    """Where the pages have the row of a verdict."""
    return verdict_anchor(v.problem, v.dtype, v.arithmetic, v.accumulation, v.inputs, v.how)


def numbers_anchor(v: Verdict) -> str:
    """Where the page has the numbers of a verdict's formula."""
    return formula_anchor(v.problem, v.formula, v.dtype, v.arithmetic, v.accumulation)


def _safe(v: Verdict) -> tuple[str, str]:
    """How far no failure was seen, and what ends it: "31.6", "then NaN at 100"."""
    what = outcome_text(v.first_failure)
    if v.inputs == "given":
        fails = f"{share(v.failing, v.components)} fail", f"most often {what}"
        return fails if v.failing else ("no failure", "")
    if math.isnan(v.largest_magnitude):
        return "none", f"{what} already at {magnitude(v.least_measured)}"
    if v.largest_magnitude == v.largest_measured:
        return magnitude(v.largest_magnitude), "all measured"
    return magnitude(v.largest_magnitude), f"then {what} at {magnitude(v.first_failure_magnitude)}"


def _bits(v: Verdict) -> tuple[str, str]:
    """Bits kept from the least magnitude to the largest without failure, and the fewest between."""
    if math.isnan(v.bits_worst):
        return NONE, ""
    notes = []
    if v.inputs == "given" or v.least_measured == v.largest_magnitude:
        said = bits(v.bits_worst)
    else:
        ends = (v.least_measured, v.bits_at_least), (v.largest_magnitude, v.bits_at_largest)
        said = ", ".join(f"{bits(kept)} at {magnitude(at)}" for at, kept in ends)
        if bits(v.bits_worst) not in [bits(kept) for _, kept in ends]:
            notes.append(f"fewest {bits(v.bits_worst)} at {magnitude(v.bits_worst_magnitude)}")
    if v.honest_underflow:
        notes.append(f"{share(v.honest_underflow, v.components)} honest zeros")
    if v.lost_subnormals:
        notes.append(f"{share(v.lost_subnormals, v.components)} lost subnormals")
    return said, ", ".join(notes)


@dataclass(frozen=True)
class FormulaRow:
    """What one formula keeps at the magnitudes of a study, in words.

    entry, normwise: at the typical magnitudes, of the worst component and of the whole vector
    samples:         vectors behind each number of these two
    lengths:         at the shortest and the longest n, with a note
    range:           from the least magnitude to the largest without failure, with a note
    """

    anchor: str
    problem: str
    formula: str
    dtype: str
    computed_by: str
    safe: str
    safe_note: str
    entry: str
    normwise: str
    samples: str
    lengths: str
    lengths_note: str
    range: str
    range_note: str
    error: str


def formula_rows(summary: pd.DataFrame, formats: Formats) -> list[FormulaRow]:
    """A row for each formula whose magnitudes were swept, in each setting, the best ones first."""
    cases = with_variants(summary)
    return [
        formula_row(cases, v, formats[v.dtype].precision)
        for judged in judgements(summary)
        for v in judged
        if v.inputs == "magnitudes"
    ]


def formula_row(cases: pd.DataFrame, v: Verdict, precision: int) -> FormulaRow:
    """One formula in numbers; cases: with variants, its own among them."""
    row = verdict_row(v, precision)
    kept = profile(own_cases(cases, v), precision)
    return FormulaRow(
        numbers_anchor(v),
        *(v.problem, v.formula, v.dtype, row.computed_by, row.safe, row.safe_note),
        *(typical_text(kept, lambda k: k.bits), typical_text(kept, lambda k: k.normwise)),
        samples_text(kept),
        *lengths_text(kept),
        *(row.bits, row.bits_note, row.error),
    )


@dataclass(frozen=True)
class Failures:
    """What became of the components of one formula in one setting."""

    problem: str
    formula: str
    dtype: str
    computed_by: str
    components: str
    failing: str
    which: str
    lost_subnormals: str
    undecided: str
    skipped: str


def outcomes(summary: pd.DataFrame) -> pd.DataFrame:
    """What became of the components of each formula in each setting, none left out.

    Columns: problem (as a reader names it), formula, dtype, arithmetic, accumulation; components;
    failing, those that a user would call broken; then each outcome by name, whose counts add up to
    the components; flushed_subnormal, zeros where only a subnormal was due (spurious_underflow
    counts them too, failing does not); bound_broken, log-sum-exps beyond their bounds.
    """
    table = with_variants(summary)
    groups = table.groupby(["variant", "formula", *SETTING], sort=False)
    counts = groups[["components", "failing", *COUNTS]].sum().reset_index()
    return counts.rename(columns={"variant": "problem"})


def failure_rows(summary: pd.DataFrame) -> list[Failures]:
    """The counts of every formula in every setting, in words."""
    return [
        Failures(
            str(row["problem"]),
            str(row["formula"]),
            str(row["dtype"]),
            computed_by(str(row["arithmetic"]), str(row["accumulation"])),
            count(row["components"]),
            count(row["failing"]) if row["failing"] else "0",
            _which(row),
            count(row["flushed_subnormal"]),
            count(row["undecided"]),
            count(row["skipped"]),
        )
        for row in outcomes(summary).to_dict("records")
    ]


def _which(row: dict[object, object]) -> str:
    """The failing outcomes that occur, whose counts add up to what fails.

    Then, apart, how many log-sum-exps lie beyond their bounds, failing or not.
    """
    counts = {name: int(str(row[name])) for name in FAILURES}
    counts["spurious_underflow"] -= int(str(row["flushed_subnormal"]))
    told = ", ".join(f"{outcome_text(name)} {count(n)}" for name, n in counts.items() if n > 0)
    broken = int(str(row["bound_broken"]))
    outside = f"outside m <= y <= m + log n: {count(broken)}" if broken else ""
    return "; ".join(filter(None, (told, outside))) or NONE


@dataclass(frozen=True)
class Skipped:
    """Cases that were not run, or not to the end, for one reason."""

    dtype: str
    arithmetic: str
    reason: str
    cases: str


def skipped_rows(summary: pd.DataFrame) -> list[Skipped]:
    """The reasons why cases were not run, with the number of cases; the rarest are pooled."""
    reason = summary["reason"].fillna("").astype(str)
    given = summary[reason != ""].assign(reason=reason)
    keys = ["dtype", "arithmetic", "reason"]
    groups = given.groupby(keys, sort=False).size().reset_index(name="cases")
    groups = groups.sort_values("cases", ascending=False, kind="stable")
    rows = [
        Skipped(str(dtype), str(arithmetic), str(reason), count(n))
        for dtype, arithmetic, reason, n in groups.head(MOST_REASONS).itertuples(index=False)
    ]
    rest = groups["cases"].iloc[MOST_REASONS:]
    if len(rest):
        rows.append(Skipped("several", "", f"{len(rest)} other reasons", count(rest.sum())))
    return rows
