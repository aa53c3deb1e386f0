"""Tables for choosing a dtype and a formula, each number with a link to the row that shows it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fpstudy.arithmetic import EVALUATORS, evaluators
from fpstudy.formats import FORMATS, Format
from fpstudy.problems import PROBLEMS, Formula, named
from fpstudy.report import markdown
from fpstudy.report.anchors import problem_anchor
from fpstudy.report.formats import described, formats_of
from fpstudy.report.markdown import Markdown
from fpstudy.report.numbers import NONE, magnitude
from fpstudy.report.profile import UNBROKEN, Profile, lengths_text, own_cases, profile
from fpstudy.report.tables import FormulaRow, formula_row, numbers_anchor, verdict_anchor_of
from fpstudy.report.variants import HOW, SETTING, computed_by, with_variants
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


@dataclass(frozen=True)
class Glance:
    """One row: a dtype and what computes, the formula to use there, and how far that goes.

    stem:    the name of the formula without its options, "[compute=float32]"
    lengths: bits at the shortest and longest n, and where the row is that shows them
    fails:   which formula fails from where and how, "" for the one to use
    """

    dtype: str
    bits: str
    stem: str
    options: str
    reach: str
    numbers: FormulaRow
    normwise: str
    lengths: str
    lengths_note: str
    lengths_address: Markdown | None
    fails: list[tuple[str, str]]
    study: str
    samples: str
    verdict_address: Markdown
    numbers_address: Markdown


@dataclass(frozen=True)
class Table:
    """The rows of one problem, by what computes."""

    problem: str
    anchor: str
    mathematics: str
    vector: bool
    groups: list[tuple[list[str], list[Glance]]]


def glances(found: Sweeps) -> list[Table]:
    """A table for each problem, in the order of the problems; dtypes in order within."""
    tables = []
    for problem, best in by_problem(widest(found)):
        definition = PROBLEMS.get(problem.partition(" (")[0])
        tables.append(
            Table(
                problem,
                problem_anchor(problem),
                definition.mathematics if definition else "",
                definition is None or definition.vector,
                [
                    (_parts(who), [_glance(key, sweep, found[key]) for key, sweep in group])
                    for who, group in groupby(best, key=lambda one: one[0][2:])
                ],
            )
        )
    return tables


def by_problem(best: Mapping[Key, Sweep]) -> Iterator[tuple[str, list[tuple[Key, Sweep]]]]:
    """Each problem with its keys and sweeps: by what computes, and then by dtype."""
    for problem in _problems(best):
        own = [(key, sweep) for key, sweep in best.items() if key.problem == problem]
        yield problem, sorted(own, key=lambda one: _place(one[0]))


def _problems(best: Mapping[Key, Sweep]) -> list[str]:
    """Problems as a reader names them: those without notes first, as PROBLEMS has them."""
    names = list(dict.fromkeys(key.problem for key in best))
    order = list(PROBLEMS)
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))


def _parts(who: tuple[str, str, str]) -> list[str]:
    """What computes, a line each: the arithmetic, its sums, the format inside."""
    return computed_by(*who).split(", ")


def _place(key: Key) -> tuple[int | str, ...]:
    """Rows by what computes, as people have it before as theory has it, and then by dtype."""
    known = [name for name in EVALUATORS if name != "rounded"]
    order = known.index(key.arithmetic) if key.arithmetic in known else len(known)
    return order, key.arithmetic, key.accumulation, key.how, _rank(key.format)


def _rank(f: Format) -> int:
    """Built-in formats in their order, a study's own behind them."""
    built_in = list(FORMATS.values())
    return built_in.index(f) if f in built_in else len(built_in)


def _glance(key: Key, sweep: Sweep, several: list[Sweep]) -> Glance:
    """The row of a key, from its widest sweep; the effect of n from the one over most lengths."""
    use = sweep.judged[0]
    f = key.format
    numbers = formula_row(sweep.cases, use, f.precision)
    longest, lengths = _lengths(use, several, f.precision)
    fragment = numbers.anchor
    stem, bracket, options = use.formula.partition("[")
    return Glance(
        f.name,
        f"{f.precision} bits" if f in FORMATS.values() else described(f),
        *(stem, bracket + options),
        f"{numbers.safe} (all)" if use.largest_magnitude == use.largest_measured else numbers.safe,
        numbers,
        f"norm{UNBROKEN}{numbers.normwise}",
        *lengths_text(lengths),
        address(longest.study, fragment) if lengths.lengths else None,
        list(_fails(sweep.judged)),
        sweep.study,
        f"{use.samples:,}",
        address(sweep.study, verdict_anchor_of(use)),
        address(sweep.study, fragment),
    )


def _lengths(use: Verdict, several: list[Sweep], precision: int) -> tuple[Sweep, Profile]:
    """The sweep in which the formula's longest n is most times its shortest, and its profile."""
    own = [(sweep, own_cases(sweep.cases, use)) for sweep in several]
    profiles = [(sweep, profile(cases, precision)) for sweep, cases in own if len(cases)]
    return max(profiles, key=lambda one: _ratio(one[1]))


def _ratio(p: Profile) -> float:
    return p.lengths[1].at / p.lengths[0].at if p.lengths else 0.0


def _fails(judged: list[Verdict]) -> Iterator[tuple[str, str]]:
    """Where the formula to use fails, if it does, and which of the others fails first."""
    use, *others = judged
    if use.failing:
        yield "", _onset(use)
    failing = [v for v in others if v.failing]
    if failing:
        first = min(failing, key=lambda v: (v.first_failure_magnitude, v.formula))
        yield first.formula, _onset(first)


def _onset(v: Verdict) -> str:
    """Where a formula begins to fail, and what comes out: "from 3.16: infinity"."""
    what = PLAIN.get(v.first_failure, outcome_text(v.first_failure))
    return f"from {magnitude(v.first_failure_magnitude)}: {what}"


@dataclass(frozen=True)
class Choice:
    """A formula to use: what it computes, where it fails, and in how many rows it is the one.

    owner: the library whose formula it is, or nothing for one that every arithmetic carries out
    """

    problem: str
    formula: str
    owner: str
    mathematics: str
    fails: str
    chosen: str


def choices(found: Sweeps) -> list[Choice]:
    """The formulas to use of each problem, the one chosen most often first."""
    best = widest(found)
    rows = []
    for problem in _problems(best):
        use = [sweep.judged[0] for key, sweep in best.items() if key.problem == problem]
        names = [(_plain(v), _owner(v)) for v in use]
        for name in sorted(set(names), key=lambda name: (-names.count(name), name)):
            formula = _definition(use[names.index(name)])
            chosen = f"{names.count(name)} of {len(names)}"
            told = (formula.mathematics.rstrip("."), formula.fails) if formula else ("", "")
            rows.append(Choice(problem, *name, *told, chosen))
    return rows


def _plain(v: Verdict) -> str:
    """A formula's name without the format that it computes in."""
    return v.formula.partition("[")[0] if v.how else v.formula


def _owner(v: Verdict) -> str:
    """The library of a formula that no other arithmetic has; "scipy" is NumPy's."""
    problem = PROBLEMS.get(v.problem.partition(" (")[0])
    if problem is None or _plain(v).partition("[")[0] in problem.formulas:
        return ""
    module = re.split("[.:]", v.arithmetic)[0]
    return "scipy" if module == "numpy" else module


def _definition(v: Verdict) -> Formula | None:
    """What the docstrings say of a verdict's formula; nothing of one from elsewhere."""
    problem = v.problem.partition(" (")[0]
    if problem not in PROBLEMS or v.arithmetic not in EVALUATORS:
        return None
    try:
        return named(evaluators.formulas(problem, v.arithmetic), v.formula)
    except ValueError:  # an option that this version does not have
        return None


@dataclass(frozen=True)
class Onset:
    """From which magnitude a formula fails in one dtype, or up to which it did not."""

    text: str
    address: Markdown | None


@dataclass(frozen=True)
class Onsets:
    """A formula's row, a cell for each dtype."""

    formula: str
    used: bool
    cells: list[Onset]


@dataclass(frozen=True)
class OnsetTable:
    """Where each formula fails, all carried out in the one way that was measured most."""

    computed_by: str
    dtypes: list[str]
    groups: list[tuple[str, list[Onsets]]]


def onsets(found: Sweeps) -> OnsetTable | None:
    """Where the formulas fail, as carried out in the way with most results; None without any."""
    best = {key: sweep for key, sweep in widest(found).items() if not key.how}
    sizes: dict[tuple[str, str], int] = {}
    for key, sweep in best.items():
        who = key.arithmetic, key.accumulation
        sizes[who] = sizes.get(who, 0) + len(sweep.judged)
    if not sizes:
        return None
    who = max(sizes, key=lambda one: sizes[one])
    chosen = {key: s for key, s in best.items() if (key.arithmetic, key.accumulation) == who}
    formats = sorted(dict.fromkeys(key.format for key in chosen), key=_rank)
    groups = [(problem, list(_onsets(problem, chosen, formats))) for problem in _problems(chosen)]
    return OnsetTable(computed_by(*who), [f.name for f in formats], groups)


def _onsets(problem: str, chosen: Mapping[Key, Sweep], formats: list[Format]) -> Iterator[Onsets]:
    by_format = {key.format: sweep for key, sweep in chosen.items() if key.problem == problem}
    names = [v.formula for sweep in by_format.values() for v in sweep.judged]
    uses = {sweep.judged[0].formula for sweep in by_format.values()}
    for name in sorted(dict.fromkeys(names), key=lambda name: name not in uses):
        cells = [_cell(name, by_format.get(f)) for f in formats]
        yield Onsets(name, name in uses, cells)


def _cell(formula: str, sweep: Sweep | None) -> Onset:
    verdict = next((v for v in sweep.judged if v.formula == formula), None) if sweep else None
    if sweep is None or verdict is None:
        return Onset(NONE, None)
    fragment = numbers_anchor(verdict)
    none = f"none up to {magnitude(verdict.largest_magnitude)}"
    return Onset(_onset(verdict) if verdict.failing else none, address(sweep.study, fragment))
