"""Progress of a run: a bar on a terminal, a line in a notebook, one for each tenth elsewhere."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

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

from fpstudy.streams import heedless

QUIET, AGAIN = 2.0, 0.5  # seconds before a notebook's line, and between two of its texts


@contextmanager
def shown(title: str) -> Iterator[Callable[[int, int], None]]:
    """A function of (cases done, cases in all) that shows how far a run has come.

    Where standard error is closed, or breaks, it shows nothing and says nothing.
    """
    stream = heedless(sys.stderr)
    if stream.isatty():
        with _bar(stream) as progress:
            task = progress.add_task(title, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
    else:
        yield _output(title) if in_notebook() else _lines(title, stream)


class _Rate(ProgressColumn):
    """Cases a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} a second")


def _bar(stream: TextIO) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cases"),
        _Rate(),
        TimeRemainingColumn(),
        console=Console(file=stream),
    )


def _lines(title: str, stream: TextIO) -> Callable[[int, int], None]:
    start, last = time.monotonic(), 0

    def show(done: int, total: int) -> None:
        nonlocal last
        tenth = 10 * done // max(total, 1)
        if tenth > last:
            last = tenth
            line = _line(title, done, total, time.monotonic() - start)
            print(line, file=stream, flush=True)

    return show


def _line(title: str, done: int, total: int, seconds: float) -> str:
    left = seconds * (total - done) / max(done, 1)
    return (
        f"{title}: {100 * done // max(total, 1)}%, {done:,} of {total:,} cases,"
        f" {done / max(seconds, 1e-9):,.0f} a second, {left:.0f} s left"
    )


def in_notebook() -> bool:
    """Whether the kernel of a notebook runs this."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")


def _output(title: str) -> Callable[[int, int], None]:
    """One output of the cell, written anew; none for what is done before a reader wonders."""
    from IPython.display import display

    start, last, output = time.monotonic(), -math.inf, None

    def show(done: int, total: int) -> None:
        nonlocal last, output
        seconds = time.monotonic() - start
        if seconds < QUIET or (seconds - last < AGAIN and done < total):
            return
        last = seconds
        line = {"text/plain": _line(title, done, total, seconds)}
        if output is None:
            output = display(line, raw=True, display_id=True)
        else:
            output.update(line, raw=True)

    return show
