"""How many bits one formula keeps, by magnitude and by n: the worst of the samples at each."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fpstudy.problems import PROBLEMS
from fpstudy.report.numbers import NONE, bits, count, magnitude
from fpstudy.report.variants import SETTING
from fpstudy.report.verdicts import Verdict

TYPICAL = (1.0, 10.0, 100.0)  # magnitudes of everyday logits
NEAR = 2.0  # a magnitude within this factor of a typical one stands in for it
UNBROKEN = "\N{NO-BREAK SPACE}"  # numbers that belong together stay on one line
TO = f"{UNBROKEN}\N{RIGHTWARDS ARROW}{UNBROKEN}"


@dataclass(frozen=True)
class Kept:
    """What the worst of the samples kept at one magnitude, or one number of logits.

    bits:     of the worst component
    normwise: of the vector as a whole, min(p, -log2(max |y - t| / max |t|)), at least 0; NaN for a
              problem whose result is one number
    """

    at: float
    bits: float
    normwise: float
    samples: int


@dataclass(frozen=True)
class Profile:
    """What a formula keeps at the typical magnitudes, and from its shortest n to its longest.

    typical:   what is nearest to each of TYPICAL, or None where nothing within NEAR was measured
    lengths:   shortest and longest n, both at the magnitude `lengths_at`; empty for one n alone
    """

    typical: tuple[Kept | None, ...]
    lengths: tuple[Kept, ...]
    lengths_at: float


def own_cases(table: pd.DataFrame, v: Verdict) -> pd.DataFrame:
    """The rows, with variants, that a verdict on magnitudes rests on, those beyond M included."""
    return table[
        (table["variant"] == v.problem)
        & (table[SETTING].astype(str) == [v.dtype, v.arithmetic, v.accumulation]).all(axis=1)
        & (table["formula"].astype(str) == v.formula)
        & table["swept"]
        & (table["measured"] > 0)
    ]


def profile(cases: pd.DataFrame, precision: int) -> Profile:
    """The profile of the rows of one formula, in a dtype of so many bits."""
    M = cases["magnitude"].astype(float)
    typical = [nearest(sorted(set(M)), value) for value in TYPICAL]
    at_typical = [None if at is None else _kept(cases[M.eq(at)], at, precision) for at in typical]
    lengths, lengths_at = _lengths(cases, precision)
    return Profile(tuple(at_typical), lengths, lengths_at)


def nearest(measured: list[float], value: float) -> float | None:
    """The measured magnitude nearest to the value on a log scale, if within a factor of NEAR."""
    near = [x for x in measured if x > 0 and abs(math.log(x) - math.log(value)) <= math.log(NEAR)]
    return min(near, key=lambda x: abs(math.log(x / value)), default=None)


def _lengths(cases: pd.DataFrame, precision: int) -> tuple[tuple[Kept, ...], float]:
    """Shortest and longest n at the magnitude nearest to 1, and that magnitude."""
    M = cases["magnitude"].astype(float)
    several = cases.groupby(M)["n"].nunique()
    at = nearest(sorted(several.index[several > 1]), TYPICAL[0])
    if at is None:
        return (), math.nan
    here = cases[M.eq(at)]
    ends = here["n"].min(), here["n"].max()
    return tuple(_kept(here[here["n"] == n], float(n), precision) for n in ends), at


def _kept(cases: pd.DataFrame, at: float, precision: int) -> Kept:
    share = cases["measured"] / cases["components"]
    return Kept(
        at,
        float(cases["bits_kept_min"].min()),
        _normwise(cases, precision),
        round(float((cases["samples"] * share).sum())),
    )


def _normwise(cases: pd.DataFrame, precision: int) -> float:
    """Bits of the largest normwise error; NaN where the results are no vectors, or have none."""
    problem = PROBLEMS.get(str(cases["problem"].iloc[0]))
    error = float(cases["normwise_error_max"].max())
    if (problem is not None and not problem.vector) or math.isnan(error):
        return math.nan
    return float(np.clip(-math.log2(error), 0, precision)) if error > 0 else float(precision)


def typical_text(p: Profile, of: Callable[[Kept], float]) -> str:
    """Bits at the typical magnitudes, "9.3 / 8.2 at 8 / –"; a dash alone where there are none."""
    told = [
        NONE if kept is None else bits(of(kept)) + _elsewhere(kept.at, value)
        for kept, value in zip(p.typical, TYPICAL, strict=True)
    ]
    return NONE if all(text == NONE for text in told) else f"{UNBROKEN}/{UNBROKEN}".join(told)


def _elsewhere(at: float, typical: float) -> str:
    if math.isclose(at, typical, rel_tol=0.01):
        return ""
    return f"{UNBROKEN}at{UNBROKEN}{magnitude(at)}"


def lengths_text(p: Profile) -> tuple[str, str]:
    """Bits at the shortest and the longest n, and these n themselves, with an arrow between."""
    if not p.lengths:
        return NONE, ""
    short, long = p.lengths
    at = _elsewhere(p.lengths_at, TYPICAL[0])
    told, note = f"{bits(short.bits)}{TO}{bits(long.bits)}", f"n{UNBROKEN}{count(short.at)}{TO}"
    return told, note + count(long.at) + at


def samples_text(p: Profile) -> str:
    """How many samples stand behind each typical magnitude: "48", "8 to 48", or a dash."""
    counts = sorted({kept.samples for kept in p.typical if kept is not None})
    if not counts:
        return NONE
    few, many = count(counts[0]), count(counts[-1])
    return few if few == many else f"{few} to {many}"
