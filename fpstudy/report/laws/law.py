"""A law: a sentence, the rule by which measurements support it, and where these are taken from."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from fpstudy.report.anchors import formula_anchor
from fpstudy.report.formats import Formats
from fpstudy.report.markdown import Markdown
from fpstudy.report.numbers import count, magnitude, number
from fpstudy.report.sweeps import address
from fpstudy.report.variants import with_variants

ARROW = "\N{RIGHTWARDS ARROW}"

Tables = Mapping[str, pd.DataFrame]  # by folder: what `measured_rows` gives of a summary
COMPUTED = r"^([^\[]+)\[compute=([^,\]]+)\]$"  # a formula, and the format that it computes in


@dataclass(frozen=True)
class Measured:
    """One measurement of a law.

    of:      what it is of, in words; text: what was found, with the numbers
    holds:   whether it satisfies the law's rule
    samples: vectors behind it
    address: of the row that shows it
    """

    of: str
    text: str
    holds: bool
    samples: int
    address: Markdown


@dataclass(frozen=True)
class Law:
    """What is said, when it counts as supported, how the measurements begin, and these."""

    says: str
    rule: str
    lead: str
    measure: Callable[[Tables], Iterator[Measured]]


def measured_rows(summary: pd.DataFrame, formats: Formats) -> pd.DataFrame:
    """The rows of a summary that were measured, with their variants and two columns more.

    precision:        of the dtype, in bits
    inside_precision: of the format that the formula computes in; NaN if that is the dtype
    """
    table = with_variants(summary)
    bits = {name: f.precision for name, f in formats.items()}
    inside = table["formula"].astype(str).str.extract(COMPUTED)[1]
    table = table.assign(
        precision=table["dtype"].map(bits), inside_precision=inside.map(bits).astype(float)
    )
    return table[table["measured"] > 0]


def where(tables: Tables, study: str, **values: object) -> pd.DataFrame:
    """The rows of a study that have these values; none if there is no such study."""
    table = tables.get(study, _NONE)
    for column, value in values.items():
        table = table[table[column] == value]
    return table


_NONE = pd.DataFrame(
    columns=[
        "variant", "formula", "dtype", "arithmetic", "accumulation", "n", "distribution",
        "magnitude", "offset", "target", "samples", "failing",
    ]
)  # fmt: skip


def names(cases: pd.DataFrame, column: str = "dtype") -> list[str]:
    """Each value once, in order."""
    return [str(name) for name in cases[column].drop_duplicates()]


def at(cases: pd.DataFrame, M: float) -> pd.DataFrame:
    """The cases of a magnitude, of which axes in decades hold only something close."""
    return cases[(cases["magnitude"].astype(float) / M - 1).abs() < 0.01]


def of(cases: pd.DataFrame, dtype: str, formula: str) -> pd.DataFrame:
    """The cases of a formula in a dtype."""
    return cases[(cases["dtype"] == dtype) & (cases["formula"] == formula)]


def samples(*parts: pd.DataFrame) -> int:
    """Vectors measured, of all parts."""
    return sum(int(part["samples"].sum()) for part in parts)


def row(study: str, cases: pd.DataFrame, anchor: Callable[..., str] = formula_anchor) -> Markdown:
    """The address of the row of these cases' formula in the study's page."""
    first = cases.iloc[0]
    keys = ("variant", "formula", "dtype", "arithmetic", "accumulation")
    return address(study, anchor(*(str(first[key]) for key in keys)))


def onset(cases: pd.DataFrame, axis: str = "magnitude") -> float:
    """The least |value| of an axis at which a sample fails; infinite where none does."""
    failing = cases.loc[cases["failing"] > 0, axis].astype(float).abs()
    return float(failing.min()) if len(failing) else math.inf


def alike(*parts: pd.DataFrame, axis: str = "magnitude") -> bool:
    """Whether all parts were measured between the same two ends of an axis."""
    ends = {(float(part[axis].min()), float(part[axis].max())) for part in parts}
    return len(ends) == 1


def ratio(last: float, first: float) -> float:
    """last / first; NaN, which satisfies no rule, where first is 0, infinite or none."""
    return last / first if 0 < first < math.inf else math.nan


def fails(cases: pd.DataFrame) -> str:
    """In words: "fails from 8 on", or "has no failure up to 32"."""
    found = onset(cases)
    if math.isinf(found):
        return f"has no failure up to {magnitude(float(cases['magnitude'].max()))}"
    return f"fails from {magnitude(found)} on"


def ulps(x: float) -> str:
    """An error in ulps: three digits, or whole thousands."""
    return count(round(x)) if 100 <= x < 1e6 else number(x)
