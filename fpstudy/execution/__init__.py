"""Chunks carried out: those that are there already are read, the others measured and kept.

Who measures them is one seam: `Workers`, which put each chunk's file into the folder and say when
it is there, in whatever order. The results come in the order of the chunks, whoever measured them
and when; so a run that was interrupted, however, gives the same bytes as one that was not.

    Here      this process: no start-up, and no protection
    Pool      processes of this machine: a formula that crashes or hangs loses its case alone
    Cluster   the same on the machines of a Dask cluster
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from fpstudy.chunks import Chunk, DamagedChunkError, read
from fpstudy.execution.terms import Notice
from fpstudy.measurement import Measured


class Workers(Protocol):
    """Who measures chunks: so many at a time (jobs)."""

    @property
    def jobs(self) -> int:
        """How many processes."""

    @property
    def others(self) -> dict[str, list[str]]:
        """Other environments that rows are of: their ids, and how they differ from this one."""

    def takes(self, environment: str) -> bool:
        """Whether rows that were measured in this environment may stand in the record."""

    def carry_out(
        self, chunks: Iterable[Chunk], folder: Path, notice: Notice
    ) -> Generator[Chunk, None, None]:
        """Each chunk as soon as its file is in the folder; closed, it ends what it started.

        notice: told of each case that ended its process or did not end
        Raises OSError where a file cannot be written, and WorkersLostError.
        """


def carried_out(
    chunks: Sequence[Chunk], folder: Path, workers: Workers, notice: Notice
) -> Generator[Measured, None, None]:
    """What each chunk gives, in their order; what is measured is in the folder before it is given.

    notice: told what was there, and of each file that was not as it was written
    Raises OSError where a result cannot be written, and WorkersLostError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [chunk for chunk in chunks if not _is_there(folder, chunk, workers, notice)]
    if len(missing) < len(chunks):
        there, rest = (f"{sum(c.cases for c in part):,}" for part in (chunks, missing))
        notice(f"going on: {rest} of {there} cases are left to measure; the others are kept")
    left = {chunk.key for chunk in missing}
    with closing(workers.carry_out(missing, folder, notice)) as finished:
        for chunk in chunks:
            while chunk.key in left:
                left.discard(next(finished).key)
            yield _kept(folder, chunk)


def _is_there(folder: Path, chunk: Chunk, workers: Workers, notice: Notice) -> bool:
    """Whether the chunk's file is whole and of where these may measure; else it is removed."""
    try:
        found = read(folder, chunk)
        if found is not None and not workers.takes(found.environment):
            raise DamagedChunkError("its key is of another environment than its rows")
        return found is not None
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
