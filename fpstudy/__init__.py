"""Floating-point error of logit functions, measured against proven truth.

The tour, in the order of the flow:

    load(path)        a study file, checked as a whole; a study may also be a dict of its keys
    plan(study)       what a run would do, and about how long it would take
    run(study)        inputs, truths, formulas, errors: tables, figures and pages in a folder
        .summary .verdicts .outcomes .record   its tables, as DataFrames
        .plot         its figures, of what one chooses
    rebuild(folder)   the same tables, figures and pages again, from the folder's record
    measure(function, problem)   any callable's errors, as a DataFrame
    exact(problem, logits)   one certified value, to any number of digits
    advise(problem, ...)   which dtype, accumulation and formula meet a tolerance

    FORMATS, PROBLEMS        what there is to study
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fpstudy.advice import advise as advise
    from fpstudy.calculator import exact as exact
    from fpstudy.callables import measure as measure
    from fpstudy.flow import rebuild as rebuild
    from fpstudy.flow import run as run
    from fpstudy.formats import FORMATS as FORMATS
    from fpstudy.planning import plan as plan
    from fpstudy.problems import PROBLEMS as PROBLEMS
    from fpstudy.study import load as load

__version__ = "0.1.0"

# Imported when first used: `fpstudy --help` needs none of them, and NumPy takes its time.
_HOME = {
    "load": "study",
    "plan": "planning",
    "run": "flow",
    "rebuild": "flow",
    "exact": "calculator",
    "measure": "callables",
    "advise": "advice",
    "FORMATS": "formats",
    "PROBLEMS": "problems",
}

__all__ = ["FORMATS", "PROBLEMS", "advise", "exact", "load", "measure", "plan", "rebuild", "run"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'fpstudy' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"fpstudy.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
