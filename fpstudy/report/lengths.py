"""Bits kept by magnitude and n at once, from the study with the longest vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fpstudy.report.markdown import Markdown
from fpstudy.report.numbers import NONE, bits, count, magnitude
from fpstudy.report.profile import UNBROKEN, own_cases
from fpstudy.report.sweeps import Key, Sweep, Sweeps, address, by_problem, widest
from fpstudy.report.tables import numbers_anchor
from fpstudy.report.variants import computed_by

LEAST = 3  # lengths that a study has at least to be shown
MOST = 5  # of its lengths, and of its magnitudes, the ends and evenly between


@dataclass(frozen=True)
class LengthRow:
    """A dtype's formula to use, and the bits it keeps at each n, in words."""

    dtype: str
    formula: str
    address: Markdown
    cells: list[str]


@dataclass(frozen=True)
class LengthTable:
    """One study's bits by n: a column for each, the magnitudes within a cell.

    samples: vectors behind each number, "8" or "4 to 8"
    """

    study: str
    computed_by: str
    magnitudes: str
    lengths: list[str]
    samples: str
    groups: list[tuple[str, list[LengthRow]]]


def length_table(found: Sweeps) -> LengthTable | None:
    """The table of the study with the longest vectors, and among equals with most rows."""
    parts: dict[tuple[str, str, str], dict[Key, Sweep]] = {}
    for key, several in found.items():
        for sweep in several:
            if not key.how and sweep.cases["n"].nunique() >= LEAST:
                one = sweep.study, key.arithmetic, key.accumulation
                parts.setdefault(one, {})[key] = sweep
    if not parts:
        return None
    study, *who = max(parts, key=lambda one: (_longest(parts[one]), len(parts[one])))
    chosen, best = parts[study, who[0], who[1]], widest(found)
    cases = pd.concat([sweep.cases for sweep in chosen.values()])
    lengths, magnitudes = _some(cases["n"]), _some(cases["magnitude"])
    return LengthTable(
        study,
        computed_by(*who),
        _joined([magnitude(M) for M in magnitudes]),
        [count(n) for n in lengths],
        _samples(cases),
        [
            (problem, [_row(s, best.get(key, s), lengths, magnitudes) for key, s in of])
            for problem, of in by_problem(chosen)
        ],
    )


def _longest(chosen: dict[Key, Sweep]) -> int:
    return max(int(sweep.cases["n"].max()) for sweep in chosen.values())


def _some(values: pd.Series) -> list[float]:
    """At most MOST of the values: the ends, and evenly between."""
    known = sorted(set(values.astype(float)))
    at = np.linspace(0, len(known) - 1, min(MOST, len(known))).round().astype(int)
    return [known[i] for i in at]


def _samples(cases: pd.DataFrame) -> str:
    """Vectors behind one number, which are those of all targets."""
    keys = ["variant", "dtype", "formula", "n", "magnitude"]
    each = cases.groupby(keys)["samples"].sum()
    ends = dict.fromkeys([count(each.min()), count(each.max())])
    return " to ".join(ends)


def _row(
    sweep: Sweep, best: Sweep, lengths: Sequence[float], magnitudes: Sequence[float]
) -> LengthRow:
    """The formula to use as the widest sweep has it, where this study measured that one too."""
    own = {v.formula: v for v in sweep.judged}
    use = own.get(best.judged[0].formula, sweep.judged[0])
    cases = own_cases(sweep.cases, use)
    cells = [_joined(_kept(cases[cases["n"] == n], magnitudes)) for n in lengths]
    return LengthRow(use.dtype, use.formula, address(sweep.study, numbers_anchor(use)), cells)


def _kept(cases: pd.DataFrame, magnitudes: Sequence[float]) -> Iterator[str]:
    """The fewest bits kept at each magnitude."""
    for M in magnitudes:
        here = cases.loc[cases["magnitude"] == M, "bits_kept_min"]
        yield bits(float(here.min())) if len(here) else NONE


def _joined(texts: Sequence[str] | Iterator[str]) -> str:
    return f"{UNBROKEN}/{UNBROKEN}".join(texts)
