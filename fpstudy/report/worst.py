"""The worst result of each formula to use, and the first failure, each with its very inputs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fpstudy.cases import AXES
from fpstudy.encoding import encode, hexadecimal, shortest
from fpstudy.outcomes import FAILURES
from fpstudy.record import exact_text
from fpstudy.report.answers import cases_of, setting_of
from fpstudy.report.facets import Facets
from fpstudy.report.formats import Formats
from fpstudy.report.numbers import magnitude, number
from fpstudy.report.reproduce import Sample, exact_command, show_command
from fpstudy.report.variants import computed_by, input_name, with_variants
from fpstudy.report.verdicts import Verdict, each_verdict, outcome_text

# what cases on the same inputs have alike; their dtypes are those of a sweep, if no two sweeps
# ask the same
DEMAND: list[str] = [
    key for key in AXES if key not in ("formula", "dtype", "arithmetic", "accumulation")
]


_HEX = re.compile(r"-?0x[0-9a-f.]+p[+-]\d+")


@dataclass(frozen=True)
class Worst:
    """The component with most ulps of error of one sample.

    case:     its row of summary.csv, counted from 0
    exactly:  the command that certifies the exact value from the inputs, or ""
    again:    the command that measures the case again
    value:    what was computed, in decimal
    bits:     those that store it, in hexadecimal; "" for a format of the study's own
    tells:    what it can be filtered by
    """

    problem: str
    dtype: str
    computed_by: str
    formula: str
    where: str
    ulps: str
    outcome: str
    component: str
    computed: str
    exact: str
    inputs: str
    case: int
    exactly: str
    again: str
    value: str
    bits: str
    tells: str


@dataclass(frozen=True)
class Measured:
    """A study's tables as a page reads them.

    record: its columns case (a row of the summary), ulp_error and worst_*
    """

    record: pd.DataFrame
    summary: pd.DataFrame
    manifest: Mapping[str, Any]
    formats: Formats
    facets: Facets


def worst_rows(measured: Measured, table: pd.DataFrame) -> list[Worst]:
    """One row for each verdict that has a finite worst error, up to its largest magnitude."""
    cases = with_variants(measured.summary)
    samples = measured.record[measured.record["ulp_error"].notna()]
    rows = [_worst(measured, samples, cases_of(cases, v), v) for v in each_verdict(table)]
    return [row for row in rows if row is not None]


def first_failures(measured: Measured, table: pd.DataFrame) -> list[Worst]:
    """One row for each verdict whose setting has a failure: that at the least magnitude."""
    cases = with_variants(measured.summary)
    broken = measured.record[measured.record["worst_outcome"].isin(FAILURES)]
    broken = broken[broken["worst_input"].astype(str) != ""]
    rows = []
    for v in each_verdict(table):
        failing = setting_of(cases, v)
        failing = failing[(failing["failing"] > 0) & failing.index.isin(broken["case"])]
        if len(failing):
            first = failing.loc[[failing["magnitude"].fillna(0.0).astype(float).idxmin()]]
            rows.append(_worst(measured, broken, first, v))
    return [row for row in rows if row is not None]


def _worst(
    measured: Measured, samples: pd.DataFrame, cases: pd.DataFrame, v: Verdict
) -> Worst | None:
    """The first of the worst samples of these cases, which are of the verdict's setting."""
    its = samples[samples["case"].isin(cases.index)]
    if its.empty:
        return None
    row = its.iloc[int(its["ulp_error"].argmax())]
    case = cases.loc[row["case"]]
    where = input_name(str(case["distribution"])) + f", n = {case['n']}"
    exact, exponent = float(row["worst_exact"]), int(row["worst_exponent"])
    formula, ways = str(case["formula"]), computed_by(v.arithmetic, v.accumulation)
    computed, f = float(row["worst_computed"]), measured.formats[v.dtype]
    stored = encode(computed, f)
    return Worst(
        v.problem,
        v.dtype,
        computed_by(v.arithmetic, v.accumulation, v.how),
        formula,
        where + (f", M = {magnitude(float(case['magnitude']))}" if case["swept"] else ""),
        number(float(row["ulp_error"])),
        outcome_text(str(row["worst_outcome"])),
        str(row["worst_component"]),
        hexadecimal(computed),
        exact_text(exact, exponent),
        _HEX.sub(lambda found: hexadecimal(float.fromhex(found[0])), str(row["worst_input"])),
        int(row["case"]),
        exact_command(sample_of(measured, row), int(measured.manifest.get("seed") or 0)),
        show_command(measured.manifest, int(row["case"])),
        shortest(computed, f),
        stored.hexadecimal if stored else "",
        measured.facets.keys(
            problem=[v.problem], dtype=[v.dtype], formula=[formula], arithmetic=[ways]
        ),
    )


def sample_of(measured: Measured, row: pd.Series) -> Sample:
    """A row of the record as a sample whose inputs are known."""
    summary, number_of_case = measured.summary, int(row["case"])
    (case,) = summary.loc[[number_of_case]].to_dict("records")
    first = int((measured.record["case"] == number_of_case).to_numpy().argmax())
    place = int(measured.record.index.get_indexer(pd.Index([row.name]))[0])
    alike = [
        summary[key].isna() if pd.isna(case[key]) else summary[key] == case[key] for key in DEMAND
    ]
    shared = summary["dtype"][np.logical_and.reduce(alike)].unique()
    dtypes = shared if case["inputs"] == "shared" else [case["dtype"]]
    formats = tuple(measured.formats[str(dtype)] for dtype in dtypes)
    return Sample(
        case, place - first, str(row["worst_input"]), formats, int(row["worst_component"]),
        float(row["worst_exact"]), int(row["worst_exponent"]),
    )  # fmt: skip
