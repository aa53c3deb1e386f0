"""What a run of a study would do: cases by axis, what is skipped and why, about how long."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fpstudy.arithmetic.numpy import evaluate
from fpstudy.cases import AXES, Case, expand, select, selection
from fpstudy.distributions import generator
from fpstudy.environment.memory import available
from fpstudy.errors import score
from fpstudy.formats import FORMATS
from fpstudy.inputs import Inputs
from fpstudy.measurement import Task, reason_to_skip
from fpstudy.problems import PROBLEMS
from fpstudy.samples import logits, prepare, too_large
from fpstudy.study import Given, Study, StudyError, study_of
from fpstudy.tasks import tasks, truth_logits
from fpstudy.truth import enclose

SMALL_PROBE, LARGE_PROBE = 2**10, 2**16
CALLS = 1.5  # a case's rows in the record cost about half of its evaluation and score
CHECKED_NUMBERS = 10**8  # drawing more than so many logits takes longer than a plan should


@dataclass(frozen=True, repr=False)
class Plan:
    """A study's cases, before anything is measured.

    axes:    for each axis with more than one value, the number of cases of each value
    skipped: the number of cases skipped for each reason; None where the study is too large to
             find out beforehand
    seconds: estimate on one core, from a small measurement on this machine
    """

    study: Study
    cases: int
    logits: int
    axes: dict[str, Counter[str]]
    skipped: Counter[str] | None
    seconds: float

    def __str__(self) -> str:
        lines = [f"{self.study.name}: {self.cases:,} cases, {self.logits:,} logits"]
        for axis, counts in self.axes.items():
            parts = [f"{_shown(value)} {count:,}" for value, count in counts.items()]
            shown = parts if len(parts) <= 16 else [*parts[:15], f"and {len(parts) - 15} more"]
            lines.append(f"  {axis + ':':<14}{', '.join(shown)}")
        if self.skipped is None:
            lines.append("  skipped:      not worked out beforehand for a study of this size")
        else:
            lines.append(f"  skipped:      {self.skipped.total():,}")
            lines += [f"    {count:,}: {why}" for why, count in self.skipped.most_common()]
        about = f"about {self.seconds:,.0f} s" if self.seconds >= 1 else "less than a second"
        return "\n".join([*lines, f"{about} on one core in NumPy, figures and pages not counted"])

    __repr__ = __str__  # what a notebook shows


def _shown(value: str) -> str:
    """The value of an axis; a number to six digits, which tell the points of any sweep apart."""
    try:
        return f"{float(value):.6g}"
    except ValueError:
        return value or "(none)"


def plan(study: Given, *, only: Mapping[str, Any] | None = None) -> Plan:
    """The plan of a study; nothing is written.

    Raises StudyError for mistakes in the file and for a study that this machine cannot hold.
    """
    study = study_of(study)
    cases = select(expand(study), selection(only))
    todo = tasks(study, cases)
    check_memory(study, todo)
    counts = {axis: Counter(str(case.axes[axis]) for case in cases) for axis in AXES}
    numbers = sum(task.draw.samples * task.draw.rows * task.draw.n for task in todo)
    skipped = None
    if numbers <= CHECKED_NUMBERS:
        skipped = Counter(reason for task in todo for reason in _reasons(task))
    return Plan(
        study=study,
        cases=len(cases),
        logits=truth_logits(cases),
        axes={axis: count for axis, count in counts.items() if len(count) > 1},
        skipped=skipped,
        seconds=_seconds(cases),
    )


def check_memory(study: Study, todo: list[Task]) -> None:
    """Refuse a study of which one draw does not fit into the machine's memory."""
    has = available()
    for task in todo:
        if why := too_large(task.draw, has):
            who = study.path or study.name
            raise StudyError([f"{who}: a study {why} - take fewer samples or a smaller n"])


def _reasons(task: Task) -> list[str]:
    """The reason of each case of a task that is skipped."""
    x = logits(task.draw)
    inputs = {case.demand: prepare(case.demand, x) for _, case in task.cases}
    reasons = [reason_to_skip(case, inputs[case.demand]) for _, case in task.cases]
    return [reason for reason in reasons if reason is not None]


def _seconds(cases: list[Case]) -> float:
    """Truths and formulas at the cost of a probe of each in NumPy, pages not counted.

    Compensated sums and frameworks take longer. A case costs its calls, as a small probe shows,
    and its numbers, as a large one does.
    """
    _probe(SMALL_PROBE)  # makes tables and loads libraries
    _, small = _probe(SMALL_PROBE)
    per_truth, large = (seconds / LARGE_PROBE for seconds in _probe(LARGE_PROBE))
    numbers = sum(
        case.demand.samples * case.demand.draw.rows * case.demand.draw.n for case in cases
    )
    return per_truth * truth_logits(cases) + CALLS * small * len(cases) + large * numbers


def _probe(size: int) -> tuple[float, float]:
    """Seconds for the truths of so many logits, and for a formula on them with its score."""
    problem, f = PROBLEMS["softmax"], FORMATS["float32"]
    inputs = Inputs(f.round(generator(0, "probe").standard_normal((size // 64, 64))))
    start = time.perf_counter()
    truth = enclose(problem, inputs)
    middle = time.perf_counter()
    y = evaluate(problem.formulas["shifted"], inputs, f)
    score(y, truth, f, inputs.infinite)
    return middle - start, time.perf_counter() - middle
