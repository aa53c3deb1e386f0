"""A desk: one process of one's own that does one thing at a time, and is replaced when it is lost.

Each desk is a Pebble pool of one process. Processes of one pool share a pipe and a lock, and one
that is killed while it holds them takes the others along; here it takes nothing but its desk's.
"""

import multiprocessing.resource_tracker
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any

from pebble import CONSTS, ProcessExpired, ProcessPool

from fpstudy.execution.worker import CASE, COUNT, PID, SPOILT, begin
from fpstudy.interrupts import held
from fpstudy.measurement import NO_CASE

LOOK_SECONDS = 0.1  # between two looks of whoever watches
STEP_SECONDS = 1.0  # the most that counts between two looks
TERMINATE_SECONDS = 0.5  # after which a process that does not end on SIGTERM is killed


@dataclass(frozen=True)
class Loss:
    """A desk's process ended.

    number: the case whose formula was at work, or NO_CASE
    code:   its exit code, negative for a signal; None where it never was at work
    """

    number: int
    code: int | None

    @property
    def killed(self) -> bool:
        """Whether it may have been somebody else who ended it."""
        return self.code in (None, -signal.SIGTERM, -getattr(signal, "SIGKILL", 9))

    def __str__(self) -> str:
        if self.code is None:
            return "its process ended before it was at work"
        if self.code == SPOILT:
            return "it closed files that its process needs, or lowered a limit for good"
        if self.code >= 0:
            return f"its process ended with exit code {self.code}"
        with suppress(ValueError):
            return f"its process was ended by {signal.Signals(-self.code).name}"
        return f"its process was ended by signal {-self.code}"


class Desk:
    """A process that is started when there is something to do."""

    def __init__(self, room: int) -> None:
        """room: bytes that a formula may take beside what the process has."""
        self._room = room
        self._pool: ProcessPool | None = None
        self._future: Future[Any] | None = None
        self._station: Any = None
        self._seen, self._seconds, self._looked = -1, 0.0, 0.0
        self._children: dict[int, BaseProcess] = {}

    def start(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have the process call the function; what it gives or raises is the future's.

        Raises nothing where the process is lost already: `lost` tells it, as of any other loss.
        """
        with held(), _interrupts_blocked():
            if self._pool is None:
                self._pool = self._new_pool()
            self._station[CASE], self._station[PID] = NO_CASE, 0
            try:
                self._future = self._pool.schedule(function, args=arguments)
            except RuntimeError as error:  # its process was lost since its last work
                self._future = Future()
                self._future.set_exception(BrokenProcessPool(str(error)))
        self._seen, self._looked = -1, time.monotonic()
        self._children = _children()
        return self._future

    def at(self) -> tuple[int, float]:
        """The case whose formula is at work, or NO_CASE; and for how many seconds it has been.

        While nobody looks time stands still: a run that was stopped, and whose processes were, goes
        on later.
        """
        count, now = self._station[COUNT], time.monotonic()
        if count != self._seen:
            self._seen, self._seconds = count, 0.0
        else:
            self._seconds += min(now - self._looked, STEP_SECONDS)
        self._looked = now
        return self._station[CASE], self._seconds

    def lost(self) -> Loss | None:
        """How the process was lost, if it was; the next start begins a new one."""
        assert self._pool is not None
        assert self._future is not None
        future, pool, number = self._future, self._pool, self._station[CASE]
        error = future.exception() if future.done() else None
        if future.done() and not isinstance(error, ProcessExpired | BrokenProcessPool):
            return None
        code = self._exit_code()
        if not future.done() and code is None and pool.active:
            return None
        self.clear()
        return Loss(number, error.exitcode if isinstance(error, ProcessExpired) else code)

    def _exit_code(self) -> int | None:
        """How the process that was at work ended, if it was and did.

        Pebble itself does not tell an end by exit code 0, nor any as soon as a task has begun.
        """
        self._children |= _children()
        process = self._children.get(self._station[PID])
        return None if process is None else process.exitcode

    def clear(self) -> None:
        """End the process; waits for nothing."""
        pool, self._pool, self._future = self._pool, None, None
        if pool is not None:
            if (process := _children().get(self._station[PID])) is not None:
                process.kill()  # at once: a formula may ignore SIGTERM, which Pebble sends first
            pool.stop()  # type: ignore[no-untyped-call]
            # A pipe that a lost process wrote to may never be read to its end.
            Thread(target=pool.join, daemon=True).start()

    def _new_pool(self) -> ProcessPool:
        CONSTS.term_timeout = TERMINATE_SECONDS
        context = get_context("spawn")
        self._station = context.RawArray("q", [NO_CASE, 0, 0])
        arguments = (self._station, self._room, os.getpid())
        return ProcessPool(1, initializer=begin, initargs=arguments, context=context)


def _children() -> dict[int, BaseProcess]:
    return {child.pid: child for child in multiprocessing.active_children() if child.pid}


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Threads and processes that are started meanwhile never get the interrupt of a keyboard."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Started later, Python's own process would let interrupts through again.
    multiprocessing.resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
