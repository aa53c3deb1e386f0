"""What a sweep costs the one process that runs it, before the first case and after the last.

Before, the cases stand in memory with their tasks and chunks. After, whole processes make the
report again; how their seconds, memory and page grow with cases and rows comes from three sizes.
"""

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import fpstudy
from benchmarks.machine import Child, run_child
from benchmarks.options import Result
from benchmarks.studies import mixed, without_figures
from benchmarks.turns import Contender, take_turns
from fpstudy.cases import expand
from fpstudy.chunks import Chunk, cut
from fpstudy.study import Study, from_keys
from fpstudy.tasks import tasks

N = 10


def before(magnitudes: list[int], samples: int, rounds: int) -> list[Result]:
    """Seconds and bytes until all chunks are there, for each number of magnitudes."""
    studies = [from_keys(mixed((N,), number, samples)) for number in magnitudes]
    found: list[Result] = []
    for study in studies:
        cases = expand(study)
        todo = tasks(study, cases)
        steps: dict[str, Callable[[], Any]] = {
            "expand": lambda s=study: expand(s),
            "tasks": lambda s=study, c=cases: tasks(s, c),
            "cut": lambda t=todo: list(cut(t, "")),
        }
        contenders = [Contender(name, work, len(cases)) for name, work in steps.items()]
        seconds = take_turns(contenders, rounds, warm=False, clock=time.process_time)
        found.append({"cases": len(cases), "seconds": seconds, "bytes": _bytes(study)})
    return found


def _bytes(study: Study) -> int:
    """What cases, tasks and chunks take in memory."""
    tracemalloc.start()
    chunks: list[Chunk] = list(cut(tasks(study, expand(study)), ""))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del chunks
    return held


def after(sizes: list[tuple[int, int]], rounds: int, folder: Path) -> list[Result]:
    """Whole processes that make a report again; sizes: (magnitudes, samples)."""
    made = []
    for number, (magnitudes, samples) in enumerate(sizes):
        out = folder / f"report{number}"
        fpstudy.run(mixed((N,), magnitudes, samples), out, jobs=1, **without_figures())
        made.append(out)
    ended: dict[str, list[Child]] = {}
    pages: dict[str, int] = {}  # with their figures

    def rebuild(out: Path, figures: str) -> None:
        child = run_child(["-m", "fpstudy", "report", str(out), f"--{figures}"])
        ended.setdefault(f"{out.name} {figures}", []).append(child)
        if figures == "figures":
            pages[out.name] = (out / "index.html").stat().st_size

    ways = [(out, figures) for figures in ("no-figures", "figures") for out in made]
    contenders = [
        Contender(f"{out.name} {figures}", lambda o=out, f=figures: rebuild(o, f))
        for out, figures in ways
    ]
    take_turns(contenders, rounds, warm=False)
    return [
        {
            "cases": (rows := _rows(out))[0], "rows": rows[1],
            "page_bytes": pages[out.name],
            "summary_bytes": (out / "summary.csv").stat().st_size,
            **{
                figures: {
                    "seconds": [child.seconds for child in ended[f"{out.name} {figures}"]],
                    "peak": [child.peak for child in ended[f"{out.name} {figures}"]],
                }
                for figures in ("no-figures", "figures")
            },
        }
        for out in made
    ]  # fmt: skip


def _rows(out: Path) -> tuple[int, int]:
    """Cases and rows of a record."""
    import pyarrow.parquet as pq

    found = pq.read_table(out / "record.parquet", columns=["case"])
    return len(found["case"].unique()), len(found)


def growth(sizes: list[Result], value: Callable[[Result], float]) -> tuple[float, float]:
    """By how much the value grows for each case and for each row.

    sizes: three, of which the second has more cases than the first, and the third more rows of the
    same cases. From value = a + b cases + c rows; noise below 0 counts as 0.
    """
    few, many, long = sizes
    by_row = max(0.0, (value(long) - value(few)) / (long["rows"] - few["rows"]))
    more = value(many) - value(few) - by_row * (many["rows"] - few["rows"])
    return max(0.0, more / (many["cases"] - few["cases"])), by_row


def seconds_of(figures: str) -> Callable[[Result], float]:
    """The median of a size's seconds."""
    return lambda size: median(size[figures]["seconds"])


def peak_of(figures: str) -> Callable[[Result], float]:
    """The median of a size's peak of memory."""
    return lambda size: median(size[figures]["peak"])
