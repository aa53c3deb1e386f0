"""The points of a figure: median and maximum of the relative error over the samples of each.

A sample without a size of its error (NaN for a number, infinity for a finite value) counts as an
infinite error; one that was not run, or not decided, has none and does not count.
"""

import numpy as np
import pandas as pd

from fpstudy.report.arrangement import PANEL
from fpstudy.report.axis import AXES, Axis

FACTS = ("precision", "largest", "least")  # of the format: bits, largest and least number above 0
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
    samples = samples.assign(
        rate=np.abs(beta * np.log(base)), row_at=values, gap=samples["distribution"] == "two_point"
    )
    points = median_and_maximum(
        samples, ["row", axis.column],
        row_at=("row_at", "min"), row_to=("row_at", "max"), gap=("gap", "min"),
        rate=("rate", "min"), rate_max=("rate", "max"),
    )  # fmt: skip
    return points.assign(rate=points["rate"].where(points["rate"] == points["rate_max"]))


def median_and_maximum(
    samples: pd.DataFrame, keys: list[str], **others: tuple[str, str]
) -> pd.DataFrame:
    """One row for each line, panel and value of the keys.

    samples: those that have an error; infinite: those of them whose error is not finite
    """
    infinite = np.isinf(samples["relative_error"])
    grouped = samples.assign(infinite=infinite).groupby(["line", *PANEL, *keys], sort=False)
    facts = {name: (name, "first") for name in FACTS if name in samples}
    return grouped.agg(
        median=("relative_error", "median"),
        maximum=("relative_error", "max"),
        samples=("relative_error", "count"),
        infinite=("infinite", "sum"),
        **facts,
        **others,
    ).reset_index()
