"""Which formula to use, and how far it is safe: judged from the summary alone.

A formula is judged by the largest magnitude M such that no failure was seen at any measured
magnitude up to M, all else (n, offset, target, distribution, ...) pooled. It is the largest in the
samples measured, not a bound. Ties go to more bits kept (the median over the magnitudes up to M of
the worst sample), then to the smaller error, then to the order of names.
"""

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from fpstudy.outcomes import FAILURES
from fpstudy.report.numbers import magnitude as magnitude_text
from fpstudy.report.variants import SETTING, how, in_order, settings, with_variants


@dataclass(frozen=True)
class Verdict:
    """The formula to use for one problem in one dtype, arithmetic and accumulation.

    inputs:            "magnitudes", or "given" for vectors of the study or of a file, where the
                       fields that speak of magnitudes are NaN
    how:               "computing in float32", "logits stored in bfloat16", or nothing: formulas
                       that part from the dtype in this are judged among themselves
    samples:           vectors measured, of all lengths: up to M, or all where there is no M
    largest_magnitude: M above; NaN if the least magnitude already failed
    bits_*:            bits kept by the worst sample, at the least magnitude, at M, and wherever
                       fewest up to M
    components:        results measured for this formula, of which `failing` failed, at `honest_
                       underflow` zero is the correctly rounded result, `lost_subnormals` are zero
                       where only a subnormal was due, and `undecided` have no decided truth
    first_failure:     the outcome that first broke this formula, at `first_failure_magnitude`
    others:            where each other formula fails, in words
    """

    problem: str
    dtype: str
    arithmetic: str
    accumulation: str
    inputs: str
    how: str
    formula: str
    samples: int
    largest_magnitude: float
    least_measured: float
    largest_measured: float
    bits_at_least: float
    bits_at_largest: float
    bits_worst: float
    bits_worst_magnitude: float
    relative_error_max: float
    components: int
    failing: int
    honest_underflow: int
    lost_subnormals: int
    undecided: int
    first_failure: str
    first_failure_magnitude: float
    others: str


COLUMNS: tuple[str, ...] = tuple(Verdict.__dataclass_fields__)


def verdicts(summary: pd.DataFrame) -> pd.DataFrame:
    """One row per problem (as a reader names it) and setting, with the fields of `Verdict`."""
    rows = [asdict(_verdict(judged)) for judged in judgements(summary)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def judgements(summary: pd.DataFrame) -> Iterator[list[Verdict]]:
    """For each problem, setting and kind of inputs all its formulas, the one to use first.

    None of them tells of the others.
    """
    table = _telling(with_variants(summary))[_JUDGED_BY]
    hows = table["formula"].map(how)
    for problem in in_order(table["variant"]):
        part = table[table["variant"] == problem]
        for setting in settings(part):
            here = part[(part[SETTING].astype(str) == list(setting)).all(axis=1)]
            for own in in_order(hows[here.index]):
                for swept, inputs in ((True, "magnitudes"), (False, "given")):
                    chosen = here[(here["swept"] == swept) & (hows[here.index] == own)]
                    if len(chosen):
                        yield _judged((problem, *setting, inputs, own), chosen)


def _telling(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that a verdict rests on: some result has an exact value, or fails without one.

    A magnitude at which a dtype skips a case, because it cannot hold the logits, extends no
    verdict; from the least such magnitude on the dtype's rows are left out. A formula that was run
    nowhere there, as its library is not installed, is skipped for itself and ends no other's.
    """
    keys = [table["variant"], *(table[name].astype(str) for name in SETTING)]
    runs = table["measured"].groupby([*keys, table["formula"].astype(str)]).transform("max") > 0
    skipping = table["magnitude"].where((table["skipped"] > 0) & table["swept"] & runs)
    end = skipping.groupby(keys).transform("min").fillna(math.inf)
    within = (table["magnitude"].astype(float) < end) | ~table["swept"]
    some = (table["measured"] > table["undefined"]) | (table["failing"] > 0)
    return table[(table["measured"] > 0) & some & within]


_JUDGED_BY = [
    "variant", *SETTING, "formula", "swept", "magnitude", "samples", "components", "measured",
    "failing", "flushed_subnormal", *FAILURES, "honest_underflow", "undecided", "bits_kept_min",
    "relative_error_max",
]  # fmt: skip


def each_verdict(table: pd.DataFrame) -> list[Verdict]:
    """The rows of a table of verdicts as values."""
    return [Verdict(*row) for row in table[list(COLUMNS)].itertuples(index=False, name=None)]


# problem, dtype, arithmetic, accumulation, inputs, how
Key = tuple[str, str, str, str, str, str]
Rank = tuple[float, float, float, float, str]


def _judged(key: Key, part: pd.DataFrame) -> list[Verdict]:
    """A verdict on each formula, the best first."""
    judged = [
        _judge(key, formula, part[part["formula"].astype(str) == formula])
        for formula in in_order(part["formula"])
    ]
    return [verdict for _, verdict in sorted(judged, key=lambda one: one[0])]


def _verdict(judged: list[Verdict]) -> Verdict:
    """The best formula's verdict, with the others' failures told beside it."""
    best, *others = judged
    return replace(best, others=_told(others))


def _judge(key: Key, formula: str, part: pd.DataFrame) -> tuple[Rank, Verdict]:
    """One formula's verdict, and its rank: the least rank is the formula to use."""
    swept = key[4] == "magnitudes"
    M = part["magnitude"].astype(float) if swept else pd.Series(math.nan, index=part.index)
    groups = part.groupby(M, dropna=False, sort=True)
    counts = groups[[*FAILURES, "failing", "flushed_subnormal"]].sum()
    failed = counts["failing"].to_numpy() > 0
    safe = int(failed.argmax()) if failed.any() else len(counts)  # magnitudes before a failure
    judged = slice(0, safe if swept else None)
    bits = groups["bits_kept_min"].min().iloc[judged]
    known = bits.dropna()
    first = counts.iloc[safe] if failed.any() else None
    verdict = Verdict(
        *key,
        formula,
        _samples(part[counts.index[safe - 1] >= M] if swept and safe else part),
        largest_magnitude=float(counts.index[safe - 1]) if safe else math.nan,
        least_measured=float(counts.index[0]),
        largest_measured=float(counts.index[-1]),
        bits_at_least=float(bits.iloc[0]) if len(bits) else math.nan,
        bits_at_largest=float(bits.iloc[-1]) if len(bits) else math.nan,
        bits_worst=float(known.min()) if len(known) else math.nan,
        bits_worst_magnitude=float(known.index[int(known.argmin())]) if len(known) else math.nan,
        relative_error_max=float(groups["relative_error_max"].max().iloc[judged].max()),
        components=int(part["measured"].sum()),
        failing=int(part["failing"].sum()),
        honest_underflow=int(part["honest_underflow"].sum()),
        lost_subnormals=int(part["flushed_subnormal"].sum()),
        undecided=int(part["undecided"].sum()),
        first_failure="" if first is None else dominant(first.to_dict()),
        first_failure_magnitude=math.nan if first is None else float(counts.index[safe]),
        others="",
    )
    return _rank(verdict, float(known.median()) if len(known) else 0.0), verdict


def _samples(part: pd.DataFrame) -> int:
    """The vectors that were run: those of a case that was cut short count in part."""
    return round(float((part["samples"] * part["measured"] / part["components"]).sum()))


def _rank(verdict: Verdict, bits_median: float) -> Rank:
    """Further without failure, then fewer failures, more bits, a smaller error, the name."""
    reach, error = verdict.largest_magnitude, verdict.relative_error_max
    return (
        math.inf if math.isnan(reach) else -reach,
        verdict.failing / verdict.components if math.isnan(reach) else 0.0,
        -bits_median,
        math.inf if math.isnan(error) else error,
        verdict.formula,
    )


def _told(others: list[Verdict]) -> str:
    """Where the other formulas fail, the first to fail first, and which do not."""
    failing = [verdict for verdict in others if verdict.failing]
    failing.sort(key=lambda v: (v.first_failure_magnitude, v.formula))
    fail = [f"{v.formula} fails{_onset(v)} ({outcome_text(v.first_failure)})" for v in failing]
    whole = [verdict.formula for verdict in others if not verdict.failing]
    return "; ".join([*fail, *([f"no failure either: {', '.join(whole)}"] if whole else [])])


def _onset(verdict: Verdict) -> str:
    where = verdict.first_failure_magnitude
    return "" if math.isnan(where) else f" from {magnitude_text(where)}"


def dominant(counts: Mapping[Hashable, Any]) -> str:
    """The failing outcome with the most components (the first of the list among equals), or ""."""
    failing = {name: int(counts[name]) for name in FAILURES}
    failing["spurious_underflow"] -= int(counts["flushed_subnormal"])
    worst = max(failing, key=lambda name: failing[name])
    return worst if failing[worst] > 0 else ""


def outcome_text(name: str) -> str:
    """An outcome's name in words."""
    return {"nan": "NaN"}.get(name, name.replace("_", " ").replace("nan ", "NaN "))
