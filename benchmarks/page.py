"""The page of results: goals and misses first, then each benchmark's tables, then the machine."""

import importlib
from collections.abc import Mapping
from statistics import median
from types import ModuleType

from benchmarks.goals import GOALS_HEADER
from benchmarks.options import Result
from benchmarks.phases import shares
from benchmarks.tables import table

BENCHMARKS = {
    "truth": "Truth engines",
    "sweep": "Whole sweeps",
    "phases": "Where the time of a sweep goes",
    "growth": "Cost and memory against n and the number of cases",
    "processes": "Processes, and the shipped study",
    "undecided": "Undecided truths",
    "advice": "Whether advice survives",
    "large_sweep": "A sweep of 1,000,000,000 vectors, on paper",
}

_HEAD = """\
# Benchmarks

Written by `python -m benchmarks` from [results.json](results.json), which has every round. A figure
is the median of interleaved rounds, with the smallest and the largest; a ratio is of two times of
the same round.
"""


def page(results: Mapping[str, Result]) -> str:
    """The page in Markdown; results: what was measured, its date and machine, by benchmark."""
    names = [name for name in BENCHMARKS if name in results]
    parts = [_HEAD, "## Goals\n", _goals(names, results)]
    for name in names:
        shown = _module(name).show(results[name]["result"])
        parts += [f"## {BENCHMARKS[name]}\n", f"`python -m benchmarks.{name}`\n", f"{shown}\n"]
    parts += ["## Machine\n", *_machines(names, results)]
    return "\n".join(parts)


def _goals(names: list[str], results: Mapping[str, Result]) -> str:
    """All figures that have a goal, and what bounds those that miss it."""
    figures = [f for name in names for f in _module(name).goals(results[name]["result"])]
    missed = sum(figure.missed for figure in figures)
    word = "All goals set are met." if not missed else f"{missed} of {len(figures)} are missed."
    if missed and "phases" in results:
        word += f" {_bound(results['phases']['result'])}"
    return f"{table(GOALS_HEADER, [figure.row for figure in figures])}\n\n{word}\n"


def _bound(phases: Result) -> str:
    """What a sweep's time goes to, in a sentence."""
    largest = list(shares(phases).items())[:4]
    told = ", ".join(f"{name} {100 * median(parts):.0f}%" for name, parts in largest)
    return f"What bounds a sweep are its largest phases: {told}."


def _machines(names: list[str], results: Mapping[str, Result]) -> list[str]:
    """A table for each machine and date, saying what was measured there."""
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name in names:
        key = (("date", results[name]["date"]), *results[name]["machine"].items())
        found.setdefault(key, []).append(name)
    return [
        f"{table(['', ''], [['measured', ', '.join(those)], *map(list, key)])}\n"
        for key, those in found.items()
    ]


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.{name}")
