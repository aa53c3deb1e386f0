"""The points of a figure: median and maximum of the relative error over the samples of each."""

import numpy as np
import pandas as pd

from fpstudy.report.arrangement import PANEL
from fpstudy.report.axis import AXES, Axis

MOST_ROWS = 5  # values of n, or magnitudes, with a row of panels each; beyond, they are pooled


def along(samples: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Median and maximum of the relative error over all samples that share a point of a curve."""
    rows, values = AXES[axis.rows], samples[axis.rows]
    if values.nunique() > MOST_ROWS:
        ends = f"{rows.text(values.min())} .. {rows.text(values.max())}"
        samples = samples.assign(row=f"{rows.symbol} = {ends}")
    else:
        samples = samples.assign(row=[f"{rows.symbol} = {rows.text(value)}" for value in values])
    beta = samples["beta"].astype(float).fillna(1.0)
    base = samples["base"].astype(float).fillna(np.e)
    samples = samples.assign(rate=np.abs(beta * np.log(base)), row_at=values)
    points = median_and_maximum(
        samples, ["row", axis.column],
        row_at=("row_at", "min"), rate=("rate", "min"), rate_max=("rate", "max"),
    )  # fmt: skip
    return points.assign(rate=points["rate"].where(points["rate"] == points["rate_max"]))


def median_and_maximum(
    samples: pd.DataFrame, keys: list[str], **others: tuple[str, str]
) -> pd.DataFrame:
    """One row for each line, panel and value of the keys."""
    grouped = samples.groupby(["line", *PANEL, *keys], sort=False)
    return grouped.agg(
        median=("relative_error", "median"),
        maximum=("relative_error", "max"),
        precision=("precision", "first"),
        largest=("largest", "first"),
        **others,
    ).reset_index()
