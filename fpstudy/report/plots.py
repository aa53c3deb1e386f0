"""Figures of a run by name: `run.plot.error_against_magnitude(problem="softmax")`.

They are drawn as those of the report are, from the cases that the caller chooses. What a figure
cannot tell apart, the caller chooses too, or names in a list to have it pooled.
"""

from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from fpstudy.cases import AXES as COLUMNS
from fpstudy.report import captions
from fpstudy.report.arrangement import PANEL, arranged, compares_sums
from fpstudy.report.axis import AXES, MAGNITUDE, OFFSET, Axis, N
from fpstudy.report.captions import Words
from fpstudy.report.curves import error_curves
from fpstudy.report.dots import error_dots
from fpstudy.report.figures import SLICES, readable, samples_of
from fpstudy.report.formats import Formats
from fpstudy.report.inputs import input_names
from fpstudy.report.maps import bits_map, failure_map
from fpstudy.report.picture import Picture, styled
from fpstudy.report.points import along, median_and_maximum
from fpstudy.report.selection import listed, names_of, selected
from fpstudy.report.variants import in_order

GAPS = ("two_point", "peaked")  # distributions whose magnitude is a gap of the top class
ACROSS = (*AXES, "input")  # what a map can run along


class Plots:
    """The figures of a run.

    Every method takes columns of the summary as keywords, each with a value or a list of values:
    problem, formula, dtype, arithmetic, accumulation, n, distribution, magnitude, offset, base,
    beta, target, labels, reduction, batch, ignored, masked, inputs, samples. It returns a Picture,
    which is a matplotlib Figure with a title and a caption.

    Raises ValueError for a column, a value or an axis that the study does not have, naming those
    that it has; and for a choice that is left to the caller.
    """

    def __init__(
        self, name: str, summary: pd.DataFrame, samples: pd.DataFrame, formats: Formats
    ) -> None:
        """The figures of the run `name`.

        samples: of the record, as `record.samples` reads them
        """
        self._name, self._summary, self._samples, self._formats = name, summary, samples, formats

    def error_against_magnitude(self, **where: Any) -> Picture:
        """Relative error against the magnitude of the logits; a row of panels for each n."""
        return self._curves(MAGNITUDE, where)

    def error_against_n(self, **where: Any) -> Picture:
        """Relative error against the number of logits; a row of panels for each magnitude."""
        return self._curves(N, where)

    def error_against_offset(self, **where: Any) -> Picture:
        """Relative error against the offset of all logits; a row of panels for each n."""
        return self._curves(OFFSET, where)

    def error_against_gap(self, **where: Any) -> Picture:
        """Relative error against the gap of the top class, of two_point or peaked logits."""
        there = names_of(selected(self._cases, where), "distribution")
        gaps = [name for name in there if name in GAPS]
        if not gaps:
            wanted = " or ".join(GAPS)
            raise ValueError(f"no {wanted} logits, whose magnitude is a gap; here: {listed(there)}")
        if "distribution" not in where and len(gaps) > 1:
            raise ValueError(f"choose distribution= of {listed(gaps)}; a list of them pools them")
        where = where | {"distribution": gaps}
        return self._curves(MAGNITUDE, where)

    def error_at_inputs(self, **where: Any) -> Picture:
        """Relative error at each input, for vectors of the study or of a file."""
        part = self._of_one_problem(where)
        given = part[~part["swept"]]
        part = _measured(given if len(given) else part)
        here, its = self._arranged(part, "input")
        points = median_and_maximum(its, ["input"])
        return _drawn(lambda: error_dots(points), captions.dots(here, points, ""))

    def failures(self, across: str | None = None, **where: Any) -> Picture:
        """The failure with most components of each formula, all else pooled.

        across: "magnitude", "n", "offset" or "input"; by default the first that varies
        """
        return self._map(captions.failures, failure_map, across, where)

    def bits_kept(self, across: str | None = None, **where: Any) -> Picture:
        """Bits kept by the worst component of the worst sample, all else pooled.

        across: "magnitude", "n", "offset" or "input"; by default the first that varies
        """
        return self._map(captions.bits, bits_map, across, where)

    def __repr__(self) -> str:
        drawn = [f"error_against_{name}" for name in _varying(self._cases)]
        gaps = set(names_of(self._cases, "distribution")) & set(GAPS)
        drawn += ["error_against_gap"] * bool(gaps and MAGNITUDE.column in _varying(self._cases))
        drawn += ["error_at_inputs"] * bool((~self._cases["swept"]).any())
        lines = [f"Plots of {self._name}: {', '.join([*drawn, 'failures', 'bits_kept'])}"]
        for name in COLUMNS:
            names = names_of(self._cases, name)
            lines += [f"  {name:<14}{listed(names)}"] * (len(names) > 1)
        return "\n".join(lines)

    @cached_property
    def _cases(self) -> pd.DataFrame:
        return readable(self._summary, input_names(self._samples), self._formats)

    def _of_one_problem(self, where: Mapping[str, Any]) -> pd.DataFrame:
        part = selected(self._cases, where)
        problems = names_of(part, "problem")
        if len(problems) > 1:
            raise ValueError(f"a figure is of one problem; choose problem= of {listed(problems)}")
        return part

    def _arranged(self, part: pd.DataFrame, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Cases, and their samples, with the lines and panels of a figure along the column."""
        sums = compares_sums(part, column)
        its = arranged(samples_of(part, self._samples), sums)
        known = its.groupby(PANEL)["relative_error"].transform("count") > 0
        return arranged(part, sums), its[known]

    def _curves(self, axis: Axis, where: Mapping[str, Any]) -> Picture:
        part = self._of_one_problem(where)
        swept = part[part["swept"]]
        if swept.empty:
            raise ValueError("these logits are given as they are: use error_at_inputs")
        _check_varies(swept, axis)
        swept = _measured(swept)
        _check_slices(swept, axis, where)
        here, its = self._arranged(swept, axis.column)
        fixed: dict[Hashable, Any] = {
            key: swept[key].iloc[0] for key in _told(self._cases, swept, axis)
        }
        points, title = along(its, axis), axis.title(here)
        words = captions.curves(here, points, axis, "", fixed)
        return _drawn(lambda: error_curves(points, axis, title), words)

    def _map(
        self,
        words: Callable[[pd.DataFrame, str, str], Words],
        figure: Callable[[pd.DataFrame, str], Figure],
        across: str | None,
        where: Mapping[str, Any],
    ) -> Picture:
        part = self._of_one_problem(where)
        if across is None:
            across = next(iter(_varying(part)), "input")
        elif across not in ACROSS:
            raise ValueError(f"across: want one of {', '.join(ACROSS)}, got {across!r}")
        if across in AXES:
            _check_varies(part[part["swept"]], AXES[across])
            part = part[part["swept"]]
        elif not part["swept"].all():
            part = part[~part["swept"]]
        here = arranged(part, compares_sums(part, across))
        return _drawn(lambda: figure(here, across), words(here, across, ""))


def _drawn(figure: Callable[[], Figure], words: Words) -> Picture:
    """The figure with its words, made under the report's style."""
    with styled():
        picture = figure()
        assert isinstance(picture, Picture)  # so panels.Grid makes them
    picture.title, picture.caption = words.title, words.caption
    picture.alternative = words.alternative
    return picture


def _varying(cases: pd.DataFrame) -> list[str]:
    """The axes along which swept cases have two values at least."""
    swept = cases[cases["swept"]]
    return [axis.column for axis in AXES.values() if swept[axis.column].nunique() > 1]


def _check_varies(swept: pd.DataFrame, axis: Axis) -> None:
    if swept[axis.column].nunique() > 1:
        return
    name, there = axis.column, _varying(swept)
    has = f"has {name} {listed(names_of(swept, name))} alone" if len(swept) else f"has no {name}"
    other = f"it varies along {', '.join(there)}" if there else "no axis varies"
    raise ValueError(f"nothing to draw against {name}: what is chosen {has}; {other}")


def _measured(part: pd.DataFrame) -> pd.DataFrame:
    """The cases, of which some ran."""
    if not part["measured"].any():
        reasons = [reason for reason in in_order(part["reason"]) if reason]
        raise ValueError(f"none of these cases was measured: {listed(reasons)}")
    return part


def _check_slices(swept: pd.DataFrame, axis: Axis, where: Mapping[str, Any]) -> None:
    """Refuse to pool, in one line, what the caller has not named together."""
    for key in SLICES:
        names = names_of(swept, key)
        if key not in (axis.column, axis.rows) and key not in where and len(names) > 1:
            raise ValueError(
                f"one line would pool different values of {key}: choose {key}= of {listed(names)};"
                " a list of them pools them"
            )


def _told(cases: pd.DataFrame, chosen: pd.DataFrame, axis: Axis) -> list[str]:
    """What the title says of the choice: columns that vary in the study, and not in the figure."""
    return [
        key
        for key in SLICES
        if key not in (axis.column, axis.rows)
        and chosen[key].nunique(dropna=False) == 1
        and len(names_of(cases[cases["variant"] == chosen["variant"].iloc[0]], key)) > 1
    ]
