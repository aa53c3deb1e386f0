"""The formulas to use and what they compute, and from which magnitude every formula fails."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fpstudy.arithmetic import EVALUATORS, evaluators
from fpstudy.formats import Format
from fpstudy.problems import PROBLEMS, Formula, named
from fpstudy.report.markdown import Markdown
from fpstudy.report.numbers import NONE, magnitude
from fpstudy.report.sweeps import Key, Sweep, Sweeps, address, onset_text, problems, rank, widest
from fpstudy.report.tables import numbers_anchor
from fpstudy.report.variants import computed_by
from fpstudy.report.verdicts import Verdict


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
    for problem in problems(best):
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
    formats = sorted(dict.fromkeys(key.format for key in chosen), key=rank)
    groups = [(problem, list(_onsets(problem, chosen, formats))) for problem in problems(chosen)]
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
    return Onset(onset_text(verdict) if verdict.failing else none, address(sweep.study, fragment))
