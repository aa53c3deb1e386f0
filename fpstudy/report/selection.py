"""Cases chosen by their columns, as problem="softmax", n=[10, 100]; what there is besides."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fpstudy.cases import AXES
from fpstudy.report.numbers import magnitude
from fpstudy.report.variants import in_order
from fpstudy.study_file.mistakes import suggest

MOST_NAMED = 12  # values that a message spells out


def selected(cases: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    """The cases whose columns have the given value, or one of the values of a list.

    cases: a summary with its variants; a problem is chosen by its own name or as a reader names it,
           "softmax (base b)"
    where: by the names of a case's axes; None stands for a parameter that is not given, and a
           number may be as short as on an axis: 3.16 for 3.1622776601683795
    Raises ValueError for a column or a value that there is not, with those that there are.
    """
    for name in where:
        if name not in AXES:
            there = suggest(name, AXES) or f"; there are {', '.join(AXES)}"
            raise ValueError(f"no column {name!r} to choose by{there}")
    chosen: list[str] = []
    for name in (axis for axis in AXES if axis in where):  # the problem first: the others are of it
        wanted = where[name]
        values = wanted if _several(wanted) else [wanted]
        masks = [_matching(cases, name, value) for value in values]
        if not masks:
            raise ValueError(f"{name}: want a value, or a list of at least one")
        for value, mask in zip(values, masks, strict=True):
            if not mask.any():
                raise ValueError(_no_such(cases, name, value, chosen))
        cases = cases[pd.concat(masks, axis=1).any(axis=1)]
        chosen.append(f"{name}={wanted!r}")
    return cases


def names_of(cases: pd.DataFrame, name: str) -> list[str]:
    """The values of a column as a caller may write them, in order."""
    column = cases["variant" if name == "problem" else name]
    if not pd.api.types.is_numeric_dtype(column):
        return [text for text in in_order(column.astype(str)) if text]  # "" means: does not apply
    values = sorted(column.dropna().unique())
    return [magnitude(float(x)) for x in values] + ["None"] * bool(column.isna().any())


def listed(names: Sequence[str]) -> str:
    """The names, the first of many."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f", ... ({more} more)" if more > 0 else "")


def _several(value: Any) -> bool:
    """Whether a value is a list of values: no text, and with a length."""
    return not isinstance(value, str) and hasattr(value, "__iter__")


def _matching(cases: pd.DataFrame, name: str, value: Any) -> pd.Series:
    """Which cases have the value: exactly, or else as it is shown."""
    column: pd.Series = cases[name]
    if name == "problem":
        named = cases["variant"] == str(value)
        return named if named.any() else column == str(value)
    if value is None:
        return column.isna()
    if not pd.api.types.is_numeric_dtype(column):
        return column.astype(str) == str(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return pd.Series(False, index=cases.index)
    same = column.astype(float) == number
    return same if same.any() else column.astype(float).map(magnitude).eq(magnitude(number))


def _no_such(cases: pd.DataFrame, name: str, value: Any, chosen: list[str]) -> str:
    names = names_of(cases, name)
    of = f" with {', '.join(chosen)}" if chosen else ""
    return f"no {name} {value!r}{of}{suggest(str(value), names)}; there are {listed(names)}"
