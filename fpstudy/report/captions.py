"""The words beside a figure: what is drawn, who computed it, on what, and from how many samples."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fpstudy.outcomes import OUTCOMES
from fpstudy.report import findings
from fpstudy.report.arrangement import of_panels, panels_of
from fpstudy.report.axis import AXES, MAGNITUDE, OFFSET, Axis, N
from fpstudy.report.data import MOST_POINTS, SUMMED
from fpstudy.report.guides import GROWTH, limits
from fpstudy.report.maps import CLEAR, LOST, letters, pool
from fpstudy.report.numbers import count, magnitude
from fpstudy.report.variants import accumulation_text, computed_by, in_order, input_name, settings


@dataclass(frozen=True)
class Words:
    """Title, caption and text alternative of a figure, as plain text."""

    problem: str
    title: str
    caption: str
    alternative: str


def curves(
    part: pd.DataFrame, points: pd.DataFrame, axis: Axis, which: str, where: dict[Hashable, Any]
) -> Words:
    """For the error along an axis; `where` holds the axes that this figure fixes.

    points: what is drawn, see `points.along`

    which:  what tells the figure from others that share out the panels
    """
    problem = _problem(part)
    fixed = [_fixed(key, value) for key, value in where.items() if not pd.isna(value)]
    noted = ", ".join([which] * bool(which) + fixed)
    guides = f" Dotted: {', '.join(GROWTH)}." if axis is N else _limits(points, axis)
    return Words(
        problem,
        f"{problem}: error against {axis.quantity(part)}" + (f" ({noted})" if noted else ""),
        f"Relative error of the worst component of each sample{_of_formulas(part)}; {_who(part)}; "
        f"{_on(part, axis.column)}. "
        f"Line: median over the samples; band: up to the maximum; u: the unit roundoff.{guides} "
        "The strip at the top holds errors that are not finite (NaN, a spurious infinity): a "
        "filled mark where at least half of the samples end so, a hollow one where fewer do. A "
        "spurious zero has an error of 1, or less where the exact value is subnormal."
        f"{SUMMED * (len(points) > MOST_POINTS)}",
        f"Curves of the relative error of {_compared(part)} against {_along(part, axis)}, for "
        f"{_list(part['dtype'])} and {_at(part, axis)}. {findings.of_curves(points, axis.column)}",
    )


def dots(part: pd.DataFrame, points: pd.DataFrame, which: str) -> Words:
    """For the error at given inputs; `points` are drawn."""
    problem = _problem(part)
    return Words(
        problem,
        f"{problem}: error at each input" + (f" ({which})" if which else ""),
        f"Relative error of the worst component{_of_formulas(part)}; {_who(part)}; "
        f"{_on(part, 'input')}. "
        "Dot: the maximum over the samples of an input, with a line to it from the median; u: the "
        "unit roundoff. The strip at the right holds errors that are not finite (NaN, a spurious "
        "infinity); a hollow dot there: fewer than half of the samples. A spurious zero has an "
        "error of 1, or less where the exact value is subnormal.",
        f"Dots of the relative error of {_compared(part)} at {part['input'].nunique()} "
        f"inputs, for {_list(part['dtype'])}. {findings.of_curves(points, 'input')}",
    )


def failures(part: pd.DataFrame, across: str, which: str) -> Words:
    """For the failure map, with the letters that occur in it."""
    problem = _problem(part)
    meaning = {o.letter: o.meaning for o in OUTCOMES}
    meaning |= {
        LOST: "only subnormal results were lost, which is not counted as a failure",
        CLEAR: "no failure in the samples measured",
    }
    fields = pool(part, across)
    key = "; ".join(f"{letter}: {meaning[letter]}" for letter in letters(fields))
    failing, measured = part["failing"].sum(), part["measured"].sum()
    return Words(
        problem,
        f"{problem}: failures" + (f" ({which})" if which else ""),
        f"The failure with most components at each {across}, deeper in colour the larger the share "
        f"of components that fail{_of_formulas(part)}; {_who(part)}; "
        f"{_on(part, across)}. {key}.",
        f"Map of {_compared(part)} against {_AXIS[across]}, for {_list(part['dtype'])}: "
        f"{count(failing)} of {count(measured)} components fail. "
        + findings.of_failures(fields, across),
    )


def bits(part: pd.DataFrame, across: str, which: str) -> Words:
    """For the bits kept."""
    problem = _problem(part)
    zeros = (
        " A z beside the number: among the results are zeros that are correctly rounded, and they "
        "count as such."
        if part["honest_underflow"].any()
        else ""
    )
    return Words(
        problem,
        f"{problem}: bits kept" + (f" ({which})" if which else ""),
        f"Bits kept by the worst component of the worst sample at each {across}, all else pooled"
        f"{_of_formulas(part)}; {_who(part)}; {_on(part, across)}. A failure keeps "
        f"none.{zeros}",
        f"Heat map of the bits that {_compared(part)} keep at each {across}, for "
        f"{_list(part['dtype'])}. {findings.of_bits(pool(part, across))}",
    )


def _problem(frame: pd.DataFrame) -> str:
    return str(frame["variant"].iloc[0])


def _compared(part: pd.DataFrame) -> str:
    """What the lines or rows of the figure are: formulas, or the accumulations of them."""
    names = _list(part["line"])
    return names if _lines_are_formulas(part) else f"{_list(part['formula'])} with {names} sums"


def _of_formulas(part: pd.DataFrame) -> str:
    """The formulas, where they are not the lines that the legend names."""
    if _lines_are_formulas(part):
        return ""
    return f"; formula{'s' * (part['formula'].nunique() > 1)} {_list(part['formula'])}"


def _lines_are_formulas(part: pd.DataFrame) -> bool:
    return bool((part["line"] == part["formula"].astype(str)).all())


def _who(part: pd.DataFrame) -> str:
    """The settings in words: "float16, float32 (numpy, native accumulation)"."""
    sums: dict[tuple[str, str], list[str]] = {}
    for dtype, arithmetic, accumulation in settings(part):
        sums.setdefault((dtype, arithmetic), []).append(accumulation)
    dtypes: dict[tuple[str, ...], list[str]] = {}
    for (dtype, arithmetic), accumulations in sums.items():
        dtypes.setdefault((arithmetic, *accumulations), []).append(dtype)
    return "; ".join(f"{', '.join(names)} ({_way(*way)})" for way, names in dtypes.items())


def _way(arithmetic: str, *accumulations: str) -> str:
    """An arithmetic with all that summed in it."""
    if len(accumulations) == 1:
        return computed_by(arithmetic, *accumulations)
    return f"{arithmetic}, sums: {', '.join(map(accumulation_text, accumulations))}"


def _limits(points: pd.DataFrame, axis: Axis) -> str:
    """What the dashed lines are, where there are some."""
    beside = [of_panels(points, [panel]) for panel in panels_of(points)]
    drawn = [
        text
        for here in beside
        for row in here["row"].unique()
        for _, text in limits(axis, here, here[here["row"] == row])
    ]
    said = [meaning for words, meaning in LIMITS.items() if any(words in text for text in drawn)]
    return f" Dashed: where {', or '.join(said)}." if said else ""


LIMITS: dict[str, str] = {
    "overflows": "the exponential of the value on the axis overflows",
    "underflows": "it rounds to 0",
    "below u": "the other exponentials together fall below u times that of the largest logit",
}


def _along(part: pd.DataFrame, axis: Axis) -> str:
    """What the axis is of, in a sentence."""
    quantity = axis.quantity(part)
    return _AXIS[axis.column] if quantity == axis.column else f"the {quantity}"


_AXIS: dict[str, str] = {
    "magnitude": "the magnitude of the logits",
    "n": "the number n of logits",
    "offset": "the offset of the logits",
    "input": "the input",
}


def _at(part: pd.DataFrame, axis: Axis) -> str:
    """The rows of panels: "n = 8, 128"."""
    rows = AXES[axis.rows]
    return f"{rows.symbol} = {_values(part, rows)}"


def _on(frame: pd.DataFrame, along: str) -> str:
    """The inputs in words: distribution, size, and how many samples each case has.

    along: the axis that the figure runs along; the magnitude is said where it is another one
    """
    kinds = [input_name(name) for name in in_order(frame["distribution"])]
    if len(kinds) > 4:
        kinds = [*kinds[:3], f"... ({len(kinds)} in all)"]
    said = [f"{', '.join(kinds)} inputs", f"n = {_values(frame, N)}"]
    if along in (N.column, OFFSET.column):
        said.append(f"M = {_values(frame, MAGNITUDE)}")
    if frame["offset"].fillna(0).any():
        said.append(f"offset {_values(frame, OFFSET)}")
    for axis in ("base", "beta"):
        values = [magnitude(float(value)) for value in sorted(frame[axis].dropna().unique())]
        if values:
            said.append(f"{axis} {', '.join(values)}")
    sizes = sorted(int(size) for size in frame["samples"].unique())
    each = count(sizes[0]) if len(sizes) == 1 else f"{count(sizes[0])} to {count(sizes[-1])}"
    return ", ".join(said) + f", {each} sample{'s' * (sizes[-1] > 1)} a case"


def _values(frame: pd.DataFrame, axis: Axis) -> str:
    """The values on an axis, at most eight of them spelled out."""
    values = [axis.text(value) for value in sorted(frame[axis.column].dropna().unique())]
    if len(values) <= 8:
        return ", ".join(values)
    return f"{values[0]} .. {values[-1]} ({len(values)} values)"


def _fixed(key: Hashable, value: object) -> str:
    """One fixed axis: "normal", "offset 1000"."""
    if key == "distribution":
        return input_name(str(value))
    return f"{key} {magnitude(float(str(value)))}"


def _list(values: pd.Series) -> str:
    """The distinct values, at most eight of them spelled out."""
    names = in_order(values)
    return ", ".join(names if len(names) <= 8 else [*names[:7], f"... ({len(names)} in all)"])
