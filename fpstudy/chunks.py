"""Chunks: tasks that go to a process together, each kept in a file of its own once it is done.

A chunk's key is the digest of all that its results depend on: its tasks with their seeds, the bytes
of their logit files, the sources of formulas and fpstudy's own, the packages, the environment. So a
file can be trusted wherever its key is asked for, and running again does what is missing.

A file is the rows in Parquet, the counts and the key in its metadata, and a digest of the whole at
its end. It is written under another name, flushed to the disk and renamed; one that is not whole,
or that another chunk's cases are in, is no file.
"""

import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fpstudy import whole_file
from fpstudy.measurement import Measured, Task
from fpstudy.record import are_of
from fpstudy.regular_file import NotRegularError, opened
from fpstudy.user_code import NO_CODE
from fpstudy.witness import Testimony

# A case costs about 0.3 ms and 0.1 microseconds a number, truths apart: as much as so many numbers
# more. A process gets about 0.2 s of work at a time.
CASE_NUMBERS = 3_000
CHUNK_NUMBERS = 2_000_000
DIGEST = hashlib.sha256
FOLDER = "chunks"  # below the report's
COUNTS = b"fpstudy"  # the key of the counts in a file's metadata


@dataclass(frozen=True)
class Chunk:
    """Tasks that are run one after the other, and the key of what they give."""

    tasks: tuple[Task, ...]
    key: str

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.key}.chunk"

    @property
    def cases(self) -> int:
        """How many cases it has."""
        return sum(len(task.cases) for task in self.tasks)


def cut(tasks: Sequence[Task], whence: str) -> Iterator[Chunk]:
    """The tasks in their order, cut where a chunk has a fraction of a second's work.

    So a small task pays no table, thread limits and transfer of its own, and a record's bytes do
    not depend on how many processes there are.

    whence: what all results depend on, whatever the tasks: sources, packages, environment
    """
    files: dict[Path, str] = {}
    chunk: list[Task] = []
    size = 0
    for task in tasks:
        chunk.append(task)
        size += numbers(task)
        if size >= CHUNK_NUMBERS:
            yield Chunk(tuple(chunk), _key(chunk, whence, files))
            chunk, size = [], 0
    if chunk:
        yield Chunk(tuple(chunk), _key(chunk, whence, files))


def numbers(task: Task) -> int:
    """A task's work, as numbers that are evaluated and scored."""
    draw = task.draw
    return len(task.cases) * (draw.samples * draw.rows * draw.n + CASE_NUMBERS)


def _key(tasks: Sequence[Task], whence: str, files: dict[Path, str]) -> str:
    """A digest; what is in a file of logits counts, and not where it lies.

    Of the user's own code the sources are in `whence`, and the names of formulas in the cases.
    """
    digest = DIGEST(whence.encode())
    for task in tasks:
        file = task.draw.file
        if file is not None and file not in files:
            files[file] = DIGEST(file.read_bytes()).hexdigest()
        held = "" if file is None else files[file]
        text = repr(replace(task, code=NO_CODE, sure=frozenset()))
        sure = sorted(map(repr, task.sure))  # the order of a set differs from process to process
        digest.update(f"{text} {sure}\n".replace(repr(file), held).encode())
    return digest.hexdigest()


class DamagedChunkError(ValueError):
    """A chunk's file is not as it was written; the message says how one sees it."""


def pack(chunk: Chunk, measured: Measured) -> bytes:
    """What a chunk gave, as its file has it."""
    data = _bytes(chunk, measured)
    return data + DIGEST(data).digest()


def unpack(chunk: Chunk, data: bytes) -> Measured:
    """What the chunk gave; raises DamagedChunkError where these are not its bytes, and whole."""
    size = DIGEST().digest_size
    if len(data) < size or DIGEST(data[:-size]).digest() != data[-size:]:
        raise DamagedChunkError("its digest is of other bytes")
    try:
        return _measured(chunk, data[:-size])
    except DamagedChunkError:
        raise
    except _FAULTS as error:
        raise DamagedChunkError(f"it cannot be read: {error}") from None


_FAULTS = (
    pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError
)  # fmt: skip


def keep(folder: Path, chunk: Chunk, data: bytes) -> None:
    """Write a chunk's file; from then on it is there whatever happens to the process or machine.

    data: as `pack` gives it
    Raises OSError where it cannot be written; nothing of it is left then.
    """
    whole_file.write(folder / chunk.file, data)


def read(folder: Path, chunk: Chunk) -> Measured | None:
    """What the chunk gave, if its file is there; raises DamagedChunkError where it is not whole."""
    try:
        with opened(folder / chunk.file) as file:
            data = file.read()
    except FileNotFoundError:
        return None
    except NotRegularError as error:
        raise DamagedChunkError(f"it {error}") from None
    return unpack(chunk, data)


def forget(folder: Path) -> None:
    """Remove the files of all chunks, and what was not written whole; then the folder.

    A folder in it is nobody's chunk, and stays.
    """
    for path in folder.glob("*"):
        of_ours = path.suffix in (".chunk", ".partial", ".json")
        if of_ours and (path.is_symlink() or not path.is_dir()):
            path.unlink(missing_ok=True)
    with suppress(OSError):  # something else lies there
        folder.rmdir()


def _bytes(chunk: Chunk, measured: Measured) -> bytes:
    counts = {
        "key": chunk.key,
        "cases": measured.cases,
        "testimony": vars(measured.testimony),
        "truths": measured.truths,
        "undecided": measured.undecided,
        "violations": measured.violations,
        "environment": measured.environment,
    }
    rows = measured.rows.replace_schema_metadata({COUNTS: json.dumps(counts)})
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    return buffer.getvalue()


def _measured(chunk: Chunk, data: bytes) -> Measured:
    rows = pq.read_table(io.BytesIO(data))
    counts = json.loads(rows.schema.metadata[COUNTS])
    rows = rows.replace_schema_metadata(None)
    if counts["key"] != chunk.key:
        raise DamagedChunkError("it is another chunk's")
    cases = [numbered for task in chunk.tasks for numbered in task.cases]
    if not are_of(rows, cases):
        raise DamagedChunkError("it has other columns, cases or samples")
    measured = Measured(
        rows=rows,
        cases=Counter(counts["cases"]),
        testimony=Testimony(**counts["testimony"]),
        truths=counts["truths"],
        undecided=counts["undecided"],
        violations=counts["violations"],
        environment=counts["environment"],
    )
    if not _countable(measured, len(cases)):
        raise DamagedChunkError("its counts are none")
    return measured


def _countable(measured: Measured, cases: int) -> bool:
    """Whether the counts are counts, and words words: another's file is data."""
    *numbers, disagreements = vars(measured.testimony).values()
    numbers += [*measured.cases.values(), measured.truths, measured.undecided]
    words = [disagreements, measured.violations]
    return (
        all(type(number) is int and number >= 0 for number in numbers)
        and all(type(text) is list and all(type(one) is str for one in text) for text in words)
        and measured.cases.keys() <= {"run", "skipped", "crashed"}
        and measured.cases.total() == cases
        and re.fullmatch("[0-9a-f]*", measured.environment) is not None
    )
