"""A study's cases as tasks, one for each draw of logits; and how much of it mpmath recomputes."""

import math

from fpstudy.cases import Case, Demand, Draw
from fpstudy.measurement import Task
from fpstudy.study import Study
from fpstudy.user_code import NO_CODE, Code

# To witness a logit takes 75 to 100 microseconds, all else about one (benchmarks/large_sweep.md).
# So all truths of a study of so many logits are witnessed; of a larger one a random part of about
# so many, and of one in a thousand, which takes at most a tenth of the time of a large study. Every
# demand gets the same part of that, so that short vectors are not lost beside long ones.
ALL_WITNESSED = 8_000
WITNESSED_LOGITS, WITNESSED_SHARE = 5_000, 1 / 1000
# The first sample of each problem's shortest vectors is witnessed by all means, up to this length:
# a second or two.
ONE_WITNESSED = 2**17


def tasks(study: Study, cases: list[Case], code: Code = NO_CODE) -> list[Task]:
    """The cases by draw, in the order of their first case; numbered as they stand in `cases`."""
    draws: dict[Draw, list[tuple[int, Case]]] = {}
    for number, case in enumerate(cases):
        draws.setdefault(case.demand.draw, []).append((number, case))
    asked, demands = truth_logits(cases), len({case.demand for case in cases})
    part = (WITNESSED_LOGITS + WITNESSED_SHARE * asked) / max(1, demands)
    part = math.inf if asked <= ALL_WITNESSED else part
    sure = _surely_witnessed(cases)
    return [
        Task(draw, tuple(group), study.engine, part, sure, code) for draw, group in draws.items()
    ]


def _surely_witnessed(cases: list[Case]) -> frozenset[Demand]:
    """For each problem the first demand with the fewest logits a sample, if they are not many."""
    shortest: dict[str, Demand] = {}
    for case in cases:
        demand = case.demand
        known = shortest.setdefault(demand.problem, demand)
        if _length(demand) < _length(known):
            shortest[demand.problem] = demand
    return frozenset(d for d in shortest.values() if _length(d) <= ONE_WITNESSED)


def _length(demand: Demand) -> int:
    return demand.draw.n * demand.draw.rows


def truth_logits(cases: list[Case]) -> int:
    """Logits that need a truth, each demand's counted once."""
    demands = {case.demand for case in cases}
    return sum(d.draw.n * d.draw.rows * d.samples for d in demands)
