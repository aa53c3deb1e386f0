"""What a figure runs along: the magnitude, the number n of logits, or their offset."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fpstudy.report.numbers import magnitude as magnitude_text
from fpstudy.report.variants import in_order

Floats = NDArray[np.float64]

EVEN = 4  # values that show whether they are evenly spaced
MOST_TICKS = 5  # with a label, between the ends of an axis


@dataclass(frozen=True)
class Axis:
    """A column of summary and record that a figure can run along.

    symbol: how a value is introduced, "M = 10"
    rows:   the column with a row of panels for each of its values
    least:  values that a sweep has at least to be worth a figure
    stem:   how the file of its error curves begins
    """

    column: str
    symbol: str
    rows: str
    least: int
    stem: str

    def text(self, value: float) -> str:
        """A value as on the axis: a whole number of logits, three digits of all else."""
        return str(int(value)) if self.column == "n" else magnitude_text(float(value))

    def quantity(self, part: pd.DataFrame) -> str:
        """What the axis is of, in a word or two; two distributions make M the top-class gap."""
        if self.column == "magnitude" and set(part["distribution"]) <= set(GAPS):
            return "top-class gap"
        return self.column

    def title(self, part: pd.DataFrame) -> str:
        """The title of the axis; each distribution reads the magnitude in its own way."""
        if self.column == "n":
            return "number n of logits"
        if self.column == "offset":
            return "offset added to all logits"
        meanings = {READ.get(name) for name in in_order(part["distribution"])}
        (meaning, *others) = meanings
        if meaning and not others:
            return meaning
        return "top-class gap M" if set(part["distribution"]) <= set(GAPS) else "magnitude M"


GAPS: dict[str, str] = {
    "two_point": "top-class gap M (largest logit less the others)",
    "peaked": "top-class gap M (added to one of standard normal logits)",
}
READ: dict[str, str] = GAPS | {
    "normal": "magnitude M (standard deviation of the logits)",
    "uniform": "magnitude M (half-width of the logits' interval)",
    "equal": "magnitude M (value of every logit)",
}

MAGNITUDE = Axis("magnitude", symbol="M", rows="n", least=2, stem="error")
N = Axis("n", symbol="n", rows="magnitude", least=4, stem="against_n")
OFFSET = Axis("offset", symbol="offset", rows="n", least=4, stem="against_offset")
AXES: dict[str, Axis] = {axis.column: axis for axis in (MAGNITUDE, N, OFFSET)}


def swept_axes(part: pd.DataFrame) -> list[Axis]:
    """The axes that one distribution at least is swept along for a figure, the magnitude first."""
    groups = part.groupby("distribution")
    return [axis for axis in AXES.values() if groups[axis.column].nunique().max() >= axis.least]


Place = Callable[[Floats], Floats]


def places(values: Sequence[float]) -> Place:
    """Where numbers stand on the axis of these values: at log x, if all of them are positive.

    Four or more that are evenly spaced stand so, at x. Otherwise they stand about 0, at
    sign(x) log10(1 + |x| / t) with t the least |value| that is not 0, or at x itself if that t is
    within two decades of the largest.
    """
    x = np.unique(np.asarray(values, dtype=float))
    steps = np.diff(x)
    if len(x) >= EVEN and np.ptp(steps) <= 1e-6 * steps.max():
        return np.asarray
    if (x > 0).all():
        return np.log10
    size = np.abs(x[x != 0])
    if not len(size) or size.max() < 100 * size.min():
        return np.asarray
    t = size.min()
    return lambda x: np.sign(x) * np.log10(1 + np.abs(x) / t)


def ticks(axis: Axis, values: Sequence[float], most: int = MOST_TICKS) -> list[float]:
    """The numbers to label: decades, round numbers on an even axis, else values that were measured.

    most: labels that have room beside each other
    """
    low, high = min(values), max(values)
    place = places(values)
    if axis is MAGNITUDE and place is np.log10:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        step = math.ceil((last - first + 1) / most)
        decades = [10.0**d for d in range(first, last + 1, step)]
        inside = [x for x in decades if low * (1 - 1e-9) <= x <= high * (1 + 1e-9)]
        if len(inside) > 1:
            return inside
    measured = sorted(set(values))
    if place is np.asarray and len(measured) >= EVEN:
        found = MaxNLocator(most, steps=[1, 2, 5, 10], integer=axis is N).tick_values(low, high)
        return [float(x) for x in found if low <= x <= high]
    at = place(np.asarray(measured, dtype=float))
    apart = 0.95 * (at[-1] - at[0]) / most
    first = measured.index(0) if 0 in measured else 0  # 0 always has its label
    ends = [0, len(at) - 1] if low <= 0 else []
    chosen: list[int] = []
    for i in (first, *ends, *range(first, len(at)), *range(first - 1, -1, -1)):
        if all(abs(at[i] - at[j]) >= apart for j in chosen):
            chosen.append(i)
    return [measured[i] for i in sorted(chosen)]
