"""Chunks carried out in this process: for fpstudy's own formulas in NumPy, which do not crash."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from fpstudy.chunks import Chunk, keep, pack
from fpstudy.execution.terms import Notice, Terms
from fpstudy.measurement import run_tasks


@dataclass(frozen=True)
class Here:
    """The process itself, one chunk after the other."""

    terms: Terms
    jobs: int = 1
    others: dict[str, list[str]] = field(default_factory=dict)

    def takes(self, environment: str) -> bool:
        """Whether it is this one's."""
        return environment == self.terms.environment

    def carry_out(
        self, chunks: Iterable[Chunk], folder: Path, notice: Notice
    ) -> Generator[Chunk, None, None]:
        """Each chunk once its file is in the folder; raises OSError where it cannot be written."""
        for chunk in chunks:
            measured = replace(run_tasks(chunk.tasks), environment=self.terms.environment)
            keep(folder, chunk, pack(chunk, measured))
            yield chunk
