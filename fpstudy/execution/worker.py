"""What happens inside a process that carries out chunks for another one.

Its parent watches it from outside through a station of three numbers that both share: the case
whose formula is at work, a count of the formulas so far, and the id of the process that is at work.
So the parent can tell which case a process died of, and how long one takes, whatever the formula
does to this process.
"""

import ctypes
import os
import signal
import stat
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fpstudy.chunks import Chunk, DamagedChunkError, keep, pack, read
from fpstudy.environment.floating_point import UnsteadyError
from fpstudy.environment.global_state import limits
from fpstudy.measurement import NO_CASE, Verdict, Watch, run_tasks
from fpstudy.reasons import reason_of
from fpstudy.user_code import Code, CodeError, sources

WATCH_SECONDS = 0.5  # between two looks at whether the parent is there
PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal to get when the parent ends
CASE, COUNT, PID = 0, 1, 2  # the numbers of a station
SPOILT = 86  # the exit code of a process that a formula left unusable
MOST_LINES = 64  # descriptors that are looked at: a new process has a handful
PASSED_ON = (
    OSError,
    MemoryError,
    UnsteadyError,
    CodeError,
)  # errors that a user can do something about


@dataclass(frozen=True)
class Ended:
    """A formula raised what only ends a program, as KeyboardInterrupt."""

    number: int
    verdict: Verdict


class FormulaMemory:
    """A limit on what a formula may take beside what the process has, where the system has one."""

    def __init__(self, room: int) -> None:
        """room: bytes; Linux counts what is private and writable."""
        self.room = room
        self._statm: int | None = None
        try:
            import resource

            self._statm = os.open("/proc/self/statm", os.O_RDONLY)
        except (ImportError, OSError):
            return
        self._resource, self._page = resource, os.sysconf("SC_PAGE_SIZE")
        self._hard = resource.getrlimit(resource.RLIMIT_DATA)[1]

    def limit(self, limited: bool) -> None:
        """From now on, or no longer."""
        if self._statm is None:
            return
        soft = self._hard
        if limited:
            data = int(os.pread(self._statm, 256, 0).split()[5]) * self._page
            soft = data + self.room
        with suppress(ValueError, OSError):  # above a limit that somebody else has set
            self._resource.setrlimit(self._resource.RLIMIT_DATA, (soft, self._hard))


class Lines:
    """The process's pipes and sockets: without them nobody can be told what it has measured."""

    def __init__(self) -> None:
        """Note down those that are open now."""
        found = {number: _file(number) for number in range(3, MOST_LINES)}
        self._files = {number: file for number, file in found.items() if file is not None}

    def cut(self) -> bool:
        """Whether one is closed, or another file is in its place."""
        return any(_file(number) != file for number, file in self._files.items())


def _file(number: int) -> tuple[int, int] | None:
    """What tells the pipe or socket of this descriptor from all others; None for anything else."""
    try:
        found = os.fstat(number)
    except OSError:
        return None
    if stat.S_ISFIFO(found.st_mode) or stat.S_ISSOCK(found.st_mode):
        return found.st_dev, found.st_ino
    return None


class Post:
    """Where this process stands: its station and lines, and what a formula may take."""

    def __init__(self, station: Any, room: int) -> None:
        """room: bytes that a formula may take."""
        self.station, self.memory = station, FormulaMemory(room)
        self.lines, self.limits = Lines(), limits()

    def look(self, number: int) -> None:
        """The formula of this case begins; or NO_CASE, it has ended.

        If it cut the lines, or lowered a limit for good, it is the last of this process.
        """
        self.station[COUNT] += 1
        if number == NO_CASE:
            if self.lines.cut() or limits() != self.limits:
                os._exit(SPOILT)
            self.memory.limit(False)
        self.station[CASE] = number
        if number != NO_CASE:
            self.memory.limit(True)


_post: Post | None = None


def begin(station: Any, room: int, parent: int) -> None:
    """Set up a new process.

    What formulas print goes to the standard error. The process ends with its parent, however that
    ended: by a thread that watches it, and on Linux by a signal, should a formula keep the
    interpreter to itself.
    """
    global _post
    _post = Post(station, room)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # it ends at once, also in the midst of C code
    with suppress(OSError):  # closed
        os.dup2(2, 1)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def _begin_work() -> Post:
    assert _post is not None
    _post.station[PID] = os.getpid()
    return _post


def carry_out(
    chunk: Chunk, folder: Path, environment: str, known: Mapping[int, Verdict]
) -> Ended | None:
    """Measure a chunk and keep it in the folder, unless an earlier attempt did.

    known: the cases that ended the process, or hung it, in earlier attempts
    Raises OSError where it cannot be written, UnsteadyError, and MemoryError; anything else that
    is no formula's is a fault of fpstudy's, and a RuntimeError with its traceback.
    """
    post = _begin_work()
    with suppress(DamagedChunkError):
        if read(folder, chunk) is not None:
            return None
    try:
        measured = run_tasks(chunk.tasks, Watch(known, post.look))
        keep(folder, chunk, pack(chunk, replace(measured, environment=environment)))
    except PASSED_ON:
        raise
    except Exception:
        raise RuntimeError(f"in a process of its own:\n{traceback.format_exc()}") from None
    except BaseException as error:  # no signal raises here
        return Ended(post.station[CASE], Verdict("crashed", reason_of(error)))
    return None


def import_code(names: Sequence[str], code: Code) -> list[Path]:
    """`user_code.sources` of the formulas, loaded here; raises CodeError."""
    _begin_work()
    return sources(names, code)
