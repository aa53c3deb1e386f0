"""One writer of a report's folder at a time: a lock that ends with its process.

It is a lock of the operating system on a file of the folder (`flock`), so it is gone when the
process is, however that ended. What stands in the file tells others who holds it, and is believed
only while somebody does. The file is removed before the lock is let go; who opened it before that
gets a lock on a file that has no name, which filelock takes for none.
"""

import errno
import json
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fpstudy.environment import command_line
from fpstudy.regular_file import read_json

FILE = ".lock"  # below the report's folder
AGAIN_SECONDS = 0.05  # within it who holds a lock has said so, and a file without a name is gone
LONGEST = 1000  # characters of a command in a description
# Of Lustre and NFS that are mounted without locks, for example.
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


class InUseError(OSError):
    """Another run, or a rebuilding, is at work in the report's folder; the message says which."""


class VanishedError(OSError):
    """The report's folder was removed, or another put in its place, while this worked in it."""


@dataclass
class Holder:
    """Who has a folder to itself.

    node: device and number of the lock's file; None where the file system has no locks
    """

    directory: Path
    node: tuple[int, int] | None = None

    def describe(self, descriptor: int) -> None:
        """Say in the lock's file who holds it, as soon as one does."""
        found = os.fstat(descriptor)
        self.node = found.st_dev, found.st_ino
        who = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "command": command_line()[:LONGEST] or "a Python program",
            "since": datetime.now(UTC).isoformat(sep=" ", timespec="seconds"),
        }
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(who).encode(), 0)
            os.fsync(descriptor)
        except BaseException:
            self.forget()
            raise

    def check(self) -> None:
        """Raises VanishedError where the folder is no longer the one that was locked."""
        if not self.directory.is_dir() or (self.node is not None and not self._there()):
            raise VanishedError(
                f"{self.directory}: removed, or its lock, by somebody while this was at work in it;"
                " what it had measured is gone with it, and the same command begins anew"
            )

    def forget(self) -> None:
        """Remove the lock's file, unless another took its place."""
        with suppress(OSError):  # it vanished, or stays without a lock on it
            if self._there():
                (self.directory / FILE).unlink()

    def _there(self) -> bool:
        try:
            found = (self.directory / FILE).stat()
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == self.node


@contextmanager
def held(directory: Path, notice: Callable[[str], None], *, make: bool = False) -> Iterator[Holder]:
    """A folder for oneself.

    notice: told where the file system has no locks, so that nobody is kept out
    make:   whether to make the folder where there is none
    Raises InUseError at once where another process or thread has it, and OSError where it cannot be
    made or nothing can be written to it. Where the body raises an OSError, and the folder is gone,
    that is a VanishedError.
    """
    if make:
        directory.mkdir(parents=True, exist_ok=True)
    holder = Holder(directory)
    # A substitute for flock, which outlives a killed process, is not wanted: fallback_to_soft.
    lock = FileLock(
        directory / FILE, thread_local=False, fallback_to_soft=False, preserve_lock_file=True,
        on_acquired=holder.describe,
    )  # fmt: skip
    try:
        _acquire(lock, directory)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        (directory / FILE).unlink(missing_ok=True)
        notice(f"{directory}: no locks on this file system ({error.strerror}), so nothing keeps"
               " another run out of the folder")  # fmt: skip
    try:
        yield holder
    except OSError:
        holder.check()
        raise
    finally:
        holder.forget()
        lock.release()


def _acquire(lock: Any, directory: Path) -> None:
    _check(directory / FILE)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        time.sleep(AGAIN_SECONDS)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise InUseError(f"{directory}: {_told(directory / FILE)}") from None


def _check(path: Path) -> None:
    """A lock's file is emptied: raises OSError for one that could be somebody's data, or is none.

    A second name of somebody's file is no link that one could refuse to follow.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        why = "is not a regular file, as a lock's is"
    elif found.st_nlink > 1:
        why = "has another name elsewhere (a hard link), as no lock's file has"
    else:
        return
    raise FileExistsError(errno.EEXIST, f"{why}: remove it", str(path))


def _told(path: Path) -> str:
    """What the holder said of itself."""
    wait = "wait for it, or name another folder"
    try:
        who = read_json(path, 20 * LONGEST)
        return (
            f"in use by {who['command']!s} (process {who['pid']!s} on {who['host']!s},"
            f" since {who['since']!s}); {wait}"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return f"in use by another run, which does not say who it is; {wait}"
