"""What a tolerance can be asked in: a number for every sample, of which the worst counts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fpstudy.divergences import Divergences
from fpstudy.errors import SampleErrors
from fpstudy.formats import Floats
from fpstudy.problems import Problem


@dataclass(frozen=True)
class Scores:
    """What results are scored by: their errors and, of probability distributions, divergences."""

    errors: SampleErrors
    divergences: Divergences | None


@dataclass(frozen=True)
class Metric:
    """A measure of the error of a sample.

    name:         as the columns of a record have it
    option:       as a user asks for it
    words:        what it is
    values:       (samples,) of the scores; infinite where a failure has no size
    distribution: whether it is one of probability distributions, so of softmax alone
    share:        whether the samples are counted (the share for which it is 1), not the worst taken
    """

    name: str
    option: str
    words: str
    values: Callable[[Scores], Floats]
    distribution: bool = False
    share: bool = False

    def over(self, scores: Scores) -> float:
        """The metric over all samples; NaN where none has an exact value."""
        values = self.values(scores)
        known = values[~np.isnan(values)]
        if not known.size:
            return float("nan")
        return float(known.mean() if self.share else known.max())


def _of_distributions(name: str) -> Callable[[Scores], Floats]:
    return lambda scores: np.asarray(getattr(scores.divergences, name), dtype=np.float64)


METRICS: tuple[Metric, ...] = (
    Metric("relative_error", "tolerance", "relative error", lambda s: s.errors.relative),
    Metric("ulp_error", "ulp", "error in ulps of the dtype", lambda s: s.errors.ulps),
    *(
        Metric(name, option, words, _of_distributions(name), True, name == "top1_flip")
        for name, option, words in (
            ("sum_error", "sum_error", "distance of the sum from 1"),
            ("total_variation", "total_variation", "total variation distance"),
            ("kl_divergence", "kl", "Kullback-Leibler divergence in nats"),
            ("mass_lost", "mass_lost", "probability of classes that become 0"),
            ("top1_flip", "top1_flips", "another class on top"),
        )
    ),
)


def metrics_of(problem: Problem) -> list[Metric]:
    """The metrics that the problem's results have."""
    return [metric for metric in METRICS if problem.distribution or not metric.distribution]
