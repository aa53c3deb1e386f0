"""One draw of logits taken all the way: inputs, truths, witness, formulas, errors, rows.

A task depends on nothing but itself, so tasks run in any order and in any process.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
import pyarrow as pa

from fpstudy import bounds, record
from fpstudy.arithmetic import evaluators
from fpstudy.arithmetic.double_double_arrays import DoubleDoubleArrays
from fpstudy.arithmetic.evaluators import formula_named
from fpstudy.arithmetic.outputs import BadOutputError
from fpstudy.cases import Case, Demand, Draw
from fpstudy.distributions import generator
from fpstudy.divergences import Target, diverge, targets
from fpstudy.environment.canary import untouched
from fpstudy.environment.floating_point import steady
from fpstudy.environment.threads import one_thread
from fpstudy.environment.uses import used_by
from fpstudy.errors import score_samples
from fpstudy.formats import FORMATS, Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS, Formula
from fpstudy.reasons import FAULTS, reason_of
from fpstudy.record import Rows
from fpstudy.samples import logits, prepare, refusal, vanished
from fpstudy.truth import State, Truth, enclose
from fpstudy.user_code import NO_CODE, Code, is_code, load
from fpstudy.witness import Testimony, recompute
from fpstudy.yardstick import Yardsticks


@dataclass(frozen=True)
class Task:
    """The cases of one draw, numbered, and how much of its truths mpmath recomputes.

    witnessed: about how many logits of each demand, in whole samples drawn at random
    sure:      demands of which the first sample is recomputed by all means
    """

    draw: Draw
    cases: tuple[tuple[int, Case], ...]
    engine: str
    witnessed: float
    sure: frozenset[Demand] = frozenset()
    code: Code = NO_CODE


@dataclass
class Measured:
    """What tasks give: rows of the record, and counts for the manifest.

    cases:      how many were "run", "skipped" and "crashed" (bad output included)
    violations: truths of log-sum-exp outside its inequality, in words
    environment: the id of where it was measured
    """

    rows: pa.Table
    cases: Counter[str] = field(default_factory=Counter)
    testimony: Testimony = field(default_factory=Testimony)
    truths: int = 0
    undecided: int = 0
    violations: list[str] = field(default_factory=list)
    environment: str = ""


@dataclass(frozen=True)
class Verdict:
    """What became of a case whose formula ended its process, or would not end."""

    outcome: str
    reason: str


NO_CASE = -1


@dataclass(frozen=True)
class Watch:
    """How somebody outside follows the tasks' formulas, which may end or hang the process.

    known: cases that are not tried again, as they did so before
    look:  told the number of the case whose formula runs from now on; NO_CASE when it has ended
    """

    known: Mapping[int, Verdict] = field(default_factory=dict)
    look: Callable[[int], None] | None = None

    @contextmanager
    def at(self, number: int) -> Iterator[None]:
        """The formula of this case runs."""
        if self.look is None:
            yield
            return
        self.look(number)
        try:
            yield
        except FAULTS:
            self.look(NO_CASE)
            raise
        self.look(NO_CASE)  # not where the formula raised what ends a program: it is to blame


NOBODY = Watch()


# A yardstick takes about 75 bytes a number: of a larger truth only the last format's is kept, as
# the cases of a format follow each other.
KEPT_NUMBERS = 2**20


class Answer:
    """Inputs with their exact results, and what all cases that are scored against them share."""

    def __init__(self, inputs: Inputs, truth: Truth) -> None:
        """Work nothing out yet: each part is made when a case first asks for it."""
        self.inputs, self.truth = inputs, truth
        self._yardsticks: dict[Format, Yardsticks] = {}
        self._brackets: dict[Format, tuple[Floats, Floats]] = {}
        self._targets: list[Target] = []

    def yardsticks(self, f: Format) -> Yardsticks:
        """The truth as results in the format are scored against it."""
        if f not in self._yardsticks:
            if self.truth.hi.size > KEPT_NUMBERS:
                self._yardsticks.clear()
            self._yardsticks[f] = Yardsticks(self.truth, f)
        return self._yardsticks[f]

    def bracket(self, f: Format) -> tuple[Floats, Floats]:
        """The inequality of log-sum-exp in the format."""
        if f not in self._brackets:
            self._brackets[f] = bounds.bracket(self.inputs.x, f)
        return self._brackets[f]

    @property
    def targets(self) -> list[Target]:
        """The truth as computed distributions are held against it, in whatever format."""
        if not self._targets:
            self._targets = targets(self.truth)
        return self._targets


def run_tasks(tasks: Sequence[Task], watch: Watch = NOBODY) -> Measured:
    """Run tasks one after the other, with one thread; their rows make one table.

    Raises UnsteadyError where the processor rounds otherwise than by the standard.
    """
    uses = used_by(case for task in tasks for _, case in task.cases)
    result = Measured(rows=record.table([]))
    with one_thread(uses), steady("a task"):
        parts = [part for task in tasks for part in _run(task, result, watch)]
    result.rows = record.table(parts)
    result.cases.update(part.ended for part in parts)
    return result


def _run(task: Task, result: Measured, watch: Watch) -> list[Rows]:
    """The rows of a task; what is counted goes to the result."""
    x = logits(task.draw)
    parts: list[Rows] = []
    arrays = DoubleDoubleArrays()  # all demands are made of x: they share its exponentials
    for demand, group in groupby(task.cases, key=lambda numbered: numbered[1].demand):
        inputs = prepare(demand, x)
        cases = list(group)
        reasons = [reason_to_skip(case, inputs) for _, case in cases]
        answer = None
        if not all(reasons):
            truth = enclose(PROBLEMS[demand.problem], inputs, task.engine, arrays=arrays)
            _check(truth, demand, inputs, task, result)
            answer = Answer(inputs, truth)
        for (number, case), reason in zip(cases, reasons, strict=True):
            verdict = watch.known.get(number)
            if answer is None or reason is not None:
                verdict = Verdict("skipped", reason or "")
            if answer is None or verdict is not None:
                assert verdict is not None
                parts.append(_failed(number, case, inputs, verdict))
            else:
                with watch.at(number):
                    formula = formula_of_case(case, task.code)
                parts.append(rows(number, case, formula, answer, watch))
    return parts


def reason_to_skip(case: Case, inputs: Inputs) -> str | None:
    """Why a case is not run: its format cannot hold the inputs, or its arithmetic not do it."""
    problem, takes, within = case.demand.problem, None, case.format
    if not is_code(case.formula):
        formula = formula_of_case(case, NO_CODE)
        takes = formula.refusal(inputs.parameters)
        within = FORMATS.get(formula.compute, case.format)
    return (
        refusal(inputs, case.format)
        or vanished(case.demand, inputs)
        or takes
        or evaluators.refusal(case.arithmetic, case.format, case.accumulation)
        or evaluators.refusal(case.arithmetic, within, case.accumulation)
        or evaluators.library_refusal(problem, case.arithmetic, case.formula, within)
    )


def formula_of_case(case: Case, code: Code) -> Formula:
    """The formula that a case names; code is loaded only from modules that were allowed."""
    if is_code(case.formula):
        return load(case.formula, code)
    return formula_named(case.demand.problem, case.arithmetic, case.formula)


def _check(truth: Truth, demand: Demand, inputs: Inputs, task: Task, result: Measured) -> None:
    """Have truths witnessed, and hold them against the inequality of log-sum-exp."""
    problem = PROBLEMS[demand.problem]
    result.truths += truth.hi.size
    result.undecided += int((truth.state == State.UNDECIDED).sum())
    key = replace(demand, draw=replace(demand.draw, file=None))  # which names the file, not where
    chance = generator(demand.draw.seed, "witness", repr(key)).random(len(inputs.x))
    chosen = chance < task.witnessed / inputs.x.size
    chosen[0] |= demand in task.sure
    rows = np.flatnonzero(chosen).tolist()
    result.testimony.add(recompute(problem, inputs, truth, rows))
    if problem.name == "logsumexp":
        for row in np.flatnonzero(bounds.violations(inputs.x, truth)):
            result.violations.append(
                f"{demand.draw.distribution}, n = {demand.draw.n}, magnitude"
                f" {demand.draw.magnitude:g}, sample {row}"
            )


def rows(number: int, case: Case, formula: Formula, answer: Answer, watch: Watch = NOBODY) -> Rows:
    """Evaluate and score one case; a formula that raises is an outcome."""
    f, inputs, truth = case.format, answer.inputs, answer.truth
    with watch.at(number):  # asking an error for its words runs the formula's code as well
        try:
            y = computed(case, formula, inputs, truth.hi.shape)
        except BadOutputError as error:
            return _failed(number, case, inputs, Verdict("bad_output", reason_of(error)))
        except FAULTS as error:  # whatever a formula raises is recorded, and the study goes on
            return _failed(number, case, inputs, Verdict("crashed", reason_of(error)))
    errors = score_samples(y, answer.yardsticks(f), inputs.infinite, case.tolerance)
    broken = np.zeros(len(y), dtype=bool)
    if case.demand.problem == "logsumexp":
        broken = bounds.outside(y, answer.bracket(f))
    distribution = PROBLEMS[case.demand.problem].distribution
    divergences = diverge(y, answer.targets) if distribution else None
    return record.rows_of_errors(number, case, inputs.x, y, truth, errors, broken, divergences)


def computed(case: Case, formula: Formula, inputs: Inputs, shape: tuple[int, ...]) -> Floats:
    """A case's results as float64, of the shape that its truth has.

    Raises BadOutputError for another shape or dtype, whatever the formula raises, and UnsteadyError
    where it changed a state that computing depends on, after that is as it was before.
    """
    what = f"{case.formula} in {case.arithmetic}"
    with steady(what) if formula.ours else untouched(what):
        y = evaluators.evaluate(case.arithmetic, formula, inputs, case.format, case.accumulation)
    if y.shape != shape:
        raise BadOutputError(f"returned {y.shape}, not {shape}")
    return y


def _failed(number: int, case: Case, inputs: Inputs, verdict: Verdict) -> Rows:
    components = _components(case.demand, inputs)
    return record.row_of_failure(number, case, components, verdict.outcome, verdict.reason)


def _components(demand: Demand, inputs: Inputs) -> int:
    """How many numbers the problem's result has, over all samples."""
    x: Floats = inputs.x
    return int(x.size if PROBLEMS[demand.problem].vector else len(x))
