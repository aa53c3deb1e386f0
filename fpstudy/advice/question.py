"""What is asked: a problem on logits, limits on its error, and the candidates to try.

The error that the limits speak of is that of the computed result against the exact result at the
logits as they arrive, so what storing them in a candidate's dtype costs is in it. Logits that are
in a narrow format already (`arrives_in`) lose nothing by being stored in it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from fpstudy.advice.candidate import Candidate, candidate, narrows
from fpstudy.advice.metrics import METRICS, Metric
from fpstudy.arithmetic import EVALUATORS
from fpstudy.arithmetic.evaluators import chosen, formulas
from fpstudy.cases import Case, Demand, Draw, expand
from fpstudy.formats import FORMATS, Floats, Format
from fpstudy.problems import PROBLEMS
from fpstudy.samples import on_given
from fpstudy.study import StudyError, from_keys
from fpstudy.user_code import is_code

# So many logits in all unless the samples are given: a few seconds for some thirty candidates.
LOGITS = 2**20
LEAST_SAMPLES, MOST_SAMPLES = 8, 256
GIVEN_LOGITS = 2**22  # of logits that are given; of more the rows that are tried are spread evenly
# A choice is confirmed on so many times as many samples, or more where that takes few logits: what
# is rare, such as a log-sum-exp near 0, whose relative error has no bound, shows in many only.
FRESH = 4
MOST_FRESH = 2**14
SLOWER = 8  # rounded arithmetic takes at least so many times as long
DEFAULT = ("tolerance", 1e-3)  # where no limit is given
DRAWN = {"n": 10, "magnitude": 1.0, "distribution": "normal", "offset": 0.0, "masked": 0.0}
ONE_OF = (*DRAWN, "target", "labels", "base", "beta")


@dataclass(frozen=True)
class Limit:
    """The largest value of a metric that is accepted."""

    metric: Metric
    value: float

    def excess(self, found: float) -> float:
        """found / value: at most 1 where the limit is met, else infinite if it is 0.

        Infinite too where there is no exact value to hold results against: nothing is met then.
        """
        if math.isnan(found):
            return math.inf
        if self.value == 0:
            return 0.0 if found == 0 else math.inf
        return found / self.value


@dataclass(frozen=True)
class Question:
    """A question that was checked.

    cases:   one for each candidate, on logits rounded to its own dtype
    limits:  all of which are to be met
    arrives: the format of the logits as they arrive
    x:       (rows, n), the logits, where they are given and not drawn
    given:   how many rows were given, of which x has those that are tried
    """

    problem: str
    cases: tuple[Case, ...]
    limits: tuple[Limit, ...]
    arrives: Format
    x: Floats | None
    given: int

    @property
    def demand(self) -> Demand:
        """The demand before anything is stored: labels and parameters are float64's."""
        demand = self.cases[0].demand
        return replace(demand, draw=replace(demand.draw, formats=(FORMATS["float64"],)))

    @property
    def random(self) -> bool:
        """Whether fresh samples can be drawn, unlike those before."""
        two = replace(self.demand, draw=replace(self.demand.draw, samples=2))
        return self.x is None and two.samples > 1

    def case(self, of: Candidate) -> Case:
        """The case that tries a candidate."""
        return next(case for case in self.cases if candidate(case) == of)

    def fresh(self, cases: Sequence[Case]) -> "Question":
        """The same question of these candidates, on many more samples of another seed."""
        draw = self.demand.draw
        slow = any(case.arithmetic == "rounded" for case in cases)
        logits = LOGITS // SLOWER if slow else LOGITS
        more = max(FRESH * draw.samples, min(logits // draw.n, MOST_FRESH))
        draw = replace(draw, seed=draw.seed + 1, samples=more)
        return replace(self, cases=tuple(_on(draw, case) for case in cases))


def _on(draw: Draw, case: Case) -> Case:
    """The case on another draw, rounded to its own format."""
    own = replace(draw, formats=case.demand.draw.formats)
    return replace(case, demand=replace(case.demand, draw=own))


def question(
    problem: str, x: Floats | None, limits: Mapping[str, float | None], settings: Mapping[str, Any]
) -> Question:
    """A question, checked; raises StudyError with a line for every mistake.

    limits:   by option; None where it is not given
    settings: dtypes, arithmetic, accumulation, formula, compute, arrives_in, samples, seed, and the
              keys of a [[sweep]] that draw logits and labels
    """
    given = 0 if x is None else len(x)
    x = None if x is None else _spread(x, settings["samples"])
    lines = [*_unknown_limits(problem, limits), *_unknown_settings(settings)]
    lines += [f"{key}: the logits are given, not drawn" for key in _idle(x, settings)]
    cases: list[Case] = []
    try:
        cases = expand(from_keys(_keys(problem, x, settings)))
    except StudyError as error:
        lines += [_as_option(line) for line in str(error).splitlines()]
    if len({replace(c.demand, draw=replace(c.demand.draw, formats=())) for c in cases}) > 1:
        lines.append(f"one question at a time: want one value of each of {', '.join(ONE_OF)}")
    if lines:
        raise StudyError(dict.fromkeys(lines))
    tried = [replace(c, demand=on_given(c.demand, x)) for c in cases if not narrows(c)]
    if not tried:
        raise StudyError(["formula: every candidate computes in a format narrower than its dtype"])
    asked = _limits(limits)
    return Question(problem, tuple(tried), asked, FORMATS[settings["arrives_in"]], x, given)


def _spread(x: Floats, samples: object) -> Floats:
    """As many rows as are asked for, or as can be tried in a few seconds, spread evenly."""
    rows = samples if isinstance(samples, int) and samples > 0 else GIVEN_LOGITS // x.shape[1]
    count = min(len(x), max(rows, 1))
    spread: Floats = x[np.arange(count) * len(x) // count]
    return spread


def _limits(given: Mapping[str, float | None]) -> tuple[Limit, ...]:
    known = {metric.option: metric for metric in METRICS}
    asked = [(name, float(value)) for name, value in given.items() if value is not None]
    return tuple(Limit(known[name], value) for name, value in asked or [DEFAULT])


def _unknown_limits(problem: str, given: Mapping[str, float | None]) -> Iterator[str]:
    for metric in METRICS:
        value = given.get(metric.option)
        if value is None:
            continue
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value < math.inf:
            yield f"{metric.option}: want a number of at least 0, got {value!r}"
        elif metric.share and value > 1:
            yield f"{metric.option}: want a share of the samples, 0 to 1, got {value!r}"
        elif metric.distribution and problem in PROBLEMS and not PROBLEMS[problem].distribution:
            such = ", ".join(name for name, known in PROBLEMS.items() if known.distribution)
            yield f"{metric.option}: {problem} gives no distribution; only {such} does"


def _unknown_settings(settings: Mapping[str, Any]) -> Iterator[str]:
    known = ", ".join(FORMATS)
    if str(settings["arrives_in"]) not in FORMATS:
        yield f"arrives_in: {settings['arrives_in']!r} is not a dtype; known: {known}"
    for name in _names(settings["compute"]):
        if name not in (*FORMATS, "same"):
            yield f"compute: {name!r} is not a dtype; known: {known}"
    for name in filter(is_code, _names(settings["formula"])):
        yield f"formula: {name!r} is code: fpstudy.measure scores a function of your own"


def _idle(x: Floats | None, settings: Mapping[str, Any]) -> list[str]:
    """Settings of drawn logits that stand beside given ones."""
    if x is None:
        return []
    return [key for key, usual in DRAWN.items() if settings[key] != usual]


def _keys(problem: str, x: Floats | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The study whose cases are the candidates."""
    given = ("arithmetic", "accumulation", "distribution", "magnitude", "n", "offset", "masked",
             "target", "labels", "base", "beta", "samples")  # fmt: skip
    sweep = {key: settings[key] for key in given if settings[key] is not None}
    sweep |= {"problem": problem, "dtype": settings["dtypes"], "inputs": "per_dtype"}
    if x is not None:
        sweep |= {"n": x.shape[1], "samples": sweep.get("samples", 1)}
    elif "samples" not in sweep:
        n = sweep["n"] if isinstance(sweep["n"], int) and sweep["n"] > 0 else 1
        sweep["samples"] = min(max(LOGITS // n, LEAST_SAMPLES), MOST_SAMPLES)
    if problem in PROBLEMS:
        sweep["formula"] = _formulas(problem, settings)
        if not PROBLEMS[problem].labels:
            sweep = {k: v for k, v in sweep.items() if k not in ("target", "labels")}
    return {"schema": 1, "name": "advise", "seed": settings["seed"], "sweep": [sweep]}


def _formulas(problem: str, settings: Mapping[str, Any]) -> list[str]:
    """The formulas asked for, each computing in its own format and in the wider ones."""
    names = dict.fromkeys(_names(settings["formula"]))
    if "all" in names:
        given = {k: 1.0 for k in ("base", "beta") if settings[k] is not None}
        names = {}
        for arithmetic in set(EVALUATORS) & set(_names(settings["arithmetic"])):
            names |= dict.fromkeys(chosen(problem, arithmetic, ("all",), given))
            if arithmetic != "numpy" and "library" in formulas(problem, arithmetic) and not given:
                names["library"] = None
    found: dict[str, None] = {}
    for compute in _names(settings["compute"]):
        for name in names:
            found[name if compute == "same" else _computing(name, compute)] = None
    return list(found)


def _computing(name: str, compute: str) -> str:
    if ":" in name or "compute=" in name:
        return name
    return f"{name[:-1]},compute={compute}]" if name.endswith("]") else f"{name}[compute={compute}]"


def _names(value: object) -> list[str]:
    entries = list(value) if isinstance(value, Sequence | Set) else [value]
    return [str(value)] if isinstance(value, str) else list(map(str, entries))


def _as_option(line: str) -> str:
    """A study's mistake as one of the question: "sweep[1].dtype[2]: ..." speaks of dtypes."""
    path, colon, sentence = line.partition(": ")
    key = path.removeprefix("sweep[1].").partition("[")[0]
    return f"{'dtypes' if key == 'dtype' else key}{colon}{sentence}"
