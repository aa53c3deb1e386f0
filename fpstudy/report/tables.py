"""The tables of a report, as rows of words that both pages print."""

import math
from dataclasses import dataclass

import pandas as pd

from fpstudy.formats import FORMATS
from fpstudy.outcomes import FAILURES
from fpstudy.report.variants import SETTING, with_variants
from fpstudy.report.numbers import NONE, bits, count, magnitude, number, share
from fpstudy.report.verdicts import Verdict, outcome_text

MOST_REASONS = 20  # groups of skipped cases that are spelled out; the others are counted


@dataclass(frozen=True)
class Row:
    """One verdict in words."""

    problem: str
    dtype: str
    precision: int
    arithmetic: str
    accumulation: str
    formula: str
    safe: str
    bits: str
    error: str
    fails: str
    others: str


def verdict_rows(table: pd.DataFrame, inputs: str) -> list[Row]:
    """The verdicts on magnitudes, or those on given inputs, in words."""
    chosen = table[table["inputs"] == inputs]
    return [verdict_row(Verdict(**row)) for row in chosen.to_dict("records")]


def verdict_row(v: Verdict) -> Row:
    """A verdict in words."""
    return Row(
        v.problem,
        v.dtype,
        FORMATS[v.dtype].precision,
        v.arithmetic,
        v.accumulation,
        v.formula,
        safe_text(v),
        bits_text(v),
        number(v.relative_error_max),
        _fails(v),
        v.others or NONE,
    )


def safe_text(v: Verdict) -> str:
    """How far no failure was seen: "1e4 (all measured)", "31.6 of 1e4", "none"."""
    if v.inputs == "given":
        return "no failure" if not v.failing else f"{share(v.failing, v.components)} fail"
    if math.isnan(v.largest_magnitude):
        return f"none: fails at {magnitude(v.least_measured)}"
    whole = v.largest_magnitude == v.largest_measured
    rest = "all measured" if whole else f"measured to {magnitude(v.largest_measured)}"
    return f"{magnitude(v.largest_magnitude)} ({rest})"


def bits_text(v: Verdict) -> str:
    """Bits kept from the least magnitude to the largest without failure, and the fewest between."""
    if math.isnan(v.bits_worst):
        return NONE
    if v.inputs == "given" or v.least_measured == v.largest_magnitude:
        said = f"{bits(v.bits_worst)}"
    else:
        ends = (v.least_measured, v.bits_at_least), (v.largest_magnitude, v.bits_at_largest)
        said = ", ".join(f"{bits(kept)} at {magnitude(at)}" for at, kept in ends)
        if bits(v.bits_worst) not in [bits(kept) for _, kept in ends]:
            said += f", fewest {bits(v.bits_worst)} at {magnitude(v.bits_worst_magnitude)}"
    honest = f" ({share(v.honest_underflow, v.components)} honest zeros)"
    return said + honest * bool(v.honest_underflow)


def _fails(v: Verdict) -> str:
    """What breaks the formula first, and where."""
    if not v.failing:
        return "nothing seen"
    where = v.first_failure_magnitude
    onset = "" if math.isnan(where) else f" at {magnitude(where)}"
    return outcome_text(v.first_failure) + onset


@dataclass(frozen=True)
class Failures:
    """What became of the components of one formula in one setting."""

    problem: str
    formula: str
    dtype: str
    components: str
    failing: str
    which: str
    lost_subnormals: str
    undecided: str
    skipped: str


def failure_rows(summary: pd.DataFrame) -> list[Failures]:
    """The counts of every formula in every setting, none left out."""
    table = with_variants(summary)
    keys = ["variant", "formula", *SETTING]
    counted = [*FAILURES, "components", "failing", "flushed_subnormal", "undecided", "skipped"]
    sums = table.groupby(keys, sort=False)[counted].sum().reset_index()
    return [
        Failures(
            str(row["variant"]),
            str(row["formula"]),
            str(row["dtype"]),
            count(row["components"]),
            count(row["failing"]) if row["failing"] else "0",
            _which(row),
            count(row["flushed_subnormal"]),
            count(row["undecided"]),
            count(row["skipped"]),
        )
        for row in sums.to_dict("records")
    ]


def _which(row: dict[object, object]) -> str:
    """The failing outcomes that occur, with their counts."""
    counts = {name: int(str(row[name])) for name in FAILURES}
    counts["spurious_underflow"] -= int(str(row["flushed_subnormal"]))
    told = [f"{outcome_text(name)} {count(n)}" for name, n in counts.items() if n > 0]
    return ", ".join(told) or NONE


@dataclass(frozen=True)
class Skipped:
    """Cases that were not run, or not to the end, for one reason."""

    dtype: str
    reason: str
    cases: str


def skipped_rows(summary: pd.DataFrame) -> list[Skipped]:
    """The reasons why cases were not run, with the number of cases; the rarest are pooled."""
    reason = summary["reason"].fillna("").astype(str)
    given = summary[reason != ""].assign(reason=reason)
    groups = given.groupby(["dtype", "reason"], sort=False).size()
    groups = groups.sort_values(ascending=False, kind="stable")
    rows = [Skipped(str(d), str(r), count(n)) for (d, r), n in groups.head(MOST_REASONS).items()]
    rest = groups.iloc[MOST_REASONS:]
    if len(rest):
        rows.append(Skipped("several", f"{len(rest)} other reasons", count(rest.sum())))
    return rows
