"""Tables of one measured column over two axes; all else within a setting is pooled.

Results of different problems, formulas, dtypes, arithmetics or accumulations are never pooled: each
combination that is not an axis of the table has a table of its own.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fpstudy.cases import AXES
from fpstudy.record import COUNTS, TEXT_AXES
from fpstudy.report.numbers import NONE, count
from fpstudy.report.paper.digits import apart
from fpstudy.report.paper.table import Cell, Column, Number, PaperTable, Place, Tables, samples_text
from fpstudy.report.paper.words import circumstances, not_run
from fpstudy.report.variants import in_order, input_name, with_variants
from fpstudy.report.verdicts import outcome_text
from fpstudy.study_file.mistakes import quote, suggest
from fpstudy.summary import COLUMNS

APART = ("variant", "formula", "dtype", "arithmetic", "accumulation")
MEASURED: tuple[str, ...] = tuple(
    name for name in COLUMNS if name.endswith(("_median", "_max", "_min"))
)
COUNTED: tuple[str, ...] = ("failing", "top1_flips", *COUNTS)
GIVEN = "cases on given logits, which have no magnitude, are in no table"
BRACKETS = "In brackets: how many of the results that the number stands for fail"


def errors(
    summary: pd.DataFrame, manifest: Mapping[str, Any], rows: str, columns: str, value: str
) -> Tables:
    """A table for each setting: `value` at each value of the axes `rows` and `columns`.

    Errors are pooled to the largest, bits kept to the fewest, counts to their sum.
    Raises ValueError for a name that is none, and where no case is left.
    """
    _check(rows, columns, value)
    frame, given = _on_axes(_with_value(with_variants(summary), value), {rows, columns})
    axes = ["variant" if name == "problem" else name for name in (rows, columns)]
    keys = [name for name in APART if name not in axes]
    tables, data = [], []
    for _, part in frame.groupby(keys, sort=False):
        cells = {
            (row, column): _pooled(cell, value)
            for (row, column), cell in part.groupby(axes, sort=False, dropna=False)
        }
        tables.append(_table(part, manifest, axes, value, cells, given))
        data += [
            part[keys].iloc[0].to_dict() | dict(zip(axes, at, strict=True)) | facts
            for at, facts in cells.items()
        ]
    named = pd.DataFrame(data).rename(columns={"variant": "problem"})
    return Tables(tuple(tables), named, given)


def _check(rows: str, columns: str, value: str) -> None:
    for option, name, known in (
        ("--rows", rows, AXES), ("--columns", columns, AXES),
        ("--value", value, (*MEASURED, *COUNTED)),
    ):  # fmt: skip
        if name not in known:
            raise ValueError(
                f"{option} {quote(name)}: no such column; want one of {', '.join(known)}"
                f"{suggest(name, known)}"
            )
    if rows == columns:
        raise ValueError(f"--rows and --columns are both {rows}: want two axes")


def _with_value(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """The cases of problems that the value is measured of: not all results are distributions."""
    if value not in frame:
        raise ValueError(f"--value {value}: this summary.csv, of an earlier fpstudy, has none")
    problems = frame["variant"]
    none = frame[value].isna() & (frame["measured"] > frame["undefined"] + frame["undecided"])
    kept = frame[~problems.isin(set(problems[none]) - set(problems[frame[value].notna()]))]
    if kept.empty:
        raise ValueError(f"--value {value}: it is measured of no problem here")
    return kept


def _on_axes(frame: pd.DataFrame, axes: set[str]) -> tuple[pd.DataFrame, int]:
    """The cases that lie on the axes, and how many do not: given logits have no magnitude."""
    if "magnitude" not in axes:
        return frame, 0
    swept = frame[frame["swept"]]
    if swept.empty:
        raise ValueError(
            "the logits of all cases here are given, so no magnitude is an axis: --columns"
            " distribution is one"
        )
    return swept, len(frame) - len(swept)


def _pooled(cell: pd.DataFrame, value: str) -> dict[str, Any]:
    """The worst of what was run, with what it stands for: the row of the data."""
    ran = cell[cell["measured"] > 0]
    pool = "sum" if value in COUNTED else "min" if value.endswith("_min") else "max"
    number = (cell if value in COUNTED else ran)[value].agg(pool)
    return {
        value: math.nan if pd.isna(number) else float(number),
        "cases": len(cell),
        "not_run": int((cell["skipped"] > 0).sum()),
        "samples": int(ran["samples"].sum()),
        "results": int(ran["measured"].sum()),
        "failing": int(ran["failing"].sum()),
        "undefined": int(ran["undefined"].sum()),
        "undecided": int(ran["undecided"].sum()),
    }


def _cell(facts: Mapping[str, Any] | None, value: str) -> Cell:
    """A number with the failures that it stands for, or why there is none, in a word."""
    if facts is None:
        return NONE
    number = facts[value]
    if value in COUNTED:
        return Number(int(number)) if facts["results"] or value == "skipped" else "not run"
    if not math.isnan(number):
        return Number(number, facts["failing"])
    if not facts["results"]:
        return "not run"
    return "undecided" if facts["undecided"] else "undefined" if facts["undefined"] else NONE


def _table(
    part: pd.DataFrame, manifest: Mapping[str, Any], axes: Sequence[str], value: str,
    cells: Mapping[Any, Mapping[str, Any]], given: int,
) -> PaperTable:  # fmt: skip
    rows, columns = (_values(part, name) for name in axes)
    said = ["problem" if name == "variant" else name for name in axes]
    body = tuple(
        (label, *(_cell(cells.get((row, column)), value) for column in columns))
        for row, label in zip(rows, _labels(axes[0], rows), strict=True)
    )
    headings = [Column(label, True) for label in _labels(axes[1], columns)]
    fixed = [name for name in APART if name not in axes]
    return PaperTable(
        name=" ".join(["errors", value, *(str(part[name].iloc[0]) for name in fixed)]),
        caption=_caption(part, manifest, said, value),
        columns=(Column(said[0], axes[0] not in TEXT_AXES and axes[0] != "variant"), *headings),
        rows=body,
        notes=tuple(_notes(part, cells, value, given)),
        span=said[1],
    )


def _values(part: pd.DataFrame, name: str) -> list[Any]:
    """An axis' values in order: texts as the study has them, numbers by size."""
    if name in TEXT_AXES or name == "variant":
        return in_order(part[name])
    return sorted(part[name].unique().tolist(), key=lambda x: (math.isnan(x), x))


def _labels(name: str, values: Sequence[Any]) -> list[Cell]:
    if name in TEXT_AXES or name == "variant":
        shown = map(input_name, values) if name == "distribution" else values
        return [text or NONE for text in shown]
    return [NONE if math.isnan(x) else Place(x) for x in apart(values)]


def _caption(
    part: pd.DataFrame, manifest: Mapping[str, Any], axes: Sequence[str], value: str
) -> str:
    """What the number is, of which problem and formula, who computed it, on what."""
    of = [
        str(part[column].iloc[0])
        for name, column in (("problem", "variant"), ("formula", "formula"))
        if name not in axes
    ]
    subject = f"{_what(value)}{' of ' + ', '.join(of) if of else ''}"
    return f"{subject}, by {axes[0]} and {axes[1]}. {circumstances(part, manifest, axes)}"


def _what(value: str) -> str:
    """A column of the summary in words: "largest relative error"."""
    if value == "top1_flips":
        return "Top-class flips, by sample,"
    if value in COUNTED:
        return f"Results {value if value == 'failing' else 'counted as ' + outcome_text(value)}"
    stem, _, which = value.rpartition("_")
    pooled = {"max": "Largest", "min": "Fewest", "median": "Median over the samples of the"}
    return f"{pooled[which]} {stem.replace('_', ' ').replace('kl ', 'KL ')}"


def _notes(
    part: pd.DataFrame, cells: Mapping[Any, Mapping[str, Any]], value: str, given: int
) -> list[str]:
    """How the numbers are to be read: pooled over what, failures, what was not run."""
    samples = samples_text([facts["samples"] for facts in cells.values() if facts["results"]])
    if value in COUNTED:
        notes = [f"Each number is a sum over {samples}."]
    elif value.endswith("_median"):
        notes = [f"Each number is the largest median of a case, from {samples}."]
    else:
        notes = [f"Each number is the worst of {samples}, no bound."]
    failing = sum(facts["failing"] for facts in cells.values())
    if failing and value not in COUNTED:
        total = sum(facts["results"] for facts in cells.values())
        notes.append(f"{BRACKETS}, {count(failing)} of {count(total)} in all.")
    if given:
        notes.append(f"{count(given)} {GIVEN}.")
    return notes + not_run(part)
