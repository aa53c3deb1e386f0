"""The evaluating arithmetics by name: who refuses, who evaluates, whose own formulas there are."""

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from fpstudy.arithmetic import EVALUATORS, numpy, scipy_functions
from fpstudy.formats import Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS, Formula, named


def refusal(arithmetic: str, f: Format, accumulation: str) -> str | None:
    """Why the arithmetic cannot carry out the format or accumulation here; None where it can."""
    module, variant = _split(arithmetic)
    reason: str | None = module.refusal(f, accumulation, variant)
    return reason


def library_refusal(problem: str, arithmetic: str, formula: str, f: Format) -> str | None:
    """Why a library that the arithmetic can do without lacks the formula; None where it does not.

    f: the format that it computes in

    SciPy is one beside NumPy; torch and jax answer for themselves.
    """
    stem = formula.partition("[")[0]
    if arithmetic == "numpy" and stem in numpy.LIBRARY.get(problem, {}):
        return scipy_functions.refusal(problem, numpy.DTYPES[f.name])
    return None


def evaluate(
    arithmetic: str, formula: Formula, inputs: Inputs, f: Format, accumulation: str
) -> Floats:
    """The formula's results, one row for each sample, as float64.

    Raises BadOutputError for a wrong shape or dtype, and whatever the formula raises.
    """
    module, variant = _split(arithmetic)
    y: Floats = module.evaluate(formula, inputs, f, accumulation, variant)
    return y


def formulas(problem: str, arithmetic: str) -> dict[str, Formula]:
    """The problem's formulas, and those that only this arithmetic has (a library's functions)."""
    module, _ = _split(arithmetic)
    own: dict[str, Formula] = module.LIBRARY.get(problem, {})
    return PROBLEMS[problem].formulas | own


def formula_named(problem: str, arithmetic: str, name: str) -> Formula:
    """The formula of a case; the study's validation saw to it that there is one."""
    formula = named(formulas(problem, arithmetic), name)
    assert formula is not None
    return formula


def chosen(
    problem: str, arithmetic: str, names: Sequence[str], parameters: dict[str, float]
) -> list[str]:
    """Which of the names this problem and arithmetic have.

    "all" means every formula that takes the parameters, but for those that want to be named. Code
    of the user's own, "module:function", goes with every problem.
    """
    known = formulas(problem, arithmetic)
    if "all" in names:
        everyday = {name: formula for name, formula in known.items() if formula.everyday}
        return [name for name in everyday if known[name].refusal(parameters) is None]
    return [name for name in names if ":" in name or name.partition("[")[0] in known]


def _split(arithmetic: str) -> tuple[ModuleType, str]:
    """The module of an arithmetic, and what is asked of it: "compile:cuda" of torch."""
    assert arithmetic in EVALUATORS  # the study's validation saw to it
    name = arithmetic.partition(":")[0].partition(".")[0]
    return import_module(f"fpstudy.arithmetic.{name}"), arithmetic.removeprefix(name).lstrip(".")
