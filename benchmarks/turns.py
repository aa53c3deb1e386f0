"""Contenders take turns, so that whatever else the machine does falls on all of them.

A ratio is always one of two times of the same round; what is told is the median over the rounds,
with the smallest and the largest.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

Rounds = dict[str, list[float]]  # seconds for each unit of work, one number for each round


@dataclass(frozen=True)
class Contender:
    """Work to be timed, and how many units of it one call does."""

    name: str
    work: Callable[[], Any]
    units: int = 1


def take_turns(
    contenders: Sequence[Contender],
    rounds: int,
    warm: bool = True,
    clock: Callable[[], float] | None = None,
) -> Rounds:
    """Seconds for each unit, by contender and round; each round begins with another of them.

    warm:  call each once before, untimed, for caches and late imports
    clock: by default the wall's; time.process_time counts what this process computes
    """
    clock = clock or time.perf_counter
    if warm:
        for contender in contenders:
            contender.work()
    found: Rounds = {contender.name: [] for contender in contenders}
    for turn in range(rounds):
        first = turn % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            found[contender.name].append(_seconds(contender.work, clock) / contender.units)
    return found


def ratios(slow: Sequence[float], fast: Sequence[float]) -> list[float]:
    """How many times longer the slow one took, round by round."""
    return [a / b for a, b in zip(slow, fast, strict=True)]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median (smallest .. largest): 163 (158 .. 171)."""
    middle, least, most = (figure(v, digits) for v in (median(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least} .. {most})"


def figure(value: float, digits: int = 3) -> str:
    """The value to so many significant digits, without an exponent: 0.125, 12.5, 26,600."""
    if value == 0 or abs(value) != abs(value) or abs(value) == float("inf"):
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = int(f"{rounded:e}".partition("e")[2])
    return f"{rounded:,.{max(0, digits - 1 - exponent)}f}"


def _seconds(work: Callable[[], Any], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start
