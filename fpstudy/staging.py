"""A report's files, which replace those of its folder all together or not at all.

They are built in a folder of their own inside it, BUILDING, and flushed to the disk. That this is
renamed to COMPLETE is the one step that decides. Before it the old files stand as they were, and
BUILDING is rubbish, whoever left it; after it the new ones are moved into place one by one, by
whoever comes next if not by who built them. Renames need no room on the disk.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fpstudy.regular_file import read_json
from fpstudy.whole_file import flush, flush_folder

BUILDING, COMPLETE = ".new", ".complete"  # below the report's folder
FIGURES = "figures"
FOLDERS = (BUILDING, COMPLETE, FIGURES, "chunks")
FILES = ("record.parquet", "summary.csv", "README.md", "index.html")
LAST = "manifest.json"  # moved last: what it says of the record is true of no other
KEPT = "no report is left in part, what was measured is kept, and the same command goes on"
MAX_NAMES = 2**22  # bytes of STALE
STALE = "stale.json"  # in COMPLETE: the names of figures that the new report does not have


@contextmanager
def staged(directory: Path) -> Iterator[Path]:
    """A folder to build files in, which replace the directory's once the body is done.

    Those of FILES, figures/*.svg and LAST that are built are replaced, and a figure that is not is
    removed; no other file is touched. Where the body raises, nothing is. One at a time may be in a
    directory: see `report_lock`.

    Raises OSError where they cannot be written or moved.
    """
    finish(directory)
    new = directory / BUILDING
    new.mkdir()
    ours = new.stat()
    try:
        yield new
        _complete(directory, new)
        finish(directory)
    except BaseException:
        with suppress(OSError):  # a signal, or a fault that passes, leaves no half
            if not new.exists() or os.path.samestat(new.stat(), ours):  # not of another run
                finish(directory)
        raise


def finish(directory: Path) -> None:
    """Move what is complete and not yet in place; remove what was never completed.

    A link in the place of a folder is removed, not followed: what it leads to is not the report's.
    """
    for name in FOLDERS:
        if (directory / name).is_symlink():
            (directory / name).unlink()
    if (directory / BUILDING).exists():
        shutil.rmtree(directory / BUILDING)
    complete = directory / COMPLETE
    if not complete.is_dir():
        return
    flush_folder(directory)
    names = _stale_names(complete)
    for path in (directory / FIGURES).glob("*.svg"):
        if path.name in names:
            path.unlink()
    for name in _names(complete):
        (complete / name).replace(directory / name)
    if (directory / FIGURES).is_dir():
        flush_folder(directory / FIGURES)
    flush_folder(directory)
    shutil.rmtree(complete)


def _complete(directory: Path, new: Path) -> None:
    """Say that all is there, when it is on the disk and nothing stands in its way."""
    if (new / FIGURES).is_dir():
        (directory / FIGURES).mkdir(exist_ok=True)
    for name in _names(new):
        if (directory / name).is_dir():
            raise IsADirectoryError(21, "a folder stands where the report has a file", str(name))
    drawn, there = (
        {path.name for path in (folder / FIGURES).glob("*.svg")} for folder in (new, directory)
    )
    (new / STALE).write_text(json.dumps(sorted(there - drawn)), encoding="utf-8")
    for path in (new / STALE, *(new / name for name in _names(new))):
        flush(path)
    for folder in (new / FIGURES, new):
        if folder.is_dir():
            flush_folder(folder)
    new.rename(directory / COMPLETE)


def _names(folder: Path) -> list[str]:
    """The report's files that the folder has, in the order in which they are moved."""
    figures = [] if (folder / FIGURES).is_symlink() else (folder / FIGURES).glob("*.svg")
    drawn = [f"{FIGURES}/{path.name}" for path in sorted(figures)]
    return [name for name in (*FILES, *drawn, LAST) if (folder / name).is_file()]


def _stale_names(complete: Path) -> set[str]:
    try:
        return set(map(str, read_json(complete / STALE, MAX_NAMES)))
    except (FileNotFoundError, ValueError, TypeError):  # removed already, or not ours
        return set()
