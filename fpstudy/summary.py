"""The summary: one row for each case, made from the record."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from fpstudy.cases import AXES
from fpstudy.divergences import SIZES
from fpstudy.record import COUNTS

# What a summary is made of: columns of the record.
SOURCES: tuple[str, ...] = (
    "case", *AXES, "components", "relative_error", "ulp_error", "normwise_error", "bits_kept",
    *SIZES, "top1_flip", *COUNTS, "reason",
)  # fmt: skip
COLUMNS: tuple[str, ...] = (
    *AXES, "components",
    "relative_error_median", "relative_error_max", "ulp_error_median", "ulp_error_max",
    "normwise_error_max", "bits_kept_min",
    *(f"{size}_max" for size in SIZES), "top1_flips", *COUNTS, "reason",
)  # fmt: skip


def summarize(record: pd.DataFrame) -> pd.DataFrame:
    """`summarize_parts` of a record that is whole."""
    return summarize_parts([record])


def summarize_parts(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """A row for each case: medians and maxima over its samples of the worst component.

    parts: of the record, none of which cuts a case in two; no two are held at a time

    A failure counts as an infinite error; a sample without an exact value has no error and is left
    out of the median, and so is an undecided one: their counts stand in their own columns. The
    divergences and top1_flips, the samples whose top class flipped, are missing where no sample
    has any.
    """
    summary = pd.concat([_of_part(part) for part in parts]).sort_index()
    outcomes = summary[list(COUNTS[:-2])].sum(axis=1)
    if not (outcomes == summary["components"]).all():
        raise AssertionError("the outcomes of a case do not add up to its components")
    return summary.reset_index(drop=True)[list(COLUMNS)]


def _of_part(record: pd.DataFrame) -> pd.DataFrame:
    """The rows of the cases of a part, by case."""
    groups = record.groupby("case", sort=True)
    shared = record.loc[~record["case"].duplicated(), ["case", *AXES, "reason"]].set_index("case")
    errors = ["relative_error", "ulp_error"]
    with np.errstate(invalid="ignore"):  # the middle two are averaged, and so may be inf and inf
        medians = groups[errors].median().add_suffix("_median")
    largest = groups[[*errors, "normwise_error", *SIZES]].max().add_suffix("_max")
    fewest = groups[["bits_kept"]].min().add_suffix("_min")
    counts = groups[["components", *COUNTS]].sum()
    flips = groups["top1_flip"].sum().astype("Int64").where(largest[f"{SIZES[0]}_max"].notna())
    flips = flips.rename("top1_flips")
    return pd.concat([shared.sort_index(), medians, largest, fewest, flips, counts], axis=1)


def write_csv(summary: pd.DataFrame, path: Path) -> None:
    """Write the summary; floats in the shortest form that reads back equal."""
    summary.to_csv(path, index=False, lineterminator="\n")


def read_csv(path: Path) -> pd.DataFrame:
    """The summary as written: text columns stay text, empty ones are empty."""
    texts = ("target", "labels", "reduction", "reason", "distribution")
    kinds = dict.fromkeys(texts, "str") | {"top1_flips": "Int64"}
    return pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=_NUMBERS_MISSING)


_NUMBERS_MISSING = {
    name: [""]
    for name in COLUMNS
    if name in ("base", "beta", "top1_flips") or name.endswith(("_median", "_max", "_min"))
}
