"""What a figure runs along: the magnitude, the number n of logits, or their offset."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fpstudy.report.numbers import magnitude as magnitude_text
from fpstudy.report.variants import MEANING, in_order

Floats = NDArray[np.float64]

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

    def title(self, part: pd.DataFrame) -> str:
        """The title of the axis; each distribution reads the magnitude in its own way."""
        if self.column == "n":
            return "number n of logits"
        if self.column == "offset":
            return "offset of all logits"
        meanings = {MEANING.get(name) for name in in_order(part["distribution"])}
        (meaning, *others) = meanings
        note = f" ({meaning})" if meaning and not others else ""
        return f"magnitude M of the logits{note}"


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

    Otherwise about 0, at sign(x) log10(1 + |x| / t) with t the least |value| that is not 0, or at x
    itself if that t is within two decades of the largest.
    """
    x = np.asarray(values, dtype=float)
    if (x > 0).all():
        return np.log10
    size = np.abs(x[x != 0])
    if not len(size) or size.max() < 100 * size.min():
        return np.asarray
    t = size.min()
    return lambda x: np.sign(x) * np.log10(1 + np.abs(x) / t)


def ticks(axis: Axis, values: Sequence[float]) -> list[float]:
    """The numbers to label: decades of a positive magnitude, else values that were measured."""
    low, high = min(values), max(values)
    if axis is MAGNITUDE and low > 0:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        step = math.ceil((last - first + 1) / MOST_TICKS)
        decades = [10.0**d for d in range(first, last + 1, step)]
        inside = [x for x in decades if low * (1 - 1e-9) <= x <= high * (1 + 1e-9)]
        if len(inside) > 1:
            return inside
    measured = sorted(set(values))
    at = places(values)(np.asarray(measured, dtype=float))
    apart = (1 - 1e-9) * (at[-1] - at[0]) / MOST_TICKS
    first = measured.index(0) if 0 in measured else 0  # 0 always has its label
    chosen: list[int] = []
    for i in (*range(first, len(at)), *range(first - 1, -1, -1)):
        if all(abs(at[i] - at[j]) >= apart for j in chosen):
            chosen.append(i)
    return [measured[i] for i in sorted(chosen)]
