"""A sweep: axes that are crossed, and settings that hold for all of their cases."""

from math import prod
from typing import ClassVar, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from fpstudy.arithmetic import adds, usual
from fpstudy.arithmetic.evaluators import chosen
from fpstudy.problems import PROBLEMS, Problem
from fpstudy.study_file.entries import GENERATED
from fpstudy.study_file.mistakes import at
from fpstudy.study_file.rules import broken
from fpstudy.study_file.settings import Dtypes, Problems, Settings
from fpstudy.study_file.table import check_found, found


class Sweep(Settings):
    """One [[sweep]], the keys of [defaults] merged into it; every axis is a tuple.

    base and beta are (None,) where the problem is plain; `file` is absolute.
    """

    required: ClassVar = {"problem": 'problem = "softmax"', "dtype": 'dtype = "float32"'}

    problem: Problems = Field(description="the problems, by name")
    dtype: Dtypes = Field(description="number formats of inputs, arithmetic and results")

    @model_validator(mode="wrap")
    @classmethod
    def _keys_together(
        cls, keys: object, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        """Rules between keys come after the keys; mistaken keys do not hide those of the rest."""
        check_found(info)
        try:
            sweep = handler(keys)
        except ValidationError as error:
            mistakes = at((), error)
            mistaken = {str(mistake.key[0]) for mistake in mistakes if mistake.key}
            if isinstance(keys, dict):
                rest = {key: value for key, value in keys.items() if key not in mistaken}
                known = Settings.model_validate(rest, context=info.context)
                mistakes += broken(known, unsure=mistaken)
            raise found(mistakes, info) from None
        if mistakes := broken(sweep):
            raise found(mistakes, info)
        return sweep


def cases(sweep: Sweep) -> int:
    """How many points the sweep's grid has, formulas counted; nothing is built."""
    return _without_inputs(sweep) * _inputs(sweep)


def logits(sweep: Sweep) -> int:
    """How many numbers the sweep's formulas see: n times samples (times batch) for each case."""
    generated = len(set(GENERATED) & set(sweep.distribution))
    total = sum(map(len, sweep.vectors))
    if generated:
        total += generated * len(sweep.magnitude) * len(sweep.offset) * sum(sweep.n)
    rows = sweep.batch if {"mean", "sum"} & set(sweep.reduction) else 1
    return _without_inputs(sweep) * total * sweep.samples * rows


def _inputs(sweep: Sweep) -> int:
    """How many settings the logits are drawn at."""
    generated = len(set(GENERATED) & set(sweep.distribution))
    drawn = generated * len(sweep.n) * len(sweep.magnitude) * len(sweep.offset)
    return drawn + len(sweep.vectors) + (sweep.file is not None)


def _without_inputs(sweep: Sweep) -> int:
    """How many ways there are to compute with one input."""
    axes = (sweep.dtype, sweep.base, sweep.beta, sweep.masked)
    ways = (
        _ways(sweep, PROBLEMS[name], arithmetic)
        for name in sweep.problem
        for arithmetic in sweep.arithmetic
    )
    return sum(ways) * prod(map(len, axes))


def _ways(sweep: Sweep, problem: Problem, arithmetic: str) -> int:
    """Formulas of one problem in one arithmetic, each with its sums, labels and reductions."""
    given = {key: 1.0 for key in ("base", "beta") if getattr(sweep, key) != (None,)}
    count = len(chosen(problem.name, arithmetic, sweep.formula, given))
    labels = len(sweep.target) * len(sweep.labels) if problem.labels else 1
    reductions = len(sweep.reduction) * len(sweep.ignored) if problem.reductions else 1
    return count * len(accumulations(sweep, arithmetic)) * labels * reductions


def accumulations(sweep: Sweep, arithmetic: str) -> tuple[str, ...]:
    """The accumulations of an arithmetic: those named that it knows, or its usual one."""
    named = tuple(name for name in sweep.accumulation if adds(arithmetic, name))
    return named or (usual(arithmetic),)
