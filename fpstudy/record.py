"""The record: one row for each case and sample, as measured, in Parquet.

The worst component of each sample is there with what was computed and the exact value, in numbers:
t = worst_exact * 2**worst_exponent, the exponent being 0 where float64 holds t. The inputs are
written out for the worst sample of each case; those of the others follow from the seed.

The divergences of a probability distribution are NaN, and top1_flip is 0, where the result is none
or has no exact value.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fpstudy.cases import AXES, Case
from fpstudy.damage import DamagedError
from fpstudy.divergences import SIZES, Divergences
from fpstudy.dyadic import BITS, LEAST_EXPONENT
from fpstudy.environment.memory import available
from fpstudy.errors import SampleErrors
from fpstudy.formats import Floats
from fpstudy.outcomes import NAMES
from fpstudy.problems import PROBLEMS
from fpstudy.reasons import first_line
from fpstudy.truth import Truth

if TYPE_CHECKING:
    import pandas as pd  # only who reads a record needs it

ROW_BYTES = 400  # of the columns that a report reads, in memory
GROUP = 2**15  # rows of a Parquet row group: some megabytes
FULL_VECTOR = 16  # a worst input of up to so many logits is written out whole

COUNTS: tuple[str, ...] = (*NAMES, "flushed_subnormal", "bound_broken")
TEXT_AXES = (
    "problem", "formula", "dtype", "arithmetic", "accumulation", "distribution", "target",
    "labels", "reduction", "inputs",
)  # fmt: skip
_INT_AXES = ("n", "batch", "samples")
Choices = tuple[Sequence[str], NDArray[np.int64]]  # texts, and which of them each row has
_FLOAT_COLUMNS = ("relative_error", "ulp_error", "normwise_error", "bits_kept")
_NO_DIVERGENCES: dict[str, float] = {**dict.fromkeys(SIZES, np.nan), "top1_flip": 0}
_TEXTS = ("worst_input", "worst_outcome", "reason")


def _axis_type(name: str) -> pa.DataType:
    if name in TEXT_AXES:
        return pa.string()
    return pa.int64() if name in _INT_AXES else pa.float64()


MEASURED = pa.schema(
    [("case", pa.int64()), ("sample", pa.int64())]
    + [(name, _axis_type(name)) for name in AXES]
    + [("components", pa.int64())]
    + [(name, pa.float64()) for name in (*_FLOAT_COLUMNS, *SIZES)]
    + [("top1_flip", pa.int64())]
    + [("worst_component", pa.int64()), ("worst_computed", pa.float64())]
    + [("worst_exact", pa.float64()), ("worst_exponent", pa.int64())]
    + [(name, pa.string()) for name in _TEXTS]
    + [(name, pa.int64()) for name in COUNTS]
)
# environment: the id of where the row was measured; the manifest says what it stands for
SCHEMA = MEASURED.append(pa.field("environment", pa.string()))


def input_text(x: Floats, component: int) -> str:
    """A sample's logits in hex; of a long vector its component's logit and the largest.

    x: (n,) or, of a batch whose components are rows, (rows, n)
    """
    if x.size <= FULL_VECTOR:
        rows = x.reshape(-1, x.shape[-1]).tolist()
        return "; ".join(" ".join(v.hex() for v in row) for row in rows)
    k = int(x.argmax())
    largest = f"max x[{k}] = {float(x.flat[k]).hex()}, {x.size} logits"
    return f"x[{component}] = {float(x[component]).hex()}, {largest}" if x.ndim == 1 else largest


@dataclass(frozen=True)
class Rows:
    """The rows of one case: a row for each sample, or one of sample -1 where none was scored.

    columns: arrays of `length`, Choices, and the texts and numbers that all rows share
    ended:   what became of the case: "run", "skipped" or "crashed" (bad output included)
    """

    length: int
    columns: dict[str, Any]
    ended: str = "run"


def rows_of_errors(
    number: int, case: Case, x: Floats, y: Floats, truth: Truth, errors: SampleErrors,
    broken: NDArray[Any], divergences: Divergences | None = None,
) -> Rows:  # fmt: skip
    """The rows of one case that ran: a row for each sample, its worst component named.

    x:      the logits, (samples, n) or (samples, rows, n)
    broken: (samples,), computed log-sum-exps outside m <= y <= m + log n
    divergences: where the results are probability distributions
    """
    samples, worst = len(y), errors.component
    at = (np.arange(samples), worst)
    exact, exponent = exact_parts(truth, at)
    k = int(np.where(np.isnan(errors.ulps), -1.0, errors.ulps).argmax())
    columns = {
        "case": number,
        **case.axes,
        "sample": at[0],
        "components": y.size // samples,
        "relative_error": errors.relative,
        "ulp_error": errors.ulps,
        "normwise_error": errors.normwise,
        "bits_kept": errors.bits,
        **(_NO_DIVERGENCES if divergences is None else vars(divergences)),
        "worst_component": worst,
        "worst_computed": y.reshape(samples, -1)[at],
        "worst_exact": exact,
        "worst_exponent": exponent,
        "worst_input": (("", input_text(x[k], int(worst[k]))), (at[0] == k).astype(np.int64)),
        "worst_outcome": (NAMES, errors.outcome.astype(np.int64)),
        "reason": "",
        **dict(zip(NAMES, errors.counts.T, strict=True)),
        "flushed_subnormal": errors.flushed,
        "bound_broken": broken,
    }
    return Rows(samples, columns)


def row_of_failure(number: int, case: Case, components: int, outcome: str, reason: str) -> Rows:
    """The row of a case that was skipped, crashed or returned nonsense: all components count.

    sample is -1. A crash or a bad output is a failure, with infinite errors, and flips the top
    class of all samples; a skip has none.
    """
    error = np.nan if outcome == "skipped" else np.inf
    divergences = _NO_DIVERGENCES
    if outcome != "skipped" and PROBLEMS[case.demand.problem].distribution:
        divergences = dict.fromkeys(SIZES, error) | {"top1_flip": case.demand.samples}
    columns: dict[str, Any] = {
        "case": number,
        **case.axes,
        "sample": -1,
        "components": components,
        **dict.fromkeys(_FLOAT_COLUMNS, error),
        "bits_kept": np.nan if outcome == "skipped" else 0.0,
        **divergences,
        "worst_component": -1,
        "worst_computed": np.nan,
        "worst_exact": np.nan,
        "worst_exponent": 0,
        **dict.fromkeys(_TEXTS, ""),
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


def are_of(rows: pa.Table, cases: Sequence[tuple[int, Case]]) -> bool:
    """Whether these are rows of the numbered cases: in their order, each with all of its samples.

    Numbers may be others than those measured; but axes, samples, counts and signs are the cases'.
    """
    if not rows.schema.equals(MEASURED) or any(column.null_count for column in rows.columns):
        return False
    starts = np.flatnonzero(np.diff(rows["case"].to_numpy(), prepend=-1))
    if rows["case"].to_numpy()[starts].tolist() != [number for number, _ in cases]:
        return False
    lengths = np.diff(starts, append=len(rows))
    samples = np.arange(len(rows)) - np.repeat(starts, lengths)
    given = rows["sample"].to_numpy()
    failed = given[starts] == -1
    wanted = np.where(failed, 1, [case.demand.samples for _, case in cases])
    if (lengths != wanted).any() or (given != samples - np.repeat(failed, lengths)).any():
        return False
    return _have_axes(rows, [case for _, case in cases], lengths) and _add_up(rows)


def _have_axes(rows: pa.Table, cases: Sequence[Case], lengths: NDArray[np.int64]) -> bool:
    axes = [case.axes for case in cases]
    for name in AXES:
        values: list[Any] = [each[name] for each in axes]
        found, kind = rows[name].combine_chunks(), MEASURED.field(name).type
        if kind == pa.string():
            if not found.equals(_texts(values, lengths)):
                return False
        else:
            expected = _numbers(values, lengths, kind).to_numpy()
            if not np.array_equal(found.to_numpy(), expected, equal_nan=True):
                return False
    return True


def _add_up(rows: pa.Table) -> bool:
    """Whether no count or error is negative, and the outcomes are those of all components."""
    counts = np.stack([rows[name].to_numpy() for name in COUNTS])
    errors = [rows[name].to_numpy() for name in (*_FLOAT_COLUMNS, *SIZES)]
    outcomes = counts[: len(NAMES)].sum(axis=0)
    return bool(
        (counts >= 0).all()
        and (outcomes == rows["components"].to_numpy()).all()
        and not any((error < 0).any() for error in errors)
    )


# Both make their array from its buffers: pa.array would import pandas, for each process anew.


def _texts(values: Sequence[str | Choices], lengths: NDArray[np.int64]) -> pa.Array:
    texts: dict[str, int] = {}  # each once, in the order in which they come
    codes = []
    for value, length in zip(values, lengths.tolist(), strict=True):
        choices, which = ((value,), None) if isinstance(value, str) else value
        known = np.asarray([texts.setdefault(text, len(texts)) for text in choices])
        codes.append(np.full(length, known[0]) if which is None else known[which])
    encoded = [text.encode() for text in texts]
    ends = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=ends[1:])
    joined = pa.py_buffer(b"".join(encoded))
    known_texts = pa.StringArray.from_buffers(len(encoded), pa.py_buffer(ends), joined)
    indices = np.concatenate([*codes, np.zeros(0, dtype=np.int64)]).astype(np.int64)
    index = pa.Array.from_buffers(pa.int64(), len(indices), [None, pa.py_buffer(indices)])
    return known_texts.take(index)


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


def exact_parts(truth: Truth, at: Any) -> tuple[Floats, NDArray[np.int64]]:
    """Exact values as float64 and exponent 0; beyond its range as the significand and exponent."""
    samples = len(truth.hi)
    hi = truth.hi.reshape(samples, -1)[at]
    exponent = truth.exponent.reshape(samples, -1)[at]
    with np.errstate(over="ignore"):
        value = np.ldexp(hi, np.clip(exponent, -3000, 3000).astype(np.int32))
    within = ((value != 0) | (hi == 0)) & (np.isinf(value) == np.isinf(hi))
    within |= np.isnan(hi)
    return np.where(within, value, hi), np.where(within, 0, exponent)


def exact_text(value: float, exponent: int) -> str:
    """The exact value that the record has as value * 2**exponent."""
    if exponent == 0:
        return repr(value)
    if exponent <= LEAST_EXPONENT + BITS:
        return "-2**-2**40 < t < 0" if value < 0 else "0 < t < 2**-2**40"
    return f"{value!r} * 2**{exponent}"


def write(path: Path, tables: Iterable[tuple[pa.Table, str]]) -> None:
    """Write the tables in the order in which they come, each row with its environment's id.

    tables: each with the id of the environment that it was measured in
    They are gathered into row groups of about GROUP rows: a small group costs more than its rows.
    """
    # Arrow would leave a file of its own open where the disk is full, and its room taken.
    with path.open("wb") as file, pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        waiting: list[tuple[pa.Table, str]] = []
        rows = 0
        for table, environment in tables:
            waiting.append((table, environment))
            rows += len(table)
            if rows >= GROUP:
                writer.write_table(_group(waiting))
                waiting, rows = [], 0
        if waiting:
            writer.write_table(_group(waiting))


def _group(tables: list[tuple[pa.Table, str]]) -> pa.Table:
    group = pa.concat_tables([table for table, _ in tables]).combine_chunks()
    lengths = np.asarray([len(table) for table, _ in tables])
    ids = _texts([environment for _, environment in tables], lengths)
    return group.append_column(SCHEMA.field("environment"), ids)


def check(path: Path) -> None:
    """Hold a record that may be somebody else's against what `write` writes.

    Raises DamagedError for a file that is no record, has other columns, or says that it has more
    rows than this machine's memory holds: Parquet packs a billion equal rows into a kilobyte.
    """
    try:
        with path.open("rb") as file:  # not its name, of which Arrow wants UTF-8
            head = pq.ParquetFile(file)
            schema, rows = head.schema_arrow, head.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedError(f"{path} is damaged ({first_line(error)})") from None
    for field in SCHEMA:
        there = schema.field(field.name).type if schema.names.count(field.name) == 1 else "none"
        if there != field.type:
            raise DamagedError(f"{path} is damaged (column {field.name} is {there})")
    if not 0 <= rows <= available() // ROW_BYTES:  # none of a study that only has claims
        raise DamagedError(f"{path} says that it has {rows:,} rows, which is too many")


def _whole(table: pa.Table, path: Path) -> pa.Table:
    """The table, no value of which is missing; pandas' own metadata is not looked at."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count:
            raise DamagedError(f"{path} is damaged (column {name} lacks values)")
    return table.replace_schema_metadata(None)


def read(path: Path) -> "pd.DataFrame":
    """The record as a DataFrame."""
    with path.open("rb") as file:
        table = pq.read_table(file, schema=SCHEMA)
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame


def parts(path: Path, columns: Sequence[str]) -> "Iterator[pd.DataFrame]":
    """Columns of the record, case among them, in parts that hold whole cases.

    Raises DamagedError where a value is missing.
    """
    kept = pa.schema([SCHEMA.field(name) for name in columns])
    rest = kept.empty_table()
    with path.open("rb") as file:
        for batch in pq.ParquetFile(file).iter_batches(GROUP, columns=kept.names):
            part = _whole(pa.Table.from_batches([batch]).select(kept.names), path)
            table = pa.concat_tables([rest, part])
            cases = table["case"].to_numpy()
            whole = int((cases != cases[-1]).sum())  # a case's rows stand together
            if whole:
                yield table[:whole].to_pandas(ignore_metadata=True)
            rest = table[whole:]
    yield rest.to_pandas(ignore_metadata=True)


def samples(path: Path) -> "pd.DataFrame":
    """What a report reads of each sample: its case, errors and worst component.

    Texts stay outside Python: those that repeat as categories, the others as Arrow has them.
    """
    import pandas as pd

    repeated = ["distribution", "worst_input"]
    columns = ["case", "relative_error", "ulp_error", "worst_component", *repeated]
    columns += ["worst_computed", "worst_exact", "worst_exponent", "worst_outcome"]
    with path.open("rb") as file:
        table = pq.read_table(file, columns=columns, read_dictionary=repeated)
    frame: pd.DataFrame = _whole(table, path).to_pandas(
        types_mapper={pa.string(): pd.ArrowDtype(pa.string())}.get, ignore_metadata=True
    )
    return frame
