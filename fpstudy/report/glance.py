"""The table at a glance: for each dtype the formula to use, how far it goes, and the evidence."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS
from fpstudy.report.anchors import problem_anchor
from fpstudy.report.formats import described
from fpstudy.report.markdown import Markdown
from fpstudy.report.profile import UNBROKEN, Profile, lengths_text, own_cases, profile
from fpstudy.report.sweeps import Key, Sweep, Sweeps, address, by_problem, onset_text, widest
from fpstudy.report.tables import FormulaRow, formula_row, verdict_anchor_of
from fpstudy.report.variants import computed_by
from fpstudy.report.verdicts import Verdict


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


def _parts(who: tuple[str, str, str]) -> list[str]:
    """What computes, a line each: the arithmetic, its sums, the format inside."""
    return computed_by(*who).split(", ")


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
        yield "", onset_text(use)
    failing = [v for v in others if v.failing]
    if failing:
        first = min(failing, key=lambda v: (v.first_failure_magnitude, v.formula))
        yield first.formula, onset_text(first)
