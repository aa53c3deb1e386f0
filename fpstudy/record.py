"""The record: one row for each case and sample, as measured, in Parquet."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fpstudy.cases import AXES, Case
from fpstudy.dyadic import BITS, LEAST_EXPONENT
from fpstudy.errors import Errors
from fpstudy.formats import Floats
from fpstudy.inputs import Inputs
from fpstudy.outcomes import CODE, NAMES
from fpstudy.truth import Truth

GROUP = 2**15  # rows of a Parquet row group: some megabytes
FULL_VECTOR = 16  # a worst input of up to so many logits is written out whole

COUNTS: tuple[str, ...] = (*NAMES, "flushed_subnormal", "bound_broken")
_TEXT_AXES = (
    "problem", "formula", "dtype", "arithmetic", "accumulation", "distribution", "target",
    "labels", "reduction", "inputs",
)  # fmt: skip
_INT_AXES = ("n", "batch", "samples")
_FLOAT_COLUMNS = ("relative_error", "ulp_error", "normwise_error", "bits_kept")
_WORST = ("worst_input", "worst_computed", "worst_exact", "worst_outcome", "reason")


def _axis_type(name: str) -> pa.DataType:
    if name in _TEXT_AXES:
        return pa.string()
    return pa.int64() if name in _INT_AXES else pa.float64()


MEASURED = pa.schema(
    [("case", pa.int64()), ("sample", pa.int64())]
    + [(name, _axis_type(name)) for name in AXES]
    + [("components", pa.int64())]
    + [(name, pa.float64()) for name in _FLOAT_COLUMNS]
    + [("worst_component", pa.int64())]
    + [(name, pa.string()) for name in _WORST]
    + [(name, pa.int64()) for name in COUNTS]
)
# environment: the id of where the row was measured; the manifest says what it stands for
SCHEMA = MEASURED.append(pa.field("environment", pa.string()))


def rows_of_errors(
    number: int, case: Case, inputs: Inputs, y: Floats, truth: Truth, errors: Errors, broken: Any
) -> pa.Table:
    """The rows of one case that ran: a row for each sample, its worst component named.

    broken: (samples,), computed log-sum-exps outside m <= y <= m + log n
    """
    samples = len(y)
    outcome, ulps = errors.outcome.reshape(samples, -1), errors.ulps.reshape(samples, -1)
    relative, bits = (part.reshape(samples, -1) for part in (errors.relative, errors.bits))
    measured = ~np.isnan(ulps).all(axis=1)
    worst = np.where(np.isnan(ulps), -1.0, ulps).argmax(axis=1)
    at = (np.arange(samples), worst)
    columns: dict[str, Any] = {
        "sample": np.arange(samples),
        "components": np.full(samples, outcome.shape[1]),
        "relative_error": _largest(relative, measured),
        "ulp_error": _largest(ulps, measured),
        "normwise_error": errors.normwise,
        "bits_kept": -_largest(-bits, measured),
        "worst_component": worst,
        "worst_input": [_input_text(inputs, i, int(j)) for i, j in enumerate(worst)],
        "worst_computed": [float(v).hex() for v in y.reshape(samples, -1)[at]],
        "worst_exact": _exact_texts(truth, at, samples),
        "worst_outcome": [NAMES[code] for code in outcome[at]],
        "reason": [""] * samples,
    }
    for name in NAMES:
        columns[name] = (outcome == CODE[name]).sum(axis=1)
    columns["flushed_subnormal"] = errors.flushed.reshape(samples, -1).sum(axis=1)
    columns["bound_broken"] = broken
    return _table(number, case, samples, columns)


def row_of_failure(number: int, case: Case, components: int, outcome: str, reason: str) -> pa.Table:
    """The row of a case that was skipped, crashed or returned nonsense: all components count.

    sample is -1. A crash or a bad output is a failure, with infinite errors; a skip has none.
    """
    error = np.nan if outcome == "skipped" else np.inf
    columns: dict[str, Any] = {
        "sample": [-1],
        "components": [components],
        **{name: [error] for name in _FLOAT_COLUMNS},
        "bits_kept": [np.nan if outcome == "skipped" else 0.0],
        "worst_component": [-1],
        **{name: [""] for name in _WORST},
        "reason": [reason],
        **{name: [components if name == outcome else 0] for name in COUNTS},
    }
    return _table(number, case, 1, columns)


def _table(number: int, case: Case, rows: int, columns: dict[str, Any]) -> pa.Table:
    constant = {"case": number, **case.axes}
    arrays = []
    for f in MEASURED:
        values = columns[f.name] if f.name in columns else [constant[f.name]] * rows
        arrays.append(pa.array(values, type=f.type, from_pandas=False))
    return pa.Table.from_arrays(arrays, schema=MEASURED)


def _largest(x: Floats, measured: Any) -> Floats:
    """Largest entry of each row, NaN left out; NaN for a row with nothing measured."""
    return np.where(measured, np.where(np.isnan(x), -np.inf, x).max(axis=1), np.nan)


def _input_text(inputs: Inputs, i: int, j: int) -> str:
    """The sample's logits in hex; of a long vector the worst component's logit and the largest."""
    x = inputs.x[i]
    if x.size <= FULL_VECTOR:
        rows = [" ".join(float(v).hex() for v in row) for row in np.atleast_2d(x)]
        return "; ".join(rows)
    flat = x.ravel()
    k = int(flat.argmax())
    own = f"x[{j}] = {float(flat[j]).hex()}, " if x.ndim == 1 and j < x.size else ""
    return f"{own}max x[{k}] = {float(flat[k]).hex()}, {x.size} logits"


def _exact_texts(truth: Truth, at: Any, samples: int) -> list[str]:
    """The exact values as float64, and beyond its range as h * 2**e."""
    hi = truth.hi.reshape(samples, -1)[at]
    exponent = truth.exponent.reshape(samples, -1)[at]
    with np.errstate(over="ignore"):
        values = np.ldexp(hi, np.clip(exponent, -3000, 3000))
    return [
        _exact_text(float(v), float(h), int(e))
        for v, h, e in zip(values, hi, exponent, strict=True)
    ]


def _exact_text(value: float, hi: float, exponent: int) -> str:
    if exponent <= LEAST_EXPONENT + BITS:
        return "-2**-2**40 < t < 0" if hi < 0 else "0 < t < 2**-2**40"
    within = (value != 0 or hi == 0) and np.isinf(value) == np.isinf(hi)
    return repr(value) if within else f"{hi!r} * 2**{exponent}"


def write(path: Path, tables: Iterable[pa.Table], environment: str) -> None:
    """Write the tables in the order in which they come, each row with its environment's id.

    They are gathered into row groups of about GROUP rows: a small group costs more than its rows.
    """
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        waiting: list[pa.Table] = []
        for table in tables:
            waiting.append(table)
            if sum(map(len, waiting)) >= GROUP:
                writer.write_table(_group(waiting, environment))
                waiting = []
        if waiting:
            writer.write_table(_group(waiting, environment))


def _group(tables: list[pa.Table], environment: str) -> pa.Table:
    table = pa.concat_tables(tables).combine_chunks()
    ids = pa.array([environment] * len(table), pa.string())
    return table.append_column(SCHEMA.field("environment"), ids)


def read(path: Path) -> pd.DataFrame:
    """The record as a DataFrame."""
    frame: pd.DataFrame = pq.read_table(path, schema=SCHEMA).to_pandas()
    return frame
