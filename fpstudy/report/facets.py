"""What a page can be filtered by: the problems, dtypes, formulas and arithmetics of its study.

Each value has a short key, "d2" for the third dtype, by which a row says what it tells of. A row
without any key of a facet says nothing about it, and no choice in that facet hides it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from fpstudy.report.drawing import Drawing
from fpstudy.report.variants import computed_by, dtype_order, in_order, with_variants

NAMES: tuple[str, ...] = ("problem", "dtype", "formula", "arithmetic")


@dataclass(frozen=True)
class Facets:
    """The values of each facet, by the facet's name, in the order of the study."""

    values: Mapping[str, tuple[str, ...]]

    @property
    def offered(self) -> dict[str, dict[str, str]]:
        """The facets with a choice to make: their values, each with its key."""
        return {
            name: {value: self._key(name, value) for value in values}
            for name, values in self.values.items() if len(values) > 1
        }  # fmt: skip

    def keys(self, **told: Iterable[str]) -> str:
        """The keys of the values that something tells of, by facet; unknown values have none."""
        return " ".join(
            self._key(name, value)
            for name, values in told.items()
            for value in dict.fromkeys(map(str, values))
            if value in self.values[name]
        )

    def keys_of(self, drawing: Drawing) -> str:
        """Those of a figure: its problem's, and those of every value that is a cell of its data."""
        cells = {cell for row in drawing.data.rows for cell in row} if drawing.data else set()
        told = {name: [v for v in self.values[name] if v in cells] for name in NAMES[1:]}
        return self.keys(problem=[drawing.problem], **told)

    def _key(self, name: str, value: str) -> str:
        return f"{name[0]}{self.values[name].index(value)}"


def facets_of(summary: pd.DataFrame) -> Facets:
    """The facets of a study's summary; an arithmetic is named with its accumulation."""
    cases = with_variants(summary)
    ways = cases[["arithmetic", "accumulation"]].astype(str).drop_duplicates()
    dtypes = sorted(((d,) for d in in_order(cases["dtype"].astype(str))), key=dtype_order(cases))
    return Facets({
        "problem": tuple(in_order(cases["variant"])),
        "dtype": tuple(dtype for (dtype,) in dtypes),
        "formula": tuple(in_order(cases["formula"].astype(str))),
        "arithmetic": tuple(computed_by(*way) for way in ways.itertuples(index=False, name=None)),
    })  # fmt: skip
