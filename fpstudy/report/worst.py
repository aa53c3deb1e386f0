"""The worst result of each formula to use, with the very input that gave it."""

from dataclasses import dataclass

import pandas as pd

from fpstudy.record import exact_text
from fpstudy.report.numbers import magnitude, number
from fpstudy.report.variants import SETTING, computed_by, input_name, with_variants
from fpstudy.report.verdicts import Verdict, each_verdict, outcome_text


@dataclass(frozen=True)
class Worst:
    """The component with most ulps of error among the samples that a verdict rests on."""

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


def worst_rows(record: pd.DataFrame, summary: pd.DataFrame, table: pd.DataFrame) -> list[Worst]:
    """One row for each verdict that has a finite worst error, up to its largest magnitude.

    record: its columns case (a row of the summary), ulp_error and worst_*
    """
    cases = with_variants(summary)
    samples = record[record["ulp_error"].notna()]
    rows = [_worst(samples, cases, verdict) for verdict in each_verdict(table)]
    return [row for row in rows if row is not None]


def _worst(samples: pd.DataFrame, cases: pd.DataFrame, v: Verdict) -> Worst | None:
    """The first of the worst samples of the formula, where its verdict holds."""
    own = cases[
        (cases["variant"] == v.problem)
        & (cases[SETTING].astype(str) == [v.dtype, v.arithmetic, v.accumulation]).all(axis=1)
        & (cases["formula"].astype(str) == v.formula)
    ]
    if v.inputs == "given":
        own = own[~own["swept"]]
    else:
        own = own[own["swept"] & (own["magnitude"] <= v.largest_magnitude)]
    its = samples[samples["case"].isin(own.index)]
    if its.empty:
        return None
    row = its.iloc[int(its["ulp_error"].argmax())]
    case = own.loc[row["case"]]
    where = input_name(str(case["distribution"])) + f", n = {case['n']}"
    return Worst(
        v.problem,
        v.dtype,
        computed_by(v.arithmetic, v.accumulation),
        v.formula,
        where + (f", M = {magnitude(float(case['magnitude']))}" if case["swept"] else ""),
        number(float(row["ulp_error"])),
        outcome_text(str(row["worst_outcome"])),
        str(row["worst_component"]),
        float(row["worst_computed"]).hex(),
        exact_text(float(row["worst_exact"]), int(row["worst_exponent"])),
        str(row["worst_input"]),
    )
