"""Files that are never there in part: written beside their place, flushed, then renamed."""

import os
import threading
from contextlib import suppress
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Let the file hold the data, whatever happens to the process or the machine.

    Until all of it is on the disk, what was there stays. Raises OSError where it cannot be
    written; nothing of it is left then.
    """
    # Two writers of one file, in processes or threads, do not write into each other's.
    partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:  # of a write, which names none
            error.filename = str(path)
        with suppress(OSError):  # the first error says why
            partial.unlink()
        raise
    flush_folder(path.parent)


def flush(path: Path) -> None:
    """What was written to a file to the disk; raises OSError where some of it did not get there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """The folder's entries to the disk, where the system has that."""
    if os.name == "posix":  # Windows opens no folder
        flush(folder)
