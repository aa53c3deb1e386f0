"""One input seen from close by: its exact value, and what every formula makes of it.

The formulas are evaluated as a study's run does it, on all samples of the case at once, because a
kernel may treat the end of an array otherwise than its middle; then one sample is looked at.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fpstudy.arithmetic import EVALUATORS, ORDERS, adds, evaluators, usual
from fpstudy.arithmetic.outputs import BadOutputError
from fpstudy.calculator import Exact
from fpstudy.cases import Case, Demand, Draw
from fpstudy.damage import AbsentError
from fpstudy.environment.floating_point import steady
from fpstudy.environment.threads import one_thread
from fpstudy.environment.uses import used_by
from fpstudy.errors import Errors, score
from fpstudy.formats import FORMATS, Floats
from fpstudy.inputs import Inputs
from fpstudy.measurement import computed, formula_of_case, reason_to_skip
from fpstudy.outcomes import NAMES
from fpstudy.problems import PROBLEMS
from fpstudy.reasons import FAULTS, reason_of
from fpstudy.rounding import round_truth
from fpstudy.study_file.axes import among
from fpstudy.study_file.entries import accumulation as named_accumulation
from fpstudy.study_file.names import arithmetic_hint
from fpstudy.truth import Truth, enclose
from fpstudy.user_code import NO_CODE, is_code

DIGITS = 20  # of an exact value: more than any format here tells apart
MOST_COMPONENTS = 16  # that are shown all
OWN_CODE = "code of the user's own, which is never imported here; fpstudy run --allow-code runs it"


@dataclass(frozen=True)
class Component:
    """One number of the result: its exact value t to DIGITS digits, and RN(t) in the format.

    exact:   digits that are proven, "undefined" where there is no value, or "undecided"
    nearest: NaN where there is no value
    """

    index: int
    exact: str
    nearest: float


@dataclass(frozen=True)
class Result:
    """What a formula gave for one component; errors as in fpstudy.errors.

    component: -1 where nothing was computed
    outcome:   a name of fpstudy.outcomes; "skipped" and "crashed" have a reason
    """

    formula: str
    component: int
    computed: float
    ulp_error: float
    relative_error: float
    bits_kept: float
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Inspection:
    """One sample of a case, with the results of all formulas of its problem in its arithmetic.

    inputs:     of the one sample
    components: those that the results speak of, in order
    results:    formula by formula as the problem lists them, component by component
    own:        that of the case's own formula at its worst component, whatever is shown; None for
                an input that is no formula's case
    """

    case: Case
    sample: int
    inputs: Inputs
    components: tuple[Component, ...]
    results: tuple[Result, ...]
    own: Result | None


def inspect(
    case: Case,
    inputs: Inputs,
    sample: int = 0,
    *,
    formulas: Sequence[str] = (),
    components: Sequence[int] | None = None,
) -> Inspection:
    """Evaluate every formula of the case's problem on the inputs, and look at one sample.

    inputs:     all samples of the case, as it was measured
    formulas:   names to have besides those that the problem and the arithmetic list
    components: which to show; by default the worst of each formula
    """
    problem, one = PROBLEMS[case.demand.problem], inputs.take([sample])
    truth = enclose(problem, one)
    results: list[Result] = []
    worst: dict[str, Result] = {}
    with one_thread(used_by([case])), steady("an inspection"):
        for name in listed(case, formulas):
            y = _evaluated(replace(case, formula=name), inputs)
            if isinstance(y, Result):
                worst[name], of_formula = y, [y]
            else:
                errors = score(y[[sample]], truth, case.format, one.infinite, case.tolerance)
                worst[name] = _result(name, _worst(errors), y[sample], errors)
                chosen = [worst[name].component] if components is None else components
                of_formula = [_result(name, j, y[sample], errors) for j in chosen]
            results += of_formula
    shown = {result.component for result in results if result.component >= 0}
    indices = sorted(shown.union(components or ()) or {0})
    found = _components(case, one, truth, indices)
    return Inspection(case, sample, one, found, tuple(results), worst.get(case.formula))


def size(case: Case, inputs: Inputs) -> int:
    """How many components a sample's result has."""
    return int(inputs.x[0].size) if PROBLEMS[case.demand.problem].vector else 1


def chosen_components(
    case: Case, inputs: Inputs, components: Sequence[int] | None, every: bool
) -> list[int] | None:
    """The components to show; None for the worst of each formula.

    every: all, where they are not more than MOST_COMPONENTS
    Raises AbsentError for one that there is not, and for too many.
    """
    n = size(case, inputs)
    for j in components or ():
        if not 0 <= j < n:
            has = f"0 to {n - 1}" if n > 1 else "0 alone"
            raise AbsentError(f"no component {j}: the result has {has}")
    if every and n > MOST_COMPONENTS:
        raise AbsentError(f"{n:,} components are too many to show: {MOST_COMPONENTS} at most")
    if every:
        return list(range(n))
    return list(components) if components else None


def given(
    value: Exact, arithmetic: str = "numpy", accumulation: str | None = None, tolerance: float = 4.0
) -> Case:
    """The case of an input that is given as such; its formula is no one's.

    accumulation: by default the arithmetic's usual one
    Raises ValueError for an arithmetic or accumulation that there is not.
    """
    arithmetic = among(EVALUATORS, "an arithmetic", arithmetic_hint)(arithmetic)
    sums = usual(arithmetic) if accumulation is None else named_accumulation(accumulation)
    if not adds(arithmetic, sums):
        has = ", ".join(ORDERS) if arithmetic == "rounded" else "native"
        raise ValueError(f"{arithmetic} has no {sums} sums; it has {has}")
    f, inputs = FORMATS[value.dtype], value.inputs
    rows, n = inputs.x.shape[-2:]
    draw = Draw(
        seed=0, distribution="given", n=n, magnitude=inputs.largest, offset=0.0, masked=0.0,
        rows=rows, samples=1, inputs="per_dtype", formats=(f,), vector=tuple(inputs.x.ravel()),
    )  # fmt: skip
    demand = Demand(
        draw, value.problem, base=None, beta=None, target="", labels="", label_values=None,
        reduction=inputs.reduction, ignored=0.0, ignore_index=-100,
    )  # fmt: skip
    return Case(demand, "", f, arithmetic, sums, tolerance)


def worst_sample(case: Case, inputs: Inputs) -> int | None:
    """The sample whose worst component has the largest ulp error; None where none was computed."""
    problem = PROBLEMS[case.demand.problem]
    with one_thread(used_by([case])), steady("an inspection"):
        y = _evaluated(case, inputs)
    if isinstance(y, Result):
        return None
    errors = score(y, enclose(problem, inputs), case.format, inputs.infinite, case.tolerance)
    ulps = np.where(np.isnan(errors.ulps), -1.0, errors.ulps).reshape(len(y), -1)
    return int(ulps.max(axis=1).argmax())


def listed(case: Case, others: Sequence[str] = ()) -> list[str]:
    """The problem's formulas in their order, each followed by its variants among the others."""
    known = list(evaluators.formulas(case.demand.problem, case.arithmetic))
    asked = dict.fromkeys([case.formula] * bool(case.formula) + [*others])
    more = [name for name in asked if name not in known]
    names = [
        name
        for stem in known
        for name in (stem, *(one for one in more if one.partition("[")[0] == stem))
    ]
    return names + [name for name in more if name not in names]


def _evaluated(case: Case, inputs: Inputs) -> Floats | Result:
    """The formula's results for all samples, or why there are none."""
    if is_code(case.formula):
        return _without(case.formula, "skipped", OWN_CODE)
    reason = reason_to_skip(case, inputs)
    if reason is not None:
        return _without(case.formula, "skipped", reason)
    formula = formula_of_case(case, NO_CODE)
    shape = inputs.x.shape if PROBLEMS[case.demand.problem].vector else inputs.x.shape[:1]
    try:
        y = computed(case, formula, inputs, shape)
    except BadOutputError as error:
        return _without(case.formula, "bad_output", reason_of(error))
    except FAULTS as error:  # whatever a formula raises is shown, and the others follow
        return _without(case.formula, "crashed", reason_of(error))
    return y


def _without(formula: str, outcome: str, reason: str) -> Result:
    """A formula that gave nothing; a crash is a failure, with infinite errors."""
    error, bits = (math.nan, math.nan) if outcome == "skipped" else (math.inf, 0.0)
    return Result(formula, -1, math.nan, error, error, bits, outcome, reason[:500])


def _worst(errors: Errors) -> int:
    """The first component with the largest ulp error, as the record has it."""
    ulps = errors.ulps.ravel()
    return int(np.where(np.isnan(ulps), -1.0, ulps).argmax())


def _result(name: str, j: int, y: Floats, errors: Errors) -> Result:
    numbers = (y, errors.ulps, errors.relative, errors.bits)
    value, ulps, relative, bits = (float(np.ravel(part)[j]) for part in numbers)
    return Result(name, j, value, ulps, relative, bits, NAMES[int(errors.outcome.ravel()[j])])


def _components(
    case: Case, one: Inputs, truth: Truth, indices: Sequence[int]
) -> tuple[Component, ...]:
    value = Exact(case.demand.problem, case.format.name, one, truth)
    digits = value.digits_of(indices, DIGITS)
    nearest = round_truth(truth, case.format).nearest.ravel()
    return tuple(Component(j, digits[j], float(nearest[j])) for j in indices)
