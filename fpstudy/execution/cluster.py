"""Chunks carried out on the machines of a Dask cluster.

A worker is lent the same chunks as a process of this machine, and gives back their files' bytes; so
a record's bytes do not depend on who measured it, as long as the workers' packages and processors
are those of this machine. Others are refused, or their rows carry their own environment's id.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpstudy.chunks import Chunk, DamagedChunkError, keep, unpack
from fpstudy.execution.origin import Needs, Origin
from fpstudy.execution.remote import Carried, carry_out, origin_here
from fpstudy.execution.terms import Notice, Terms
from fpstudy.outages import ClusterError, WorkersLostError
from fpstudy.reasons import first_line, reason_of

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 10.0
LOOK_SECONDS = 5.0  # between two looks at whether there is a worker
AHEAD = 3  # chunks under way for each thread of a worker
LOSSES = 10  # so often a chunk may be lost with its worker


class Cluster:
    """A Dask cluster, by its scheduler's address (tcp://host:8786) or file."""

    def __init__(
        self, scheduler: str, terms: Terms, needs: Needs, origin: Origin, mixed: bool
    ) -> None:
        """Connect to nothing yet.

        origin: of this machine; mixed: whether workers may have another
        """
        self.scheduler, self.terms, self.needs, self.origin = scheduler, terms, needs, origin
        self.mixed = mixed
        self.jobs = 0
        self.others: dict[str, list[str]] = {}  # environments' ids, and how they differ from here

    def takes(self, environment: str) -> bool:
        """Whether it is this machine's, or workers may have others; which is noted down."""
        if environment == self.terms.environment:
            return True
        if self.mixed:
            self.others.setdefault(environment, ["a worker that is not there now"])
        return self.mixed

    def carry_out(
        self, chunks: Iterable[Chunk], folder: Path, notice: Notice
    ) -> Generator[Chunk, None, None]:
        """Each chunk once its file is in the folder.

        Raises ClusterError where there is no scheduler or a worker is refused, OSError where a file
        cannot be written, and WorkersLostError.
        """
        with _client(self.scheduler) as client:
            _wait_for_worker(client, notice)
            self._look_at_workers(client)
            yield from self._carried_out(client, iter(chunks), folder, notice)

    def _look_at_workers(self, client: "Client") -> None:
        """Ask each worker for its origin; all that are refused are named at once."""
        workers = list(client.scheduler_info(n_workers=-1)["workers"])
        asked = {
            worker: client.submit(origin_here, self.needs, workers=[worker], pure=False)
            for worker in workers
        }
        refused = []
        for worker, future in asked.items():
            error = future.exception()
            if _lost(future):
                continue
            why = reason_of(error) if error else self._refusal(future.result())
            if why:
                refused.append(f"{worker}: {why}")
        if refused:
            raise ClusterError(
                "\n".join([f"{self.scheduler}: workers unlike this machine", *refused])
            )

    def _refusal(self, other: Origin) -> str | None:
        """Why a worker of this origin may not measure, if so; what differs is noted down."""
        unlike = self.origin.unlike(other)
        if not unlike:
            return None
        told = "; ".join(unlike)
        if (other.sources, other.code) != (self.origin.sources, self.origin.code):
            return f"{told}: install there what is installed here"
        if not self.mixed:
            return f"{told}: install there what is installed here, or --allow-mixed"
        self.others[other.where["environment"]] = unlike
        return None

    def _carried_out(
        self, client: "Client", waiting: Iterator[Chunk], folder: Path, notice: Notice
    ) -> Iterator[Chunk]:
        flying: dict[Future, Chunk] = {}
        losses: Counter[str] = Counter()
        while True:
            self.jobs = max(self.jobs, sum(client.nthreads().values()))
            for chunk in waiting:
                flying[self._submit(client, chunk)] = chunk
                if len(flying) >= AHEAD * max(1, self.jobs):
                    break
            if not flying:
                return
            for future in _finished(client, flying, notice):
                chunk = flying.pop(future)
                carried = self._given(future, chunk)
                if carried is not None:
                    for line in carried.notices:
                        notice(line)
                    keep(folder, chunk, carried.data)
                    yield chunk
                    continue
                losses[chunk.key] += 1
                if losses[chunk.key] > LOSSES:
                    raise WorkersLostError(
                        f"{self.scheduler}: {losses[chunk.key]} workers were lost over the same"
                        f" {chunk.cases:,} cases; is there memory for them?"
                    )
                flying[self._submit(client, chunk)] = chunk

    def _submit(self, client: "Client", chunk: Chunk) -> "Future":
        wanted = None if self.mixed else self.origin.digest
        return client.submit(carry_out, chunk, self.terms, self.needs, wanted, pure=False)

    def _given(self, future: "Future", chunk: Chunk) -> Carried | None:
        """What a worker gave; None where it was lost with the worker, or damaged on the way."""
        if _lost(future):
            return None
        given: Carried | Origin = future.result()
        if isinstance(given, Origin):  # of a worker that came later
            raise ClusterError(
                f"{self.scheduler}: workers unlike this machine\none that came later:"
                f" {self._refusal(given)}"
            )
        try:
            taken = self.takes(unpack(chunk, given.data).environment)
        except DamagedChunkError:
            return None
        return given if taken else None


def _lost(future: "Future") -> bool:
    """Whether a worker, or the scheduler, ended before the task did."""
    if future.status in ("cancelled", "lost"):
        return True
    return future.status == "error" and type(future.exception()).__name__ == "KilledWorker"


@contextmanager
def _client(scheduler: str) -> Iterator["Client"]:
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            f"--scheduler needs dask.distributed ({error}): pip install 'fpstudy[cluster]'"
        ) from None
    given: dict[str, Any] = {"address": scheduler}
    if Path(scheduler).is_file():
        given = {"scheduler_file": scheduler}
    try:
        client = Client(**given, timeout=CONNECT_SECONDS, set_as_default=False, name="fpstudy")
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise ClusterError(
            f"--scheduler {scheduler}: no Dask scheduler answers there ({first_line(error)});"
            " want its address, as tcp://host:8786, or the file that it was started with"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=1)


def _wait_for_worker(client: "Client", notice: Notice) -> None:
    from distributed import TimeoutError as WaitedError

    told = False
    while True:
        try:
            client.wait_for_workers(1, timeout=LOOK_SECONDS)
        except WaitedError:
            if not told:
                notice("the cluster has no worker; waiting for one (Ctrl-C ends this)")
            told = True
        else:
            return


def _finished(client: "Client", flying: "dict[Future, Chunk]", notice: Notice) -> "list[Future]":
    """Some that are no longer under way; waits for one, and for workers if all are gone."""
    from distributed import TimeoutError as WaitedError
    from distributed import wait

    while True:
        try:
            with client.as_current():
                done = wait(list(flying), LOOK_SECONDS, "FIRST_COMPLETED").done
        except WaitedError:
            if client.status != "running":
                raise ClusterError("the scheduler is gone; the same command goes on") from None
            _wait_for_worker(client, notice)
        else:
            return [future for future in flying if future in done]
