"""The words around a table for a paper: who computed what, on which inputs, in which study."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from fpstudy.report.numbers import count, magnitude
from fpstudy.report.paper.table import samples_text
from fpstudy.report.variants import computed_by, in_order, input_name, settings

MOST_VALUES = 8  # of an axis that a caption spells out
IDLE: dict[str, object] = {"offset": 0.0, "masked": 0.0, "ignored": 0.0}
_CONDITIONS = (
    "n", "magnitude", "offset", "base", "beta", "target", "labels", "ignored", "masked", "inputs",
)  # fmt: skip


def circumstances(
    frame: pd.DataFrame, manifest: Mapping[str, Any], without: Collection[str] = ()
) -> str:
    """Who computed the frame's results, on what, in which study.

    without: axes that the table itself tells apart
    """
    kinds = [input_name(name) for name in in_order(frame["distribution"])]
    said = [
        f"{name} = {_listed(_values(frame, name))}"
        for name in _CONDITIONS
        if name not in without and _values(frame, name)
    ]
    logits = [] if "distribution" in without else [f"logits {_listed(kinds)}"]
    parts = "; ".join([*_who(frame, without), *logits, *said, f"{_sizes(frame)} a case"])
    study = str(manifest.get("name") or "unknown")
    return f"{parts[:1].upper()}{parts[1:]}. Study {study}."


def _who(frame: pd.DataFrame, without: Collection[str]) -> list[str]:
    """The settings in words: "in float16, bfloat16", "by numpy, native accumulation"."""
    found = settings(frame)
    dtypes = list(dict.fromkeys(dtype for dtype, _, _ in found))
    ways = list(dict.fromkeys(computed_by(*way) for _, *way in found))
    said = [] if "dtype" in without else [f"in {_listed(dtypes)}"]
    if not {"arithmetic", "accumulation"} <= set(without):
        said.append(f"by {' and by '.join(ways)}")
    return said


def _sizes(frame: pd.DataFrame) -> str:
    return samples_text([int(size) for size in frame["samples"].unique()])


def _values(frame: pd.DataFrame, name: str) -> list[str]:
    """An axis' values in words; none where they say nothing."""
    column = frame[name].dropna()
    if name == "magnitude":
        column = column[frame.loc[column.index, "swept"]]
    if not pd.api.types.is_numeric_dtype(column):
        return [text for text in in_order(column) if text]
    values = sorted(column.unique().tolist())
    if values == [IDLE.get(name)]:
        return []
    return [str(x) if isinstance(x, int) else magnitude(x) for x in values]


def _listed(texts: list[str]) -> str:
    """Texts one after the other; of many the ends."""
    if len(texts) <= MOST_VALUES:
        return ", ".join(texts)
    return f"{texts[0]} .. {texts[-1]} ({len(texts)} values)"


def not_run(frame: pd.DataFrame) -> list[str]:
    """The sentence on cases that were not run, if there are any."""
    skipped = frame[frame["skipped"] > 0]
    if skipped.empty:
        return []
    reasons = list(dict.fromkeys(skipped["reason"].astype(str)))
    more = f" and {len(reasons) - 1} other reasons" if len(reasons) > 1 else ""
    return [f"{count(len(skipped))} of {count(len(frame))} cases were not run: {reasons[0]}{more}."]
