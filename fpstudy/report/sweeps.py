"""Sweeps of the magnitude over all reports: what each study measured of which row of a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fpstudy.arithmetic import EVALUATORS
from fpstudy.formats import FORMATS, Format
from fpstudy.problems import PROBLEMS
from fpstudy.report import markdown
from fpstudy.report.formats import formats_of
from fpstudy.report.markdown import Markdown
from fpstudy.report.numbers import magnitude
from fpstudy.report.variants import HOW, SETTING, with_variants
from fpstudy.report.verdicts import Verdict, judgements, outcome_text

DRAWN = ("normal", "uniform")  # distributions whose magnitude is a spread of logits
PLAIN = {"spurious_overflow": "infinity", "spurious_underflow": "zero"}  # what a failure looks like


class Study(NamedTuple):
    """A report as read: its folder, its summary and its manifest."""

    folder: str
    summary: pd.DataFrame
    manifest: Mapping[str, Any]


class Key(NamedTuple):
    """What a row of the tables is of; two studies' own formats of one name may differ."""

    problem: str
    format: Format
    arithmetic: str
    accumulation: str
    how: str


@dataclass(frozen=True)
class Sweep:
    """What a study measured of one key over magnitudes, with a verdict on each formula.

    decades: from the least magnitude to the largest
    cases:   the rows, with variants, of nothing else
    judged:  the formula to use first
    """

    study: str
    decades: float
    cases: pd.DataFrame
    judged: list[Verdict]


Sweeps = Mapping[Key, list[Sweep]]


def sweeps(studies: Sequence[Study]) -> dict[Key, list[Sweep]]:
    """All sweeps of the magnitude of normal or uniform logits, by key, in the order of studies.

    Left out: settings whose magnitudes also mean something else in the same study, such as a gap,
    and formulas that store their logits in another format, whose error is mostly that of storing.
    """
    found: dict[Key, list[Sweep]] = {}
    for folder, summary, manifest in studies:
        formats, table = formats_of(manifest, summary), with_variants(summary)
        table = table[table["swept"]]
        table = table.assign(magnitude=table["magnitude"].astype(float))
        drawn = table["distribution"].isin(DRAWN) & (table["magnitude"] > 0)
        drawn |= table["measured"] == 0
        alike = drawn.groupby([table[name] for name in ("variant", *SETTING)]).transform("all")
        cases = table.loc[alike & (table["measured"] > 0), CASES]
        for judged in judgements(table.loc[alike, summary.columns]):
            use = judged[0]
            setting = [use.dtype, use.arithmetic, use.accumulation]
            own = (cases[["variant", *SETTING]] == [use.problem, *setting]).all(axis=1)
            own &= cases["formula"].isin([v.formula for v in judged])
            if HOW["store"] not in use.how:
                decades = float(np.log10(use.largest_measured) - np.log10(use.least_measured))
                who = use.arithmetic, use.accumulation, use.how
                key = Key(use.problem, formats[use.dtype], *who)
                found.setdefault(key, []).append(Sweep(folder, decades, cases[own], judged))
    return found


CASES = [
    "problem", "variant", "formula", *SETTING, "n", "magnitude", "samples", "components",
    "measured", "swept", "bits_kept_min", "normwise_error_max",
]  # fmt: skip


def widest(found: Sweeps) -> dict[Key, Sweep]:
    """For each key the sweep over most decades; among equals the one of most formulas, the first.

    A single magnitude is no sweep.
    """
    best = {
        key: max(several, key=lambda one: (round(one.decades, 1), len(one.judged)))
        for key, several in found.items()
    }
    return {key: sweep for key, sweep in best.items() if sweep.decades > 0}


def address(study: str, fragment: str) -> Markdown:
    """The address of a row in a study's README.md, as seen from the folder of all reports."""
    return Markdown(f"{markdown.path(study)}/README.md#{fragment}")


def by_problem(best: Mapping[Key, Sweep]) -> Iterator[tuple[str, list[tuple[Key, Sweep]]]]:
    """Each problem with its keys and sweeps: by what computes, and then by dtype."""
    for problem in problems(best):
        own = [(key, sweep) for key, sweep in best.items() if key.problem == problem]
        yield problem, sorted(own, key=lambda one: _place(one[0]))


def problems(best: Mapping[Key, Sweep]) -> list[str]:
    """Problems as a reader names them: those without notes first, as PROBLEMS has them."""
    names = list(dict.fromkeys(key.problem for key in best))
    order = list(PROBLEMS)
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))


def _place(key: Key) -> tuple[int | str, ...]:
    """Rows by what computes, as people have it before as theory has it, and then by dtype."""
    known = [name for name in EVALUATORS if name != "rounded"]
    order = known.index(key.arithmetic) if key.arithmetic in known else len(known)
    return order, key.arithmetic, key.accumulation, key.how, rank(key.format)


def rank(f: Format) -> int:
    """Built-in formats in their order, a study's own behind them."""
    built_in = list(FORMATS.values())
    return built_in.index(f) if f in built_in else len(built_in)


def onset_text(v: Verdict) -> str:
    """Where a formula begins to fail, and what comes out: "from 3.16: infinity"."""
    what = PLAIN.get(v.first_failure, outcome_text(v.first_failure))
    return f"from {magnitude(v.first_failure_magnitude)}: {what}"
