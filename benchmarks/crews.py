"""What it costs to have others measure: a desk, one or two of them beside this process, and Dask.

Chunks of one draw show how much several processes gain; chunks of one case of two samples, which
take next to nothing to measure, what each chunk costs on its way.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from benchmarks.machine import PEAK_UNIT
from benchmarks.options import Result
from benchmarks.studies import mixed
from benchmarks.turns import Contender, take_turns
from benchmarks.vectors import alone
from fpstudy import record
from fpstudy.cases import expand
from fpstudy.chunks import Chunk, forget
from fpstudy.environment.uses import used_by
from fpstudy.execution import Workers, carried_out
from fpstudy.execution.desk import Desk
from fpstudy.execution.here import Here
from fpstudy.execution.origin import Needs
from fpstudy.execution.origin import here as origin_here
from fpstudy.execution.pool import LEAST_ROOM, at_desks
from fpstudy.execution.terms import Notice, Terms
from fpstudy.execution.worker import carry_out
from fpstudy.study import from_keys
from fpstudy.tasks import tasks
from fpstudy.user_code import NO_CODE

PATIENCE = 60.0  # seconds in which a process is to be there
PLAIN = ("DASK_SCHEDULER_ADDRESS", "FPSTUDY_SCHEDULER")  # that the processes are not to follow


@dataclass
class Desks:
    """A pool whose processes are there already."""

    terms: Terms
    jobs: int
    others: dict[str, list[str]] = field(default_factory=dict)
    desks: list[Desk] = field(default_factory=list)

    def carry_out(self, chunks: Iterable[Chunk], folder: Path, notice: Notice) -> Iterator[Chunk]:
        """Each chunk once its file is in the folder."""
        self.desks = self.desks or [Desk(LEAST_ROOM) for _ in range(self.jobs)]
        yield from at_desks(self.desks, chunks, folder, self.terms, notice)

    def clear(self) -> None:
        """End the processes."""
        for desk in self.desks:
            desk.clear()


def draws(number: int, samples: int) -> list[Chunk]:
    """Chunks of one draw each: all cases of a magnitude, n = 10."""
    study = from_keys(mixed((10,), max(2, number), samples))
    found = alone(tasks(study, expand(study)))[:number]
    return [Chunk((task,), f"{i:064x}") for i, task in enumerate(found)]


def specks(number: int) -> list[Chunk]:
    """Chunks of one case and two samples."""
    return [
        Chunk((replace(task, cases=task.cases[:1]),), chunk.key)
        for chunk in draws(number, 2)
        for task in chunk.tasks
    ]


def measure(number: int, samples: int, small: int, rounds: int, folder: Path) -> Result:
    """A desk's cost; seconds of each chunk with this process alone, and with desks."""
    terms = Terms("0" * 12)
    crews: dict[str, Workers] = {
        "this process": Here(terms), "1 desk": Desks(terms, 1), "2 desks": Desks(terms, 2),
    }  # fmt: skip
    try:
        return {
            "desk": _desk(folder / "desk", terms, rounds),
            "draws": _seconds(draws(number, samples), crews, rounds, folder),
            "rows": sum(chunk.cases for chunk in draws(number, samples)) * samples,
            "specks": _seconds(specks(small), crews, rounds, folder),
            "numbers": [number, small],
        }
    finally:
        for crew in crews.values():
            if isinstance(crew, Desks):
                crew.clear()


def resident() -> int:
    """The most bytes that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT


def _desk(folder: Path, terms: Terms, rounds: int) -> Result:
    """Seconds until a new desk has measured its first small chunk, and the memory it has then."""
    seconds, memory = [], []
    for chunk in draws(rounds, 2):
        desk = Desk(LEAST_ROOM)
        try:
            start = time.perf_counter()
            folder.mkdir(exist_ok=True)
            wait([desk.start(carry_out, chunk, folder, terms.environment, {})], PATIENCE)
            seconds.append(time.perf_counter() - start)
            memory.append(desk.start(resident).result(PATIENCE))
        finally:
            desk.clear()
            forget(folder)
    return {"seconds": seconds, "memory": memory}


def _seconds(
    chunks: Sequence[Chunk], crews: dict[str, Workers], rounds: int, folder: Path
) -> dict[str, list[float]]:
    """Seconds for each chunk, from its tasks to its rows in the record."""
    contenders = [
        Contender(name, lambda c=crew: _carry_out(chunks, c, folder), len(chunks))
        for name, crew in crews.items()
    ]
    return take_turns(contenders, rounds)


def _carry_out(chunks: Sequence[Chunk], crew: Workers, folder: Path) -> None:
    parts = carried_out(chunks, folder / "chunks", crew, _unexpected)
    record.write(folder / "record.parquet", ((part.rows, part.environment) for part in parts))
    forget(folder / "chunks")


def _unexpected(line: str) -> None:
    raise RuntimeError(line)


def on_dask(small: int, rounds: int, folder: Path) -> Result:
    """Seconds of each small chunk on a cluster of this machine, with 1 worker and with 2."""
    try:
        import distributed
    except ImportError as error:
        return {"skipped": f"dask.distributed is not installed ({error})"}
    from fpstudy.execution.cluster import Cluster

    chunks = specks(small)
    needs = Needs(
        used_by([case for c in chunks for t in c.tasks for _, case in t.cases]), (), NO_CODE
    )
    origin = origin_here(needs)
    terms = Terms(origin.where["environment"])
    seconds: dict[str, list[float]] = {}
    with _scheduler(folder) as (file, add_worker):
        for workers in (1, 2):
            add_worker()
            cluster = Cluster(str(file), terms, needs, origin, False)
            _wait_for(lambda f=file, w=workers: _workers(f) >= w)
            name = "1 worker" if workers == 1 else f"{workers} workers"
            seconds |= _seconds(chunks, {name: cluster}, rounds, folder)
    return {"seconds": seconds, "chunks": small, "version": distributed.__version__}


def _workers(file: Path) -> int:
    from distributed import Client

    with Client(scheduler_file=str(file), timeout=PATIENCE, set_as_default=False) as client:
        return len(client.scheduler_info(n_workers=-1)["workers"])


@contextmanager
def _scheduler(folder: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A scheduler's file, and what starts a worker of one thread; all end with the context."""
    file, number, started = folder / "scheduler.json", count(), list[subprocess.Popen[bytes]]()
    surroundings = {name: value for name, value in os.environ.items() if name not in PLAIN}

    def start(module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{module}", "--no-dashboard"]
        started.append(
            subprocess.Popen(
                [*command, "--scheduler-file", str(file), *arguments],
                env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

    def add_worker() -> None:
        local = folder / f"worker{next(number)}"
        start("dask_worker", "--nthreads", "1", "--no-nanny", "--local-directory", str(local))

    try:
        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
        _wait_for(lambda: _is_json(file))
        yield file, add_worker
    finally:
        for process in reversed(started):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return True


def _wait_for(there: Callable[[], bool]) -> None:
    """Raises TimeoutError where it is not there in good time."""
    deadline = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError(f"a Dask process was not there after {PATIENCE:g} s")
        time.sleep(0.05)
