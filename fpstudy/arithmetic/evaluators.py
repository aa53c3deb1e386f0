"""The evaluating arithmetics by name: who refuses, who evaluates, whose own formulas there are."""

from importlib import import_module
from types import ModuleType

from fpstudy.arithmetic import EVALUATORS
from fpstudy.formats import Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS, Formula


def refusal(arithmetic: str, f: Format, accumulation: str) -> str | None:
    """Why the arithmetic cannot carry out the format or accumulation here; None where it can."""
    module, variant = _split(arithmetic)
    reason: str | None = module.refusal(f, accumulation, variant)
    return reason


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


def _split(arithmetic: str) -> tuple[ModuleType, str]:
    """The module of an arithmetic, and what is asked of it: "compile:cuda" of torch."""
    assert arithmetic in EVALUATORS  # the study's validation saw to it
    name = arithmetic.partition(":")[0].partition(".")[0]
    return import_module(f"fpstudy.arithmetic.{name}"), arithmetic.removeprefix(name).lstrip(".")
