"""What a Dask worker does for a run elsewhere: a chunk at a desk of its own, given back as bytes.

So a formula that crashes or hangs on a cluster meets the same desk as on one machine: it loses its
case, and the Dask worker lives on.
"""

import multiprocessing
import threading
from dataclasses import dataclass, field, replace
from multiprocessing import util
from pathlib import Path
from tempfile import TemporaryDirectory

from fpstudy.chunks import Chunk
from fpstudy.environment.memory import available
from fpstudy.execution import origin
from fpstudy.execution.desk import Desk
from fpstudy.execution.origin import Needs, Origin
from fpstudy.execution.pool import LEAST_ROOM, at_desks
from fpstudy.execution.terms import Terms

IDLE_SECONDS = 60.0  # after which a desk that no chunk came to is cleared
ROOM_SHARE = 8  # of the machine's memory, one part of so many for a formula


@dataclass(frozen=True)
class Carried:
    """A chunk's file, and what was noticed on the way."""

    data: bytes
    notices: list[str] = field(default_factory=list)


_lock = threading.Lock()
_origins: dict[Needs, Origin] = {}
_own = threading.local()


def origin_here(needs: Needs) -> Origin:
    """The origin of what this worker measures, found once; raises CodeError."""
    _may_have_processes()
    with _lock:
        if needs not in _origins:
            _origins[needs] = origin.here(needs)
        return _origins[needs]


def carry_out(chunk: Chunk, terms: Terms, needs: Needs, wanted: str | None) -> Carried | Origin:
    """The chunk's file; or this worker's origin, where it is not the wanted one.

    wanted: an origin's digest, or None for any
    Raises OSError, MemoryError and WorkersLostError as a pool of this machine does.
    """
    mine = origin_here(needs)
    if wanted is not None and mine.digest != wanted:
        return mine
    terms = replace(terms, environment=mine.where["environment"])
    notices: list[str] = []
    with TemporaryDirectory(prefix="fpstudy-") as folder, _Seat() as desk:
        for done in at_desks([desk], [chunk], Path(folder), terms, notices.append):
            return Carried((Path(folder) / done.file).read_bytes(), notices)
    raise AssertionError("a chunk was neither finished nor failed")


class _Seat:
    """The desk of this thread, kept from one chunk to the next, and cleared when none comes."""

    def __enter__(self) -> Desk:
        timer: threading.Timer | None = getattr(_own, "timer", None)
        if timer is not None:
            timer.cancel()
        if not hasattr(_own, "desk"):
            _own.desk = Desk(max(LEAST_ROOM, available() // ROOM_SHARE))
            util.Finalize(None, _own.desk.clear, exitpriority=100)
        desk: Desk = _own.desk
        return desk

    def __exit__(self, *_: object) -> None:
        _own.timer = threading.Timer(IDLE_SECONDS, _own.desk.clear)
        _own.timer.daemon = True
        _own.timer.start()


def _may_have_processes() -> None:
    """Let a worker that has a nanny start processes.

    Python forbids them to a daemon, as they would stay behind when it is ended; a desk's process
    ends with its parent in any case.
    """
    config = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    config["daemon"] = False
