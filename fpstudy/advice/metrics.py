"""What a tolerance can be asked in: a number for every sample, of which the worst counts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fpstudy.errors import SampleErrors
from fpstudy.formats import Floats


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
    values: Callable[[SampleErrors], Floats]
    distribution: bool = False
    share: bool = False

    def over(self, errors: SampleErrors) -> float:
        """The metric over all samples; NaN where none has an exact value."""
        values = self.values(errors)
        known = values[~np.isnan(values)]
        if not known.size:
            return float("nan")
        return float(known.mean() if self.share else known.max())


METRICS: tuple[Metric, ...] = (
    Metric("relative_error", "tolerance", "relative error", lambda e: e.relative),
    Metric("ulp_error", "ulp", "error in ulps of the dtype", lambda e: e.ulps),
)
