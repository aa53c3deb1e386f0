"""Any callable scored against the truth: a library function, a kernel, a formula of one's own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from fpstudy.cases import Case, expand
from fpstudy.environment.floating_point import steady
from fpstudy.environment.threads import one_thread
from fpstudy.environment.uses import used_by
from fpstudy.formats import Floats
from fpstudy.measurement import Answer, reason_to_skip, rows
from fpstudy.problems import PROBLEMS
from fpstudy.record import Rows, table
from fpstudy.samples import given_logits, on_given, prepare, stored
from fpstudy.samples import logits as drawn
from fpstudy.study import from_keys
from fpstudy.summary import summarize
from fpstudy.truth import enclose
from fpstudy.user_code import formula_of


def measure(
    function: Callable[..., Any],
    problem: str,
    *,
    dtype: str = "float32",
    arithmetic: str = "numpy",
    logits: Any = None,
    n: int | Sequence[int] = 10,
    magnitude: float | Sequence[float] = 1.0,
    distribution: str = "normal",
    target: str | int = "random",
    labels: str | Sequence[Sequence[float]] = "hard",
    base: float | None = None,
    beta: float | None = None,
    masked: float = 0.0,
    samples: int = 16,
    seed: int = 0,
    tolerance: float = 4.0,
) -> pd.DataFrame:
    """Errors of a callable on drawn or given logits, a row for each n and magnitude.

    function: called with native arrays of the arithmetic, (samples, n): function(x), or
              function(x, q) with labels for the cross-entropies; with base or beta as a keyword;
              with the array namespace first if its first parameter is named xp. It returns the
              problem's result for each row, in the dtype it was given.
    logits:   (rows, n) numbers to take instead of drawing them, rounded to the dtype
    The other arguments are the keys of a [[sweep]], with its defaults, and the columns are those of
    summary.csv. What the function raises is an outcome, "crashed", with the reason in the row, and
    so is changing a state of the process that computing depends on, which is undone; a wrong dtype
    or shape is another, "bad_output", and so is changing an input in place. Raises ValueError for
    arguments that are none.
    """
    x = None if logits is None else given_logits(logits)
    sweep: dict[str, Any] = {
        "problem": problem, "dtype": dtype, "arithmetic": arithmetic, "samples": samples,
        "tolerance": tolerance, "inputs": "per_dtype", "masked": masked,
        "n": n if x is None else x.shape[1],
    }  # fmt: skip
    if x is None:
        sweep |= {"magnitude": magnitude, "distribution": distribution}
    if problem in PROBLEMS:
        sweep["formula"] = next(iter(PROBLEMS[problem].formulas))  # any: the function stands for it
        if PROBLEMS[problem].labels:
            sweep |= {"target": target, "labels": labels}
    sweep |= {name: v for name, v in (("base", base), ("beta", beta)) if v is not None}
    if "base" in sweep or "beta" in sweep:
        sweep["formula"] = "shift_then_scale"
    study = from_keys({"schema": 1, "name": "measure", "seed": seed, "sweep": [sweep]})
    cases = [_renamed(case, function, x) for case in expand(study)]
    with one_thread(used_by(cases)), steady("a measurement"):
        parts = [_measured(number, case, function, x) for number, case in enumerate(cases)]
    return summarize(table(parts).to_pandas())


def _renamed(case: Case, function: Callable[..., Any], x: Floats | None) -> Case:
    """The case as that of the function, and of the logits where they are given."""
    name = getattr(function, "__qualname__", type(function).__name__)
    return replace(case, formula=name, demand=on_given(case.demand, x))


def _measured(number: int, case: Case, function: Callable[..., Any], x: Floats | None) -> Rows:
    draw = case.demand.draw
    values = drawn(draw) if x is None else stored(x, draw.formats)[:, None, :]
    inputs = prepare(case.demand, values)
    reason = reason_to_skip(replace(case, formula="user:function"), inputs)
    if reason is not None:
        raise ValueError(reason)
    answer = Answer(inputs, enclose(PROBLEMS[case.demand.problem], inputs))
    return rows(number, case, formula_of(function), answer)
