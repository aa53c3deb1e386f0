"""Goals: what a figure was meant to be, and by how much it misses it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.turns import figure, spread


@dataclass(frozen=True)
class Goal:
    """A goal set and a stretch beyond it; where least, a figure is to be below them."""

    set: float
    stretch: float | None = None
    least: bool = False

    def met(self, value: float, goal: float) -> bool:
        """value >= goal; where least, value <= goal."""
        return value <= goal if self.least else value >= goal

    def verdict(self, value: float) -> str:
        """Which of the two the value meets, and how far it is from the other."""
        if not self.met(value, self.set):
            return f"**missed**: {_distance(value, self.set)} the goal"
        if self.stretch is None or self.stretch == self.set:
            return "met"
        if not self.met(value, self.stretch):
            return f"met; {_distance(value, self.stretch)} the stretch"
        return "met, stretch too"

    def __str__(self) -> str:
        sign = "<=" if self.least else ">="
        beyond = "" if self.stretch in (None, self.set) else f" / {self.stretch:g}"
        return f"{sign} {self.set:g}{beyond}"


def _distance(value: float, goal: float) -> str:
    return f"{figure(100 * value / goal, 2)}% of" if goal else f"{figure(value)} beyond"


@dataclass(frozen=True)
class Figure:
    """A measured figure with a goal: one value for each round; the median is what counts."""

    what: str
    values: Sequence[float]
    goal: Goal
    unit: str = ""

    @property
    def verdict(self) -> str:
        """How the median stands to the goal."""
        return self.goal.verdict(median(self.values))

    @property
    def missed(self) -> bool:
        """Whether the median misses the goal set."""
        return not self.goal.met(median(self.values), self.goal.set)

    @property
    def row(self) -> list[str]:
        """What, goal, median and range, verdict."""
        unit = f" {self.unit}" if self.unit else ""
        return [self.what, f"{self.goal}{unit}", f"{spread(self.values)}{unit}", self.verdict]


GOALS_HEADER = ["figure", "goal (set / stretch)", "median (range of the rounds)", ""]
