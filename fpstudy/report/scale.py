"""The axis of errors: decades, with a strip for what is not finite and a floor for zero."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ABOVE = 4  # decades above 1 that are shown at most: no digit is right there anyway
BELOW = 2  # decades below the unit roundoff: smaller errors are correctly rounded results


@dataclass(frozen=True)
class Scale:
    """log10 of the errors between 10**low and 10**high; what is beyond has its own place.

    under: whether errors below 10**low, zero among them, need the floor
    over:  whether finite errors above 10**high share the strip with those that are not finite
    """

    low: int
    high: int
    under: str
    over: bool

    @property
    def span(self) -> int:
        """The decades shown."""
        return self.high - self.low

    @property
    def strip(self) -> float:
        """Where the strip of what is not finite begins; it ends with the axis."""
        return self.high + 0.05 * self.span

    @property
    def end(self) -> float:
        """The upper end of the axis."""
        return self.high + 0.24 * self.span

    @property
    def floor(self) -> float:
        """Where errors under the scale stand."""
        return self.low - 0.11 * self.span

    @property
    def start(self) -> float:
        """The lower end of the axis."""
        return self.low - (0.18 if self.under else 0.05) * self.span

    def place(self, errors: Floats) -> Floats:
        """Positions of the errors; NaN for what belongs in the strip (and for what is missing)."""
        with np.errstate(divide="ignore"):
            x = np.log10(errors)
        x = np.where(errors < 10.0**self.low, self.floor, x)
        return np.where(errors <= 10.0**self.high, x, np.nan)

    def ticks(self, most: int) -> tuple[list[float], list[str]]:
        """Positions and labels: at most so many decades, the floor, the strip."""
        step = math.ceil((self.span + 1) / most)
        top = self.high - self.over  # the two lines of the strip's label take the room of one
        decades = [d for d in range(top, self.low - 1, -step) if d > self.low or not self.under]
        places = [*map(float, decades), (self.strip + self.end) / 2]
        labels = [f"1e{d}" if d else "1" for d in decades]
        labels.append(f"> 1e{self.high} or\nnot finite" if self.over else "not finite")
        if self.under:
            places.append(self.floor)
            labels.append(self.under)
        return places, labels


def scale(errors: Floats, unit_roundoff: float) -> Scale:
    """A scale that holds the unit roundoff and the finite errors, as far as they say something."""
    u = math.log10(unit_roundoff)
    finite = errors[np.isfinite(errors) & (errors > 0)]
    shown = np.log10(finite) if len(finite) else np.array([u])
    low = math.floor(max(min(shown.min(), u), u - BELOW))
    high = min(max(math.ceil(max(shown.max(), u)), low + 3), ABOVE)
    under = bool((finite < 10.0**low).any())
    floor = f"< 1e{low}" if under else "0" if bool((errors == 0).any()) else ""
    return Scale(low, high, floor, over=bool((finite > 10.0**high).any()))
