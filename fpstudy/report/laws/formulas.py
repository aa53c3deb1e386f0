"""Laws about formulas: what another formula cures, and another dtype does not."""

import math
from collections.abc import Iterator

import pandas as pd

from fpstudy.report.anchors import offset_anchor
from fpstudy.report.laws.law import (
    Law,
    Measured,
    Tables,
    alike,
    fails,
    names,
    of,
    onset,
    ratio,
    row,
    samples,
    where,
)
from fpstudy.report.numbers import bits, magnitude


def _tails(tables: Tables) -> Iterator[Measured]:
    """The loss of the top class of two, in each dtype."""
    study = "top_class_gap"
    cases = where(tables, study, variant="cross_entropy", distribution="two_point", n=2)
    for dtype, common, good in _beside(cases[cases["target"] == "argmax"], "shifted", "log1p"):
        yield Measured(
            dtype,
            f"shifted {fails(common)}, log1p {fails(good)}",
            alike(common, good) and math.isfinite(onset(common)) and math.isinf(onset(good)),
            samples(common, good),
            row(study, common),
        )


def _offsets(tables: Tables) -> Iterator[Measured]:
    """Log-softmax of everyday logits with an offset, in each dtype."""
    study = "offset"
    cases = where(tables, study, variant="log_softmax", magnitude=1.0)
    for dtype, common, good in _beside(cases, "minus_lse", "log1p"):
        if not all((part["offset"] == 0).any() for part in (common, good)):
            continue
        lost, lost_common = _lost(good), _lost(common)
        yield Measured(
            dtype,
            f"log1p loses {bits(lost)} bits at most, minus_lse {bits(lost_common)}"
            f" (offsets up to {magnitude(float(common['offset'].abs().max()))} either way)",
            alike(common, good, axis="offset") and ratio(lost, lost_common) <= 0.5,
            samples(common, good),
            row(study, common, offset_anchor),
        )


def _lost(cases: pd.DataFrame) -> float:
    """Bits kept without an offset, less the fewest kept with one; at least 0.

    NaN where an offset has no bits at all: what was not measured is neither kept nor lost.
    """
    by_offset = cases.groupby("offset")["bits_kept_min"].min()
    return float(by_offset[0.0] - by_offset.min(skipna=False))


def _beside(
    cases: pd.DataFrame, common: str, good: str
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Each dtype in which two formulas were measured, with the cases of either."""
    for dtype in names(cases):
        own = cases[cases["dtype"] == dtype]
        both = own[own["formula"] == common], own[own["formula"] == good]
        if not any(part.empty for part in both):
            yield dtype, *both


def _outlasting(tables: Tables) -> Iterator[Measured]:
    """The common formula in 32 and 64 bits, and log1p in 16, by problem."""
    study = "magnitude_sweep"
    for problem in ("log_softmax", "cross_entropy"):
        cases = where(tables, study, variant=problem)
        common = [of(cases, dtype, "shifted") for dtype in ("float32", "float64")]
        good = [of(cases, dtype, "log1p") for dtype in ("float16", "bfloat16")]
        parts = [*common, *good]
        if any(part.empty for part in parts):
            continue
        told = [
            f"{part['formula'].iloc[0]} in {part['dtype'].iloc[0]} {fails(part)}" for part in parts
        ]
        yield Measured(
            problem,
            ", ".join(told),
            alike(*parts) and min(map(onset, good)) > max(map(onset, common)),
            samples(*parts),
            row(study, common[0]),
        )


FORMULA_FIXES_TAILS = Law(
    "The formula fixes tails; a wider dtype only moves them",
    "shifted fails from some gap on in every dtype, log1p at no gap that was measured",
    "Cross-entropy of the top class of two, by the gap between the two logits:",
    _tails,
)
FORMULA_FIXES_OFFSETS = Law(
    "The formula fixes offsets",
    "log1p loses at most half of the bits that minus_lse loses, in every dtype",
    "Bits of log-softmax that an offset costs, normal logits of magnitude 1 as each dtype stores"
    " them:",
    _offsets,
)
FORMULA_OUTLASTS_DTYPE = Law(
    "A better formula in 16 bits outlasts the common one in 32 and 64",
    "log1p in either 16-bit dtype goes further without failure than shifted in float32 and float64",
    "Normal logits, by their magnitude:",
    _outlasting,
)
