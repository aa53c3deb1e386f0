"""The room on the disk that a run will need: estimated, and compared with what is free."""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from fpstudy.chunks import Chunk

# Measured on studies of 5 to 4,524 cases; tests/test_room.py recomputes them. A file in Parquet
# costs its columns' descriptions, and a row 18 to 48 bytes; the rows are there twice, in the record
# and in the chunks. A case has its row of the summary, and its part of the pages and figures.
FILE_BYTES = 20_000
ROW_BYTES = 30
CASE_BYTES = 1_000
PAGES_BYTES = 50_000  # of pages without a case


class RoomError(OSError):
    """A report's folder cannot take what is to be written there; the message says what helps."""


def of_run(chunks: Sequence[Chunk], kept: Path) -> int:
    """Bytes of the record, the chunks that are not kept yet, and the pages: an estimate.

    They stand beside the old report until they are all there.
    """
    missing = [chunk for chunk in chunks if not (kept / chunk.file).is_file()]
    pages = PAGES_BYTES + CASE_BYTES * sum(chunk.cases for chunk in chunks)
    return _tables(chunks, files=1) + _tables(missing, files=len(missing)) + pages


def of_report(directory: Path) -> int:
    """Bytes of a folder's report without its record."""
    files = [*directory.glob("*.*"), *directory.glob("figures/*.svg")]
    return sum(path.stat().st_size for path in files if path.suffix != ".parquet")


def _tables(chunks: Iterable[Chunk], files: int) -> int:
    rows = sum(len(task.cases) * task.draw.samples for chunk in chunks for task in chunk.tasks)
    return files * FILE_BYTES + rows * ROW_BYTES


def check(directory: Path, need: int) -> None:
    """Raises RoomError where fewer bytes are free for the folder."""
    there = free(directory)
    if there < need:
        raise RoomError(
            f"{directory}: about {size(need)} will be written there, and"
            f" {size(there)} are free; free about {size(need - there)}, or name another"
            " folder with run --out; nothing was begun, and what an earlier run kept is there still"
        )


def free(directory: Path) -> int:
    """Bytes that are free for a folder, which need not be there yet."""
    return shutil.disk_usage(_existing(directory)).free


def out_of_files(directory: Path) -> bool:
    """Whether its file system takes no more files, however much room it has."""
    found = os.statvfs(_existing(directory))
    return found.f_files > 0 and found.f_favail == 0


def _existing(directory: Path) -> Path:
    return next(path for path in (directory, *directory.absolute().parents) if path.exists())


def size(number: int) -> str:
    """A number of bytes for people."""
    return f"{number / 1e6:,.1f} MB" if number >= 1e6 else f"{number / 1e3:,.1f} kB"
