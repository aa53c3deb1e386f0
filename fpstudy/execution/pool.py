"""Chunks carried out in processes of this machine, in which a formula can do no harm but its own.

A formula that ends its process, or does not end, costs its case alone: the chunk is begun anew
without it. A process may also be lost for reasons of others (the system was out of memory, somebody
killed it), so a case is tried again before it is held to be the cause.
"""

import os
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from fpstudy.cases import Case
from fpstudy.chunks import Chunk
from fpstudy.environment.memory import available
from fpstudy.execution.desk import LOOK_SECONDS, Desk, Loss
from fpstudy.execution.terms import Notice, Terms
from fpstudy.execution.worker import Ended, carry_out
from fpstudy.measurement import NO_CASE, Verdict
from fpstudy.outages import WorkersLostError

# So often a process must end at the same case; more often where a signal that others send ended it.
DEATHS, KILLS = 2, 4
LOSSES = 10  # of processes that were at no case, for one chunk
LEAST_ROOM = 2**30  # bytes that a formula may take in any case


@dataclass
class Attempt:
    """A chunk on its way.

    known:  its cases that are not tried again
    losses: how many processes were lost at each case
    """

    chunk: Chunk
    known: dict[int, Verdict] = field(default_factory=dict)
    losses: Counter[int] = field(default_factory=Counter)

    def case(self, number: int) -> Case:
        """The case of this number."""
        return next(case for task in self.chunk.tasks for n, case in task.cases if n == number)


class Pool:
    """So many processes of this machine."""

    def __init__(self, terms: Terms, jobs: int) -> None:
        """Start nothing yet."""
        self.terms, self.jobs = terms, jobs
        self.others: dict[str, list[str]] = {}

    def takes(self, environment: str) -> bool:
        """Whether it is this machine's."""
        return environment == self.terms.environment

    def carry_out(
        self, chunks: Iterable[Chunk], folder: Path, notice: Notice
    ) -> Generator[Chunk, None, None]:
        """Each chunk once its file is in the folder.

        notice: told of each case that ended its process or did not end
        Raises OSError where a file cannot be written, and WorkersLostError.
        """
        room = max(LEAST_ROOM, available() // (4 * self.jobs))
        desks = [Desk(room) for _ in range(self.jobs)]
        try:
            yield from at_desks(desks, chunks, folder, self.terms, notice)
        finally:
            for desk in desks:
                desk.clear()


def at_desks(
    desks: Sequence[Desk], chunks: Iterable[Chunk], folder: Path, terms: Terms, notice: Notice
) -> Iterator[Chunk]:
    """Each chunk once its file is in the folder; the desks are the caller's to clear."""
    waiting, again = (Attempt(chunk) for chunk in chunks), deque[Attempt]()
    free, busy = list(desks), dict[Future[Ended | None], tuple[Desk, Attempt]]()
    finished: list[Chunk] = []
    while True:
        while free and (attempt := again.popleft() if again else next(waiting, None)):
            desk = free.pop()
            arguments = (attempt.chunk, folder, terms.environment, attempt.known)
            busy[desk.start(carry_out, *arguments)] = desk, attempt
        yield from finished  # the desks are at work while the caller reads what they gave
        finished = []
        if not busy:
            return
        wait(busy, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future, (desk, attempt) in list(busy.items()):
            state = _state(future, desk, attempt, terms, notice)
            if state is UNDER_WAY:
                continue
            del busy[future]
            free.append(desk)
            if state is FINISHED:
                finished.append(attempt.chunk)
            else:
                again.append(attempt)


UNDER_WAY, FINISHED, AGAIN = "under way", "finished", "again"


def _state(
    future: Future[Ended | None], desk: Desk, attempt: Attempt, terms: Terms, notice: Notice
) -> str:
    """How it stands with an attempt; what was learnt of a case is noted down in it."""
    number, seconds = desk.at()
    loss = desk.lost()
    if loss is not None:
        _note_loss(loss, attempt, notice)
        return AGAIN
    if future.done():
        ended = future.result()
        if ended is None:
            return FINISHED
        _give_up(ended.number, ended.verdict, attempt, notice)
        return AGAIN
    if number != NO_CASE and seconds > (patience := terms.patience(attempt.case(number))):
        desk.clear()
        _give_up(number, Verdict("timeout", f"not done in {patience:g} s"), attempt, notice)
        return AGAIN
    return UNDER_WAY


def _note_loss(loss: Loss, attempt: Attempt, notice: Notice) -> None:
    attempt.losses[loss.number] += 1
    losses = attempt.losses[loss.number]
    if loss.number == NO_CASE:
        if losses >= LOSSES:
            raise WorkersLostError(
                f"{losses} processes were lost where no formula was at work; of the last, {loss}."
                " Is there memory for so many (--jobs 1)? From Python: does the script that calls"
                ' fpstudy.run guard it by `if __name__ == "__main__"`?'
            )
    elif losses >= (KILLS if loss.killed else DEATHS):
        _give_up(loss.number, Verdict("crashed", str(loss)), attempt, notice)


def _give_up(number: int, verdict: Verdict, attempt: Attempt, notice: Notice) -> None:
    attempt.known[number] = verdict
    case = attempt.case(number)
    axes = case.axes
    where = ", ".join(
        str(axes[name]) for name in ("problem", "formula", "dtype", "arithmetic") if axes[name]
    )
    notice(
        f"case {number} ({where}, n = {axes['n']}, magnitude {axes['magnitude']:g}):"
        f" {verdict.outcome}: {verdict.reason}; it is recorded, and the others go on"
    )


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
