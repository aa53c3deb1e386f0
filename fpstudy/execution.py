"""Chunks carried out: those that are there already are read, the others measured and kept.

The results come in the order of the chunks, whoever measured them and when; so a run that was
interrupted, however, gives the same bytes as one that was not.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from fpstudy.chunks import Chunk, DamagedChunkError, read, write
from fpstudy.measurement import Measured, run_tasks

Notice = Callable[[str], None]  # something that a user should know before it happens
AHEAD = 4  # chunks under way for each process
WATCH_SECONDS = 0.5  # between two looks at whether the parent is there


def carried_out(
    chunks: Sequence[Chunk], folder: Path, jobs: int, notice: Notice
) -> Iterator[Measured]:
    """What each chunk gives, in their order; what is measured is in the folder before it is given.

    notice: told what was there, and of each file that was not as it was written
    Raises OSError where a result cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [chunk for chunk in chunks if not _is_there(folder, chunk, notice)]
    if len(missing) < len(chunks):
        there, rest = (f"{sum(c.cases for c in part):,}" for part in (chunks, missing))
        notice(f"going on: {rest} of {there} cases are left to measure; the others are kept")
    left = {chunk.key for chunk in missing}
    anew = _measured(missing, jobs)
    for chunk in chunks:
        if chunk.key in left:
            measured = next(anew)
            write(folder, chunk, measured)
        else:
            measured = _kept(folder, chunk)
        yield measured


def _is_there(folder: Path, chunk: Chunk, notice: Notice) -> bool:
    """Whether the chunk's file is whole; one that is not is removed."""
    try:
        return read(folder, chunk) is not None
    except DamagedChunkError as error:
        path = folder / chunk.file
        path.unlink()
        notice(f"{path}: not as it was written ({error}); its {chunk.cases:,} cases run again")
        return False


def _kept(folder: Path, chunk: Chunk) -> Measured:
    measured = read(folder, chunk)
    if measured is None:
        raise FileNotFoundError(2, "was there a moment ago", str(folder / chunk.file))
    return measured


def _measured(chunks: Sequence[Chunk], jobs: int) -> Iterator[Measured]:
    """The chunks measured, in their order; at most a few for each process are under way."""
    if jobs <= 1 or not chunks:
        yield from (run_tasks(chunk.tasks) for chunk in chunks)
        return
    context, parent = get_context("spawn"), os.getpid()
    with ProcessPoolExecutor(jobs, context, _end_with, (parent,)) as pool:
        waiting: list[Future[Measured]] = []
        source = iter(chunks)
        waiting.extend(pool.submit(run_tasks, c.tasks) for c in islice(source, AHEAD * jobs))
        try:
            while waiting:
                yield waiting.pop(0).result()
                waiting.extend(pool.submit(run_tasks, c.tasks) for c in islice(source, 1))
        except BaseException:  # the workers stop at once, not at the end of their tasks
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with(parent: int) -> None:
    """A worker ends when its parent has, however that was: watched by a thread of its own."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
