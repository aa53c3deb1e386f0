"""Faults of a report's folder, told with what helps: no room, or no right to write."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fpstudy.room import RoomError, free, out_of_files, size
from fpstudy.staging import KEPT

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SHUT = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def told(directory: Path, need: Callable[[], int]) -> Iterator[None]:
    """The body's OSErrors that are of the folder, as RoomError.

    need: bytes that are to be written there from now on; asked where there is no room for them
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL and (error.filename is None or _of(directory, error.filename)):
            raise RoomError(_full(directory, error, need())) from error
        if error.errno in SHUT and _of(directory, error.filename):
            raise RoomError(
                f"{error.filename}: {error.strerror}; want a folder that one may write to: give the"
                f" right to, or name another with run --out; {KEPT}"
            ) from error
        raise


def _full(directory: Path, error: OSError, need: int) -> str:
    why, there = os.strerror(error.errno or 0), free(directory)
    if out_of_files(directory):
        helps = "no more files (inodes) can be made there: remove some"
    elif need > there:
        helps = (
            f"about {size(need)} are to be written there yet, and {size(there)} are free:"
            f" free about {size(need - there)}"
        )
    else:
        helps = f"{size(there)} are free there, so look for a quota or another limit"
    file = error.filename or directory
    return f"{file}: {why}; {helps}, or name another folder with run --out; {KEPT}"


def _of(directory: Path, filename: Any) -> bool:
    """Whether a file of this name is in the directory, or one that the directory is in."""
    if not isinstance(filename, str | bytes | os.PathLike):
        return False
    file, folder = (Path(os.path.realpath(os.fsdecode(path))) for path in (filename, directory))
    return file.is_relative_to(folder) or folder.is_relative_to(file)
