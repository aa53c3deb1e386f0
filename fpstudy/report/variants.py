"""The summary as a report reads it: each case with its variant, its failures, and its axis."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from fpstudy.formats import FORMATS
from fpstudy.outcomes import FAILURES
from fpstudy.problems.problem import options_of
from fpstudy.visible import visible

SETTING: list[str] = ["dtype", "arithmetic", "accumulation"]  # who computed: always named together


def with_variants(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy of a summary or a record with the columns `variant` and `swept` added.

    variant: what a reader calls the problem, see `variant`
    swept:   whether the magnitude is an axis (vectors given in the study or a file have none)

    A summary gains two counts of components as well:

    failing:  outcomes that a user would call broken, without the lost subnormals
    measured: components that a formula was run on
    """
    keys = ["problem", "reduction", "batch", "base", "beta"]
    names = {key: variant(*key) for key in set(_key_rows(frame[keys]))}
    added: dict[str, Any] = {
        **{name: _visible(frame[name]) for name in ("formula", "distribution", *SETTING)},
        "variant": [names[key] for key in _key_rows(frame[keys])],
        "swept": ~frame["distribution"].astype(str).str.match(r"explicit\b|file:")
        & frame["magnitude"].notna(),
    }
    if "components" in frame:
        failing = frame[list(FAILURES)].sum(axis=1) - frame["flushed_subnormal"]
        added["failing"] = failing.astype(int)
        added["measured"] = frame["components"] - frame["skipped"]
    return frame.assign(**added)


def _visible(names: pd.Series) -> pd.Series:
    """The names as text that can be drawn and printed."""
    return names.map({name: visible(name) for name in names.unique()})


def _key_rows(keys: pd.DataFrame) -> list[tuple[str, str, int, bool, bool]]:
    """The columns that decide a variant, row by row, with what is empty written one way."""
    reduction = keys["reduction"].fillna("").astype(str).replace("none", "")
    batch = pd.to_numeric(keys["batch"], errors="coerce").fillna(0).astype(int)
    columns = (
        keys["problem"].astype(str),
        reduction,
        batch.where(reduction != "", 0),
        keys["base"].notna(),
        keys["beta"].notna(),
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def variant(problem: str, reduction: str, batch: int, base: bool, beta: bool) -> str:
    """The name of a problem with what changes its meaning: "softmax (base b)"."""
    notes = []
    if base:
        notes.append("base b")
    if beta:
        notes.append("inverse temperature beta")
    if reduction:
        notes.append(f"{reduction} over {batch} rows" if batch else reduction)
    return visible(f"{problem} ({', '.join(notes)})" if notes else problem)


def in_order(names: pd.Series) -> list[str]:
    """Each name once, in the order in which the study first has it."""
    return [str(name) for name in names.drop_duplicates()]


def settings(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    """The (dtype, arithmetic, accumulation) of a frame: dtypes in order, in each as they come."""
    unique = frame[SETTING].astype(str).drop_duplicates()
    rows = [(row[0], row[1], row[2]) for row in unique.itertuples(index=False)]
    return sorted(rows, key=dtype_order(frame))


def dtype_order(frame: pd.DataFrame) -> Callable[[tuple[str, ...]], int]:
    """A key to sort rows that begin with a dtype: the formats built in, then a study's own."""
    names = list(dict.fromkeys([*FORMATS, *in_order(frame["dtype"].astype(str))]))
    return lambda row: names.index(row[0])


def accumulation_text(accumulation: str) -> str:
    """How sums were carried out: "native", "kahan", "kahan in float32"."""
    order, _, width = accumulation.partition(":")
    return f"{order} in {width}" if width else order


def computed_by(arithmetic: str, accumulation: str, how: str = "") -> str:
    """What carried out the operations, and the sums: "rounded, kahan sums in float32"."""
    order, _, width = accumulation.partition(":")
    sums = "native accumulation" if order == "native" else f"{order} sums"
    told = f"{arithmetic}, {sums}" + (f" in {width}" if width else "")
    return told + (f", {how}" if how else "")


HOW: dict[str, str] = {"compute": "computing in", "store": "logits stored in"}


def how(formula: str) -> str:
    """How a formula's options part from the dtype: "computing in float32", or nothing.

    The formulas that compute in another format, or that first store their logits in one, are
    answers to another question than those that do not.
    """
    chosen = options_of(formula)
    return ", ".join(f"{said} {chosen[key]}" for key, said in HOW.items() if chosen.get(key))


def input_name(distribution: str) -> str:
    """How a reader knows an input: a file by its name alone."""
    if distribution.startswith("file:"):
        return "file " + PurePosixPath(distribution.removeprefix("file:")).name
    return distribution
