"""Progress of a run on stderr: a bar on a terminal, a plain line for each tenth elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


@contextmanager
def shown(title: str) -> Iterator[Callable[[int, int], None]]:
    """A function of (cases done, cases in all) that shows how far a run has come."""
    if sys.stderr.isatty():
        with _bar() as progress:
            task = progress.add_task(title, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
    else:
        yield _lines(title)


class _Rate(ProgressColumn):
    """Cases a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} a second")


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cases"),
        _Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _lines(title: str) -> Callable[[int, int], None]:
    start, last = time.monotonic(), 0

    def show(done: int, total: int) -> None:
        nonlocal last
        tenth = 10 * done // max(total, 1)
        if tenth > last:
            last = tenth
            seconds = time.monotonic() - start
            left = seconds * (total - done) / done
            print(
                f"{title}: {10 * tenth}%, {done:,} of {total:,} cases,"
                f" {done / max(seconds, 1e-9):,.0f} a second, {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    return show
