"""The inputs of a problem: exact numbers, as float64, that every formula and the truth see."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpstudy.formats import Floats


@dataclass(frozen=True)
class Inputs:
    """What a problem is evaluated on; the first axis counts samples, the last is the vector.

    x:          logits, (samples, n), or (samples, rows, n) for a batch loss; what infinite ones
                mean is said in fpstudy.limits
    q:          labels in the shape of x, finite and at least 0; None for problems without labels
    parameters: {"base": b}, {"beta": v} or {}
    counted:    (samples, rows), False where a row's target is ignore_index; None without a batch
    reduction:  "none", or "mean" or "sum" over the rows of a batch
    """

    x: Floats
    q: Floats | None = None
    parameters: dict[str, float] = field(default_factory=dict)
    counted: NDArray[np.bool_] | None = None
    reduction: str = "none"

    @property
    def arrays(self) -> tuple[Floats, ...]:
        """The positional array arguments of the problem's texts."""
        return (self.x,) if self.q is None else (self.x, self.q)

    def take(self, samples: Any) -> "Inputs":
        """The inputs of some samples: an index array or a slice of the first axis."""
        q = None if self.q is None else self.q[samples]
        counted = None if self.counted is None else self.counted[samples]
        return Inputs(self.x[samples], q, self.parameters, counted, self.reduction)

    @property
    def rate(self) -> float:
        """The inverse temperature: beta, or log(b), as b**x = exp(x log(b)); 1 for neither."""
        base = self.parameters.get("base")
        return self.parameters.get("beta", 1.0) if base is None else math.log(base)

    @cached_property
    def largest(self) -> float:
        """The largest finite |logit|; 0 where there is none."""
        size = np.abs(self.x)
        largest = float(size.max(initial=0.0))
        return largest if largest < math.inf else float(size[np.isfinite(size)].max(initial=0.0))

    @cached_property
    def infinite(self) -> NDArray[np.bool_]:
        """(samples,): whether a sample holds an infinite logit or parameter."""
        rows = np.isinf(self.x).reshape(len(self.x), -1).any(axis=1)
        everywhere = any(math.isinf(value) for value in self.parameters.values())
        return np.asarray(rows | everywhere)
