"""Files that a study names are opened only where they are files: pipes block, devices never end."""

import json
import os
import stat
from pathlib import Path
from typing import IO, Any


class NotRegularError(ValueError):
    """A folder, a pipe, a socket or a device stands there."""


def opened(path: Path) -> IO[bytes]:
    """The regular file, for reading; raises NotRegularError for anything else, and OSError.

    Nothing else is opened, and what takes the file's place in this moment does not block.
    """
    _check(path.stat())
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        _check(os.fstat(file.fileno()))
    except NotRegularError:
        file.close()
        raise
    return file


def read_json(path: Path, most: int) -> Any:
    """What a JSON file holds that may be somebody else's, of at most so many bytes.

    Raises ValueError where it is none, NotRegularError among them, and OSError.
    """
    with opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"larger than {most:,} bytes")
    text = content.decode("utf-8")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:  # of int, which tells how a program may allow it
        raise ValueError("an integer of thousands of digits") from None


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularError("is not a regular file")
