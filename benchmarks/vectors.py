"""What a vector costs: the processor time of its truth, formula, score and witness, and its bytes.

A vector is a row of the record: one sample of one case, so one formula in one dtype on one vector
of logits. A truth serves all formulas and dtypes of its logits, and each of their rows bears its
part of it. Beside it, what is done to whole chunks of rows: packed, written, read, recorded.
"""

import math
import pickle
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.options import Result
from benchmarks.phases import phase
from benchmarks.sampler import Sampler
from benchmarks.studies import mixed
from benchmarks.turns import Contender, take_turns
from fpstudy import record
from fpstudy.cases import Case, expand
from fpstudy.chunks import Chunk, cut, keep, pack, read
from fpstudy.measurement import Task, run_tasks
from fpstudy.study import from_keys
from fpstudy.tasks import tasks, truth_logits

MAGNITUDES = 2  # the fewest of an axis
CUT_MAGNITUDES = 24  # of which a chunk is cut, which measures nothing
WITNESSED = 300  # logits of each demand at least, for the time of one


@dataclass(frozen=True)
class Probe:
    """Vectors to measure: the shipped study's mix at these lengths.

    samples:  of each case, in the sweep that is asked about
    measured: of each case, in what is measured
    """

    name: str
    n: tuple[int, ...]
    samples: int
    measured: int


def measure(probes: Sequence[Probe], rounds: int) -> list[Result]:
    """Each probe's seconds and bytes, in rounds over all of them."""
    with tempfile.TemporaryDirectory() as name:
        made = [Measuring(probe, Path(name) / str(i)) for i, probe in enumerate(probes)]
        computing = [contender for one in made for contender in one.computing()]
        computed = take_turns(computing, rounds, clock=time.process_time)
        writing = [Contender(one.of("keep"), one.keep) for one in made]
        written = take_turns(writing, rounds)
        return [one.result(computed | written, rounds) for one in made]


class Measuring:
    """A probe's chunk at hand, and what is timed of it."""

    def __init__(self, probe: Probe, folder: Path) -> None:
        """Measure the chunk once, for what comes after."""
        folder.mkdir()
        self.probe, self.folder = probe, folder
        self.cases = cases(probe.n, MAGNITUDES, probe.measured)
        self.tasks = alone(tasks(from_keys(mixed(probe.n, MAGNITUDES, probe.measured)), self.cases))
        self.chunk = Chunk(tuple(self.tasks), "0" * 64)
        self.measured = run_tasks(self.tasks)
        self.packed = pack(self.chunk, self.measured)
        self.phases: list[dict[str, float]] = []
        self.witnessed: list[float] = []
        few = -(-WITNESSED // min(probe.n))
        few_cases = cases(probe.n, MAGNITUDES, few)
        checked = tasks(from_keys(mixed(probe.n, MAGNITUDES, few)), few_cases)
        first = {task.draw.n: task for task in checked}.values()  # one draw of each length
        self.checked = [replace(_one_formula(task), witnessed=math.inf) for task in first]
        keep(self.folder, self.chunk, self.packed)

    def of(self, part: str) -> str:
        """The contender's name."""
        return f"{self.probe.name} {part}"

    def computing(self) -> list[Contender]:
        """What is timed by the processor's clock."""
        parts = {
            "run": self.run, "witness": self.witness, "pack": self.pack, "read": self.read,
            "write": self.write, "send": self.send,
        }  # fmt: skip
        return [Contender(self.of(part), work) for part, work in parts.items()]

    def run(self) -> None:
        """The chunk measured, without a witness; its phases are noted down."""
        with Sampler(phase) as sampler:
            run_tasks(self.tasks)
        self.phases.append(dict(sampler.seconds))

    def witness(self) -> None:
        """Truths recomputed; the seconds for each of their logits are noted down."""
        with Sampler(phase) as sampler:
            found = run_tasks(self.checked)
        logits = sum(
            case.demand.draw.n * found.testimony.witnessed / max(1, found.truths)
            * case.demand.samples
            for task in self.checked for _, case in task.cases
        )  # fmt: skip
        self.witnessed.append(sampler.seconds["witness"] / max(1.0, logits))

    def pack(self) -> None:
        """Rows to a file's bytes."""
        pack(self.chunk, self.measured)

    def keep(self) -> None:
        """The file, on the disk."""
        keep(self.folder, self.chunk, self.packed)

    def read(self) -> None:
        """The file read and verified."""
        read(self.folder, self.chunk)

    def write(self) -> None:
        """The rows written to a record."""
        record.write(self.folder / "record.parquet", [(self.measured.rows, "0" * 12)])

    def send(self) -> None:
        """The chunk as it goes to a process."""
        pickle.dumps(self.chunk)

    def result(self, seconds: dict[str, list[float]], rounds: int) -> Result:
        """Seconds and bytes of the probe, and how a chunk is cut in the sweep asked about."""
        probe, rows = self.probe, len(self.measured.rows)
        path = self.folder / "record.parquet"
        footer = pq.ParquetFile(path).metadata
        samples = record.samples(path)
        study = from_keys(mixed(probe.n, CUT_MAGNITUDES, probe.samples))
        asked = expand(study)
        cut_first = next(cut(tasks(study, asked), "")).cases
        return {
            "name": probe.name, "n": list(probe.n), "samples": probe.samples,
            "measured_samples": probe.measured, "cases": len(self.cases), "rows": rows,
            "cases_of_magnitude": len(self.cases) // MAGNITUDES,
            "truth_logits": truth_logits(self.cases), "chunk_cases": cut_first,
            "phases": self.phases[-rounds:], "witness_logit": self.witnessed[-rounds:],
            "run": seconds[self.of("run")], "pack": seconds[self.of("pack")],
            "keep": seconds[self.of("keep")], "read": seconds[self.of("read")],
            "write": seconds[self.of("write")], "send": seconds[self.of("send")],
            "chunk_bytes": len(self.packed), "message_bytes": len(pickle.dumps(self.chunk)),
            "record_bytes": path.stat().st_size - footer.serialized_size,
            "footer_bytes": footer.serialized_size / footer.num_row_groups,
            "samples_bytes": int(samples.memory_usage(deep=True).sum()),
        }  # fmt: skip


def cases(n: Sequence[int], magnitudes: int, samples: int) -> list[Case]:
    """The cases of the mix."""
    return expand(from_keys(mixed(n, magnitudes, samples)))


def alone(found: Sequence[Task]) -> list[Task]:
    """The tasks without a witness."""
    return [replace(task, witnessed=0.0, sure=frozenset()) for task in found]


def _one_formula(task: Task) -> Task:
    """The task with a case of each demand."""
    of_demand = {case.demand: (number, case) for number, case in task.cases}
    return replace(task, cases=tuple(of_demand.values()))
