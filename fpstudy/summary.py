"""The summary: one row for each case, made from the record."""

from pathlib import Path

import numpy as np
import pandas as pd

from fpstudy.cases import AXES
from fpstudy.record import COUNTS

COLUMNS: tuple[str, ...] = (
    *AXES, "components",
    "relative_error_median", "relative_error_max", "ulp_error_median", "ulp_error_max",
    "normwise_error_max", "bits_kept_min", *COUNTS, "reason",
)  # fmt: skip


def summarize(record: pd.DataFrame) -> pd.DataFrame:
    """A row for each case: medians and maxima over its samples of the worst component.

    A failure counts as an infinite error; a sample without an exact value has no error and is left
    out of the median, and so is an undecided one: their counts stand in their own columns.
    """
    groups = record.groupby("case", sort=True)
    summary = groups[list(AXES)].first()
    summary = summary.assign(
        components=groups["components"].sum(),
        relative_error_median=_median(record, "relative_error"),
        relative_error_max=groups["relative_error"].max(),
        ulp_error_median=_median(record, "ulp_error"),
        ulp_error_max=groups["ulp_error"].max(),
        normwise_error_max=groups["normwise_error"].max(),
        bits_kept_min=groups["bits_kept"].min(),
        **{name: groups[name].sum() for name in COUNTS},
        reason=groups["reason"].first(),
    )
    outcomes = summary[list(COUNTS[:-2])].sum(axis=1)
    if not (outcomes == summary["components"]).all():
        raise AssertionError("the outcomes of a case do not add up to its components")
    return summary.reset_index(drop=True)[list(COLUMNS)]


def _median(record: pd.DataFrame, column: str) -> pd.Series:
    """Median over samples: the lower of the middle two is averaged with the upper, inf with inf."""
    with np.errstate(invalid="ignore"):
        return record.groupby("case", sort=True)[column].median()


def write_csv(summary: pd.DataFrame, path: Path) -> None:
    """Write the summary; floats in the shortest form that reads back equal."""
    summary.to_csv(path, index=False, lineterminator="\n")


def read_csv(path: Path) -> pd.DataFrame:
    """The summary as written: text columns stay text, empty ones are empty."""
    text = dict.fromkeys(("target", "labels", "reduction", "reason", "distribution"), str)
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=_NUMBERS_MISSING)


_NUMBERS_MISSING = {
    name: [""]
    for name in COLUMNS
    if name in ("base", "beta") or name.endswith(("_median", "_max", "_min"))
}
