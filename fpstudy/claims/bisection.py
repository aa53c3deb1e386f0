"""Where a trouble begins among the positive numbers of a dtype, to the bit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpstudy.claims.computed import extreme, number_of, pattern
from fpstudy.formats import Floats

PROBES = 64  # further numbers on either side: bisection alone takes the trouble to begin once

Troubled = Callable[[Floats], NDArray[np.bool_]]  # at each number M of the dtype


@dataclass(frozen=True)
class Found:
    """Where a trouble begins.

    bits:   pattern of the largest number M without it; None where no M has it, -1 where M = 0 has
    steady: whether no probe below has it and every probe above has it
    """

    bits: int | None
    steady: bool


def last_without(trouble: Troubled, dtype: str) -> Found:
    """Bisection over the bit patterns from M = 0 to the largest number of the dtype."""

    def troubled(*bits: int) -> NDArray[np.bool_]:
        return trouble(np.asarray([float(number_of(b, dtype)) for b in bits]))

    low, high = 0, pattern(extreme(dtype, "largest"), dtype)
    top = high
    if troubled(low)[0]:
        return Found(-1, steady=False)
    if not troubled(high)[0]:
        return Found(None, steady=not troubled(*_spread(low, high)).any())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if troubled(middle)[0] else (middle, high)
    below, above = _spread(0, low), _spread(high, top)
    return Found(low, bool(not troubled(*below).any() and troubled(*above).all()))


def _spread(low: int, high: int) -> list[int]:
    """Some integers from low to high, both included."""
    return sorted({low + (high - low) * k // (PROBES - 1) for k in range(PROBES)})
