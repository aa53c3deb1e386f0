"""The table of failure counts for a paper: what became of all results of each formula."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fpstudy.record import COUNTS
from fpstudy.report.paper.table import Cell, Column, PaperTable, Tables
from fpstudy.report.paper.words import circumstances, not_run
from fpstudy.report.tables import Failures, failure_rows
from fpstudy.report.variants import SETTING, with_variants


def _row(row: Failures, several: bool) -> tuple[Cell, ...]:
    way = [row.computed_by] * several
    counts = (row.lost_subnormals, row.undecided, row.skipped)
    return (
        row.problem, row.formula, row.dtype, *way, row.components, row.failing, row.which, *counts,
    )  # fmt: skip


def failure_table(summary: pd.DataFrame, manifest: Mapping[str, Any]) -> Tables:
    """A row for each formula in each setting, none left out."""
    frame = with_variants(summary)
    rows = failure_rows(summary)
    several = len({row.computed_by for row in rows}) > 1
    columns = [Column("problem"), Column("formula"), Column("dtype")]
    columns += [Column("computed by")] * several
    columns += [Column(name, True) for name in ("results", "failing")]
    columns += [Column("which"), Column("lost subnormals", True)]
    columns += [Column(name, True) for name in ("undecided", "not run")]
    without = ("arithmetic", "accumulation") if several else ()
    table = PaperTable(
        name="failures",
        caption="Results that fail, by kind: NaN, infinity or zero that the exact value is not,"
        f" the wrong sign, or an error raised. {circumstances(frame, manifest, without)}",
        columns=tuple(columns),
        rows=tuple(_row(row, several) for row in rows),
        notes=(
            "A vector counts with each of its components. What overflows or underflows as the"
            " exact value does is no failure.",
            *not_run(frame),
        ),
    )
    keys = ["variant", "formula", *SETTING]
    counts = frame.groupby(keys, sort=False)[["components", "failing", *COUNTS]].sum()
    return Tables((table,), counts.reset_index().rename(columns={"variant": "problem"}))
