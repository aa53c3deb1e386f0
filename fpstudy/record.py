"""The record: one row for each case and sample, as measured, in Parquet."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fpstudy.cases import AXES, Case
from fpstudy.dyadic import BITS, LEAST_EXPONENT
from fpstudy.errors import SampleErrors
from fpstudy.formats import Floats
from fpstudy.outcomes import NAMES
from fpstudy.truth import Truth

if TYPE_CHECKING:
    import pandas as pd  # only who reads a record needs it

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


class InputTexts:
    """A demand's inputs in words, which are the same for all of its cases."""

    def __init__(self, x: Floats) -> None:
        """The logits, (samples, n) or (samples, rows, n)."""
        self._x = x

    def at(self, components: Sequence[int]) -> list[str]:
        """Each sample's logits in hex; of a long vector its component's logit and the largest."""
        if self._x[0].size <= FULL_VECTOR:
            return self._whole
        if self._x.ndim > 2:  # the components of a batch are rows
            return self._largest
        own = self._x[np.arange(len(self._x)), components].tolist()
        parts = zip(components, own, self._largest, strict=True)
        return [f"x[{j}] = {x.hex()}, {largest}" for j, x, largest in parts]

    @cached_property
    def _whole(self) -> list[str]:
        rows = self._x.reshape(len(self._x), -1, self._x.shape[-1]).tolist()
        return ["; ".join(" ".join(v.hex() for v in row) for row in sample) for sample in rows]

    @cached_property
    def _largest(self) -> list[str]:
        flat = self._x.reshape(len(self._x), -1)
        at = flat.argmax(axis=1)
        parts = zip(at.tolist(), flat[np.arange(len(flat)), at].tolist(), strict=True)
        return [f"max x[{k}] = {x.hex()}, {flat.shape[1]} logits" for k, x in parts]


@dataclass(frozen=True)
class Rows:
    """The rows of one case: a row for each sample, or one of sample -1 where none was scored.

    columns: arrays and lists of `length`, and the texts and numbers that all rows share
    ended:   what became of the case: "run", "skipped" or "crashed" (bad output included)
    """

    length: int
    columns: dict[str, Any]
    ended: str = "run"


def rows_of_errors(
    number: int, case: Case, inputs: InputTexts, y: Floats, truth: Truth, errors: SampleErrors,
    broken: NDArray[Any],
) -> Rows:  # fmt: skip
    """The rows of one case that ran: a row for each sample, its worst component named.

    broken: (samples,), computed log-sum-exps outside m <= y <= m + log n
    """
    samples, worst = len(y), errors.component
    at = (np.arange(samples), worst)
    columns = {
        "case": number,
        **case.axes,
        "sample": at[0],
        "components": y.size // samples,
        "relative_error": errors.relative,
        "ulp_error": errors.ulps,
        "normwise_error": errors.normwise,
        "bits_kept": errors.bits,
        "worst_component": worst,
        "worst_input": inputs.at(worst.tolist()),
        "worst_computed": [v.hex() for v in y.reshape(samples, -1)[at].tolist()],
        "worst_exact": _exact_texts(truth, at, samples),
        "worst_outcome": [NAMES[code] for code in errors.outcome.tolist()],
        "reason": "",
        **dict(zip(NAMES, errors.counts.T, strict=True)),
        "flushed_subnormal": errors.flushed,
        "bound_broken": broken,
    }
    return Rows(samples, columns)


def row_of_failure(number: int, case: Case, components: int, outcome: str, reason: str) -> Rows:
    """The row of a case that was skipped, crashed or returned nonsense: all components count.

    sample is -1. A crash or a bad output is a failure, with infinite errors; a skip has none.
    """
    error = np.nan if outcome == "skipped" else np.inf
    columns: dict[str, Any] = {
        "case": number,
        **case.axes,
        "sample": -1,
        "components": components,
        **dict.fromkeys(_FLOAT_COLUMNS, error),
        "bits_kept": np.nan if outcome == "skipped" else 0.0,
        "worst_component": -1,
        **dict.fromkeys(_WORST, ""),
        "reason": reason,
        **{name: components if name == outcome else 0 for name in COUNTS},
    }
    return Rows(1, columns, "skipped" if outcome == "skipped" else "crashed")


def table(parts: Sequence[Rows]) -> pa.Table:
    """The rows of many cases, one below the other."""
    lengths = np.asarray([part.length for part in parts], dtype=np.int64)
    arrays = []
    for field in MEASURED:
        values = [part.columns[field.name] for part in parts]
        text = field.type == pa.string()
        arrays.append(_texts(values, lengths) if text else _numbers(values, lengths, field.type))
    return pa.Table.from_arrays(arrays, schema=MEASURED)


# Both make their array from its buffers: pa.array would import pandas, for each process anew.


def _texts(values: list[str | list[str]], lengths: NDArray[np.int64]) -> pa.Array:
    texts: list[bytes] = []
    for value, length in zip(values, lengths.tolist(), strict=True):
        if isinstance(value, str):
            texts.extend([value.encode()] * length)
        else:
            texts.extend(text.encode() for text in value)
    ends = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in texts], out=ends[1:])
    return pa.StringArray.from_buffers(
        len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts))
    )


def _numbers(values: list[Any], lengths: NDArray[np.int64], kind: pa.DataType) -> pa.Array:
    if any(isinstance(value, np.ndarray) for value in values):
        parts = zip(values, lengths, strict=True)
        numbers = np.concatenate(
            [v if isinstance(v, np.ndarray) else np.full(length, v) for v, length in parts]
        )
    else:
        numbers = np.repeat(np.asarray(values), lengths)
    native = np.float64 if kind == pa.float64() else np.int64
    buffer = pa.py_buffer(np.ascontiguousarray(numbers, dtype=native))
    return pa.Array.from_buffers(kind, len(numbers), [None, buffer])


def _exact_texts(truth: Truth, at: Any, samples: int) -> list[str]:
    """The exact values as float64, and beyond its range as h * 2**e."""
    hi = truth.hi.reshape(samples, -1)[at]
    exponent = truth.exponent.reshape(samples, -1)[at]
    with np.errstate(over="ignore"):
        values = np.ldexp(hi, np.clip(exponent, -3000, 3000))
    return list(map(_exact_text, values.tolist(), hi.tolist(), exponent.tolist()))


def _exact_text(value: float, hi: float, exponent: int) -> str:
    if exponent <= LEAST_EXPONENT + BITS:
        return "-2**-2**40 < t < 0" if hi < 0 else "0 < t < 2**-2**40"
    within = (value != 0 or hi == 0) and math.isinf(value) == math.isinf(hi)
    return repr(value) if within else f"{hi!r} * 2**{exponent}"


def write(path: Path, tables: Iterable[pa.Table], environment: str) -> None:
    """Write the tables in the order in which they come, each row with its environment's id.

    They are gathered into row groups of about GROUP rows: a small group costs more than its rows.
    """
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        waiting: list[pa.Table] = []
        rows = 0
        for table in tables:
            waiting.append(table)
            rows += len(table)
            if rows >= GROUP:
                writer.write_table(_group(waiting, environment))
                waiting, rows = [], 0
        if waiting:
            writer.write_table(_group(waiting, environment))


def _group(tables: list[pa.Table], environment: str) -> pa.Table:
    table = pa.concat_tables(tables).combine_chunks()
    ids = _texts([environment], np.asarray([len(table)]))
    return table.append_column(SCHEMA.field("environment"), ids)


def read(path: Path) -> "pd.DataFrame":
    """The record as a DataFrame."""
    frame: pd.DataFrame = pq.read_table(path, schema=SCHEMA).to_pandas()
    return frame


def parts(path: Path, columns: Sequence[str]) -> "Iterator[pd.DataFrame]":
    """Columns of the record, case among them, in parts that hold whole cases."""
    kept = pa.schema([SCHEMA.field(name) for name in columns])
    rest = kept.empty_table()
    for batch in pq.ParquetFile(path).iter_batches(GROUP, columns=kept.names):
        table = pa.concat_tables([rest, pa.Table.from_batches([batch]).select(kept.names)])
        cases = table["case"].to_numpy()
        whole = int((cases != cases[-1]).sum())  # a case's rows stand together
        if whole:
            yield table[:whole].to_pandas()
        rest = table[whole:]
    yield rest.to_pandas()


def samples(path: Path) -> "pd.DataFrame":
    """What a report reads of each sample: its case, errors and worst component.

    Texts stay outside Python: those that repeat as categories, the others as Arrow has them.
    """
    import pandas as pd

    repeated = ["distribution", "worst_input"]
    columns = ["case", "relative_error", "ulp_error", "worst_component", *repeated]
    table = pq.read_table(
        path,
        columns=[*columns, "worst_computed", "worst_exact", "worst_outcome"],
        read_dictionary=repeated,
    )
    frame: pd.DataFrame = table.to_pandas(
        types_mapper={pa.string(): pd.ArrowDtype(pa.string())}.get
    )
    return frame
