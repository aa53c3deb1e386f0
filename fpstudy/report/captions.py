"""The words beside a figure: what is drawn, who computed it, on what, and from how many samples."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fpstudy.outcomes import OUTCOMES
from fpstudy.report.maps import CLEAR, LOST, letters, pool
from fpstudy.report.numbers import count, magnitude
from fpstudy.report.variants import computed_by, in_order, input_name, settings


@dataclass(frozen=True)
class Words:
    """Title, caption and text alternative of a figure, as plain text."""

    problem: str
    title: str
    caption: str
    alternative: str


def curves(part: pd.DataFrame, where: dict[Hashable, Any]) -> Words:
    """For the error against the magnitude; `where` holds the axes that this figure fixes."""
    problem = _problem(part)
    fixed = ", ".join(_fixed(key, value) for key, value in where.items() if not pd.isna(value))
    return Words(
        problem,
        f"{problem}: error against magnitude" + (f" ({fixed})" if fixed else ""),
        f"Relative error of the worst component of each sample; {_who(part)}; {_on(part)}. "
        "Line: median over the samples; band: up to the maximum; u: the unit roundoff. The strip "
        "at the top holds errors that are not finite (NaN, a spurious infinity): a filled mark "
        "where at least half of the samples end so, a hollow one where fewer do. A spurious zero "
        "has an error of 1.",
        f"Curves of the relative error of {_list(part['formula'])} against the magnitude of the "
        f"logits, for {_list(part['dtype'])} and n = {_list(part['n'])}. The verdict table "
        "and summary.csv say the same in numbers.",
    )


def dots(part: pd.DataFrame) -> Words:
    """For the error at given inputs."""
    problem = _problem(part)
    return Words(
        problem,
        f"{problem}: error at each input",
        f"Relative error of the worst component; {_who(part)}; {_on(part)}. Dot: the maximum over "
        "the samples of an input, with a line to it from the median; u: the unit roundoff. The "
        "strip at the right holds errors that are not finite (NaN, a spurious infinity); a hollow "
        "dot there: fewer than half of the samples. A spurious zero has an error of 1.",
        f"Dots of the relative error of {_list(part['formula'])} at {part['input'].nunique()} "
        f"inputs, for {_list(part['dtype'])}. summary.csv says the same in numbers.",
    )


def failures(part: pd.DataFrame) -> Words:
    """For the failure map, with the letters that occur in it."""
    problem = _problem(part)
    axis = "magnitude" if part["swept"].all() else "input"
    meaning = {o.letter: o.meaning for o in OUTCOMES}
    meaning |= {
        LOST: "only subnormal results were lost, which is not counted as a failure",
        CLEAR: "no failure in the samples measured",
    }
    key = "; ".join(f"{letter}: {meaning[letter]}" for letter in letters(pool(part)))
    failing, measured = part["failing"].sum(), part["measured"].sum()
    return Words(
        problem,
        f"{problem}: failures",
        f"The failure with most components at each {axis}, deeper in colour the larger the share "
        f"of components that fail; {_who(part)}; {_on(part)}. " + f"{key}.",
        f"Map of {_list(part['formula'])} against the {axis}, for {_list(part['dtype'])}: "
        f"{count(failing)} of {count(measured)} components fail. The table of failure counts says "
        "the same in numbers.",
    )


def bits(part: pd.DataFrame) -> Words:
    """For the bits kept."""
    problem = _problem(part)
    axis = "magnitude" if part["swept"].all() else "input"
    zeros = (
        " A z beside the number: among the results are zeros that are correctly rounded, and they "
        "count as such."
        if part["honest_underflow"].any()
        else ""
    )
    return Words(
        problem,
        f"{problem}: bits kept",
        f"Bits kept by the worst component of the worst sample at each {axis}, all else pooled; "
        f"{_who(part)}; {_on(part)}. A failure keeps none.{zeros}",
        f"Heat map of the bits that {_list(part['formula'])} keep at each {axis}, for "
        f"{_list(part['dtype'])}. The column bits_kept_min of summary.csv holds the numbers.",
    )


def _problem(frame: pd.DataFrame) -> str:
    return str(frame["variant"].iloc[0])


def _who(frame: pd.DataFrame) -> str:
    """The settings in words: "float16, float32 (numpy, native accumulation)"."""
    dtypes: dict[str, list[str]] = {}
    for dtype, arithmetic, accumulation in settings(frame):
        dtypes.setdefault(computed_by(arithmetic, accumulation), []).append(dtype)
    return "; ".join(f"{', '.join(names)} ({who})" for who, names in dtypes.items())


def _on(frame: pd.DataFrame) -> str:
    """The inputs in words: distribution, offset, n, and how many samples each case has."""
    kinds = [input_name(name) for name in in_order(frame["distribution"])]
    if len(kinds) > 4:
        kinds = [*kinds[:3], f"... ({len(kinds)} in all)"]
    said = [f"{', '.join(kinds)} inputs", f"n = {_list(frame['n'])}"]
    offsets = [magnitude(float(offset)) for offset in sorted(frame["offset"].dropna().unique())]
    if offsets not in ([], ["0"]):
        said.append(f"offset {', '.join(offsets)}")
    for axis in ("base", "beta"):
        values = [magnitude(float(value)) for value in sorted(frame[axis].dropna().unique())]
        if values:
            said.append(f"{axis} {', '.join(values)}")
    sizes = sorted(int(size) for size in frame["samples"].unique())
    each = count(sizes[0]) if len(sizes) == 1 else f"{count(sizes[0])} to {count(sizes[-1])}"
    return ", ".join(said) + f", {each} sample{'s' * (sizes[-1] > 1)} a case"


def _fixed(key: Hashable, value: object) -> str:
    """One fixed axis: "normal", "offset 1000"."""
    if key == "distribution":
        return input_name(str(value))
    return f"{key} {magnitude(float(str(value)))}"


def _list(values: pd.Series) -> str:
    """The distinct values, at most eight of them spelled out."""
    names = in_order(values)
    return ", ".join(names if len(names) <= 8 else [*names[:7], f"... ({len(names)} in all)"])
