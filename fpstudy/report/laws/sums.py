"""Laws about sums: what the width of the accumulator and the number of terms do."""

import math
from collections.abc import Iterator

import pandas as pd

from fpstudy.report.laws.law import (
    ARROW,
    Law,
    Measured,
    Tables,
    alike,
    names,
    onset,
    ratio,
    row,
    samples,
    ulps,
    where,
)
from fpstudy.report.numbers import count


def _accumulators(tables: Tables) -> Iterator[Measured]:
    """Each dtype that added up one by one both in itself and in a wider format."""
    study = "accumulators"
    cases = where(
        tables, study, variant="softmax", formula="shifted", arithmetic="rounded",
        distribution="normal",
    )  # fmt: skip
    for dtype in names(cases):
        own = cases[cases["dtype"] == dtype]
        ways = {way: own[own["accumulation"] == way] for way in names(own, "accumulation")}
        for way, wide in ways.items():
            if way.startswith("sequential:") and "sequential" in ways:
                narrow = ways["sequential"]
                (own_0, own_1), (wide_0, wide_1) = _growth(narrow), _growth(wide)
                yield Measured(
                    dtype,
                    f"{ulps(own_0)} {ARROW} {ulps(own_1)} ulps added up in {dtype},"
                    f" {ulps(wide_0)} {ARROW} {ulps(wide_1)} in {way.partition(':')[2]}"
                    f" (n {count(own['n'].min())} {ARROW} {count(own['n'].max())})",
                    alike(narrow, wide, axis="n")
                    and ratio(own_1, own_0) >= 10
                    and ratio(wide_1, wide_0) <= 4,
                    samples(narrow, wide),
                    row(study, narrow),
                )


def _growth(cases: pd.DataFrame) -> tuple[float, float]:
    """The largest error in ulps at the shortest n, and at the longest."""
    by_n = cases.groupby("n")["ulp_error_max"].max().sort_index()
    return float(by_n.iloc[0]), float(by_n.iloc[-1])


def _counting(tables: Tables) -> Iterator[Measured]:
    """Each library's log-sum-exp of equal logits in float16, and in bfloat16 where it has that."""
    study = "vocabulary"
    cases = where(tables, study, variant="logsumexp", formula="library", distribution="equal")
    for who in names(cases, "arithmetic"):
        own = cases[cases["arithmetic"] == who]
        half, brain = own[own["dtype"] == "float16"], own[own["dtype"] == "bfloat16"]
        if half.empty:
            continue
        told = [f"float16 {_fails(half)}", *([f"bfloat16 {_fails(brain)}"] if len(brain) else [])]
        yield Measured(
            f"{who}'s library",
            ", ".join(told),
            65504 < onset(half, "n") < math.inf
            and math.isinf(onset(brain, "n"))
            and (brain.empty or alike(half, brain, axis="n")),
            samples(half, brain),
            row(study, half),
        )


def _fails(cases: pd.DataFrame) -> str:
    found = onset(cases, "n")
    if math.isinf(found):
        return f"has no failure up to n = {count(cases['n'].max())}"
    return f"fails from n = {count(found)} on"


ACCUMULATOR_FIXES_N = Law(
    "Accumulator width fixes n",
    "added up one by one in the dtype itself the largest error grows tenfold or more from the"
    " shortest n to the longest, in a wider accumulator fourfold at most, in every dtype",
    "Largest error of softmax of normal logits, sums one by one:",
    _accumulators,
)
FLOAT16_CANNOT_COUNT = Law(
    "float16 cannot count a large vocabulary",
    "every library's function fails from some n beyond 65,504 on in float16, and at none in"
    " bfloat16",
    "Log-sum-exp of n equal logits:",
    _counting,
)
