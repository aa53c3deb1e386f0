"""A study's grid: draws of logits, what is asked of each, and the cases that answer.

A Draw is one array of logits; a Demand adds labels and parameters, and has one truth; a Case is
one formula in one dtype and arithmetic, one line of the summary.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from fpstudy.arithmetic.evaluators import chosen
from fpstudy.distributions import DETERMINISTIC
from fpstudy.formats import Floats, Format
from fpstudy.logit_files import file_logits
from fpstudy.problems import PROBLEMS
from fpstudy.study import Study, Sweep
from fpstudy.study_file.entries import TARGETED
from fpstudy.study_file.mistakes import suggest
from fpstudy.study_file.sweep import accumulations


@dataclass(frozen=True)
class Draw:
    """Samples of logits before labels: all that the random numbers depend on, and the rounding.

    formats: those whose common values the logits are rounded to; one for "per_dtype"
    rows:    rows of a batch loss; 1 without one
    sha256:  of the file, where there is one
    """

    seed: int
    distribution: str
    n: int
    magnitude: float
    offset: float
    masked: float
    rows: int
    samples: int
    inputs: str
    formats: tuple[Format, ...]
    vector: tuple[float, ...] | None = None
    file: Path | None = None
    sha256: str = field(default="", repr=False)  # repr is what random streams and keys are of


@dataclass(frozen=True)
class Demand:
    """A problem on a draw: labels and parameters included, so one truth. "" where not applicable.

    label_values: the labels of an explicit label vector
    """

    draw: Draw
    problem: str
    base: float | None
    beta: float | None
    target: str
    labels: str
    label_values: tuple[float, ...] | None
    reduction: str
    ignored: float
    ignore_index: int

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters given, as asked for (not yet rounded)."""
        pairs = (("base", self.base), ("beta", self.beta))
        return {name: value for name, value in pairs if value is not None}

    @property
    def samples(self) -> int:
        """How many samples: one where nothing about them is random."""
        draw = self.draw
        random = not (draw.vector or draw.file or draw.distribution in DETERMINISTIC)
        random |= 0 < round(draw.masked * draw.n) < draw.n
        random |= (self.target == "random" and draw.n > 1) or self.labels == "soft"
        random |= 0 < self.ignored < 1
        return draw.samples if random or draw.file else 1


@dataclass(frozen=True)
class Case:
    """One formula of a demand, in one format, arithmetic and accumulation."""

    demand: Demand
    formula: str
    format: Format
    arithmetic: str
    accumulation: str
    tolerance: float

    @property
    def axes(self) -> dict[str, object]:
        """The case's columns in record and summary, in their order."""
        demand, draw = self.demand, self.demand.draw
        return {
            "problem": demand.problem,
            "formula": self.formula,
            "dtype": self.format.name,
            "arithmetic": self.arithmetic,
            "accumulation": self.accumulation,
            "n": draw.n,
            "distribution": draw.distribution,
            "magnitude": draw.magnitude,
            "offset": draw.offset,
            "base": np.nan if demand.base is None else demand.base,
            "beta": np.nan if demand.beta is None else demand.beta,
            "target": demand.target,
            "labels": demand.labels,
            "reduction": demand.reduction,
            "batch": draw.rows,
            "ignored": demand.ignored,
            "masked": draw.masked,
            "inputs": draw.inputs,
            "samples": demand.samples,
        }


def expand(study: Study) -> list[Case]:
    """All cases of a study, problem by problem; what two sweeps ask alike is one case."""
    found: dict[Case, None] = {}
    for sweep in study.sweep:
        found.update(dict.fromkeys(_of_sweep(study, sweep)))
    return list(found)


def select(cases: list[Case], only: dict[str, set[str]]) -> list[Case]:
    """The cases whose columns have the given texts, such as {"dtype": {"float16"}}.

    A text stands for a number where it is one: "1000" and "1e3" select magnitude 1000.0.
    """
    return [
        case
        for case in cases
        if all(_is_one_of(case.axes[column], texts) for column, texts in only.items())
    ]


def selection(only: Mapping[str, Any] | None) -> dict[str, set[str]]:
    """A selection as texts: {"dtype": "float16", "n": [10, 100]}, a value or several a column.

    Raises ValueError for a column that is none of a case's axes.
    """
    chosen = {}
    for column, wanted in (only or {}).items():
        if column not in AXES:
            hint = suggest(str(column), AXES) or f"; there are {', '.join(AXES)}"
            raise ValueError(f"only: no column {column!r}{hint}")
        several = hasattr(wanted, "__iter__") and not isinstance(wanted, str)
        chosen[column] = {str(value) for value in (wanted if several else [wanted])}
    return chosen


def _is_one_of(value: object, texts: set[str]) -> bool:
    if str(value) in texts:
        return True
    return isinstance(value, (int, float)) and any(_is_number(value, text) for text in texts)


def _is_number(value: float, text: str) -> bool:
    """Whether the text is the number, or a fraction of three digits or more that it rounds to.

    So 0.316 and 0.316228, as reports and plans print it, are 10 ** -0.5.
    """
    try:
        number = float(text)
    except ValueError:
        return False
    mantissa = text.lower().partition("e")[0].strip("+-")
    digits = len(mantissa.replace(".", "").lstrip("0"))
    near = "." in mantissa and digits >= 3 and f"{value:.{digits}g}" == f"{number:.{digits}g}"
    return value == number or near


def _of_sweep(study: Study, sweep: Sweep) -> Iterator[Case]:
    ways = [(a, sums) for a in sweep.arithmetic for sums in accumulations(sweep, a)]
    for name in sweep.problem:
        for demand in _demands(study, sweep, name):
            formats = [study.formats[dtype] for dtype in sweep.dtype]
            if demand.draw.inputs == "per_dtype":
                formats = list(demand.draw.formats)
            for (arithmetic, sums), f in product(ways, formats):
                for formula in chosen(name, arithmetic, sweep.formula, demand.parameters):
                    yield Case(demand, formula, f, arithmetic, sums, sweep.tolerance)


def _demands(study: Study, sweep: Sweep, name: str) -> Iterator[Demand]:
    problem = PROBLEMS[name]
    reductions = sweep.reduction if problem.reductions else ("none",)
    bases = sweep.base if "base" in problem.parameters else (None,)
    betas = sweep.beta if "beta" in problem.parameters else (None,)
    for reduction in reductions:
        rows = sweep.batch if reduction != "none" else 1
        ignored_axis = sweep.ignored if reduction != "none" else (0.0,)
        for draw, base, beta, (target, labels, values), ignored in product(
            _draws(study, sweep, rows),
            bases,
            betas,
            _labels(sweep) if problem.labels else [("", "", None)],
            ignored_axis,
        ):
            yield Demand(
                draw, name, base, beta, target, labels, values,
                reduction if problem.reductions else "", ignored, sweep.ignore_index,
            )  # fmt: skip


def _labels(sweep: Sweep) -> list[tuple[str, str, tuple[float, ...] | None]]:
    """(target, labels, explicit values); only hard and smoothed labels have a target."""
    found: dict[tuple[str, str, tuple[float, ...] | None], None] = {}
    for number, labels in enumerate(sweep.labels):
        if not isinstance(labels, str):
            found["", f"explicit[{number}]", labels] = None
        elif labels in TARGETED:
            found.update({(str(target), labels, None): None for target in sweep.target})
        else:
            found["", labels, None] = None
    return list(found)


def _draws(study: Study, sweep: Sweep, rows: int) -> Iterator[Draw]:
    known = tuple(study.formats[dtype] for dtype in sweep.dtype)
    roundings = [known] if sweep.inputs == "shared" else [(f,) for f in known]
    for formats, distribution, offset, masked in product(
        roundings, sweep.distribution, sweep.offset, sweep.masked
    ):
        shared = Draw(
            study.seed, distribution, 1, 0.0, offset, masked, rows, sweep.samples, sweep.inputs,
            formats,
        )  # fmt: skip
        yield from _sized(sweep, shared)


def _sized(sweep: Sweep, draw: Draw) -> Iterator[Draw]:
    """The draw at every length and magnitude, those of the given logits where they are given."""
    if draw.distribution == "file":
        assert sweep.file is not None  # the study's validation saw to it
        held = file_logits(sweep.file)
        x = held.x
        rows = len(x) if draw.rows > 1 else 1  # the whole file is one batch
        yield replace(
            draw, distribution=f"file:{sweep.file.name}", n=x.shape[1], magnitude=_size(x),
            rows=rows, samples=len(x) // rows, file=sweep.file, sha256=held.sha256,
        )  # fmt: skip
    elif draw.distribution == "explicit":
        for number, vector in enumerate(sweep.vectors):
            size = _size(np.asarray(vector))
            label = f"explicit[{number}]"
            yield replace(draw, distribution=label, n=len(vector), magnitude=size, vector=vector)
    else:
        for n, magnitude in product(sweep.n, sweep.magnitude):
            yield replace(draw, n=n, magnitude=magnitude)


def _size(x: Floats) -> float:
    """The largest finite |logit|, the magnitude of logits that are given as they are."""
    finite = np.abs(x[np.isfinite(x)])
    return float(finite.max()) if finite.size else 0.0


AXES: tuple[str, ...] = (
    "problem", "formula", "dtype", "arithmetic", "accumulation", "n", "distribution", "magnitude",
    "offset", "base", "beta", "target", "labels", "reduction", "batch", "ignored", "masked",
    "inputs", "samples",
)  # fmt: skip
