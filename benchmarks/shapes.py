"""A sweep of so many vectors on paper: its costs from what was measured, and what gives way where.

With V vectors (rows of the record) of C cases, w a vector's seconds with the process that measures
it, p its seconds with the parent, b and a the seconds before and after measuring,

    hours on W cores = (b + max((w + p) V / W, p V) + a) / 3600

as the parent takes in one chunk after the other: from 1 + w / p cores on, more do not help.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.options import Result
from benchmarks.parent import growth, peak_of, seconds_of
from benchmarks.studies import mixed
from benchmarks.turns import figure
from fpstudy.record import GROUP
from fpstudy.samples import BYTES_PER_NUMBER
from fpstudy.study import StudyError, from_keys
from fpstudy.tasks import WITNESSED_SHARE

VECTORS = 10**9
CORES = (2, 64, 1000)
HOUR = 3600.0
# Not measured: what is held to be too much. A folder of ext4 has room for about ten million names
# of this length; Parquet numbers a file's row groups in 16 bits; a page of so many bytes opens.
MOST_FILES, MOST_GROUPS, MOST_PAGE = 10**7, 2**15, 10**8


@dataclass(frozen=True)
class Shape:
    """A sweep of vectors, and what was measured for it.

    probe:  of the lengths and samples of the sweep
    result: all that was measured
    """

    probe: Result
    result: Result

    @property
    def name(self) -> str:
        """Cases, samples and lengths."""
        n = ", ".join(f"{n:,}" for n in self.probe["n"])
        return f"{self.cases:,} cases x {self.probe['samples']:,}, n = {n}"

    @property
    def cases(self) -> int:
        """C."""
        return round(VECTORS / self.probe["samples"])

    def each(self, part: str) -> float:
        """The median of a part's seconds, for each row that was measured."""
        return median(self.probe[part]) / float(self.probe["rows"])

    @property
    def witness(self) -> float:
        """A vector's seconds of the witness, of which so many logits of the truths are one part."""
        logits = self.probe["truth_logits"] / self.probe["rows"]
        return float(WITNESSED_SHARE * logits * median(self.probe["witness_logit"]))

    @property
    def worker(self) -> float:
        """w: measured, witnessed, packed and on the disk."""
        return self.each("run") + self.witness + self.each("pack") + self.each("keep")

    @property
    def parent(self) -> float:
        """p: sent, read and recorded."""
        return self.each("send") + self.each("read") + self.each("write")

    @property
    def parent_of_cluster(self) -> float:
        """p where the parent also verifies what comes over the network, and writes it."""
        return self.parent + self.each("read") + self.each("keep")

    @property
    def before(self) -> float:
        """Seconds until the first chunk can be measured."""
        largest = self.result["before"][-1]
        return self.cases * sum(median(seconds) for seconds in largest["seconds"].values())

    def after(self, figures: str = "figures") -> float:
        """Seconds of summary, figures and pages."""
        return self._grown(seconds_of(figures))

    def _grown(self, value: Callable[[Result], float]) -> float:
        by_case, by_row = growth(self.result["after"], value)
        return by_case * self.cases + by_row * VECTORS

    @property
    def core_hours(self) -> float:
        """Of all processes together."""
        both = VECTORS * (self.worker + self.parent)
        return (self.before + both + self.after()) / HOUR

    def hours(self, cores: int) -> float:
        """From the command to the report on so many cores."""
        both = VECTORS * (self.worker + self.parent) / cores
        measuring = max(both, VECTORS * self.parent)
        return (self.before + measuring + self.after()) / HOUR

    @property
    def useful_cores(self) -> int:
        """From so many cores on, the parent is the bottleneck: 1 + w / p, rounded up."""
        return math.ceil(1 + self.worker / self.parent)

    @property
    def useful_workers(self) -> int:
        """The same of a cluster."""
        return math.ceil(1 + self.worker / self.parent_of_cluster)

    def bytes_of(self, part: str) -> float:
        """Of all rows."""
        return float(VECTORS * self.probe[part] / self.probe["rows"])

    @property
    def record_bytes(self) -> float:
        """The record with its footer."""
        return self.bytes_of("record_bytes") + self.row_groups * float(self.probe["footer_bytes"])

    @property
    def disk(self) -> float:
        """Chunks and record: both are there until the record is whole."""
        return self.bytes_of("chunk_bytes") + self.record_bytes

    @property
    def network(self) -> float:
        """What goes to a cluster's workers and comes back from them."""
        sent = self.cases * self.probe["message_bytes"] / self.probe["cases"]
        return float(sent + self.bytes_of("chunk_bytes"))

    @property
    def chunk_rows(self) -> int:
        """Rows of one chunk."""
        return int(self.probe["chunk_cases"] * self.probe["samples"])

    @property
    def chunks(self) -> int:
        """Their files in one folder."""
        return math.ceil(self.cases / self.probe["chunk_cases"])

    @property
    def chunk_seconds(self) -> float:
        """Of one core for one chunk, which an interruption loses."""
        return self.chunk_rows * self.worker

    @property
    def row_groups(self) -> int:
        """Of the record: whole chunks, of GROUP rows or more."""
        return math.ceil(VECTORS / (self.chunk_rows * math.ceil(GROUP / self.chunk_rows)))

    @property
    def held(self) -> float:
        """Bytes of cases, tasks and chunks in the parent."""
        largest = self.result["before"][-1]
        return float(self.cases * largest["bytes"] / largest["cases"])

    @property
    def draw_bytes(self) -> int:
        """The arrays of one draw in a process, as `fpstudy plan` counts them."""
        return int(max(self.probe["n"]) * self.probe["samples"] * BYTES_PER_NUMBER)

    @property
    def report_bytes(self) -> float:
        """The parent's memory for the report: at least what it reads of each row, at once."""
        by_case, by_row = growth(self.result["after"], peak_of("figures"))
        read = self.probe["samples_bytes"] / self.probe["rows"]
        return float(by_case * self.cases + max(by_row, read) * VECTORS)

    @property
    def page_bytes(self) -> float:
        """index.html."""
        return self._grown(lambda size: float(size["page_bytes"]))

    @property
    def refusal(self) -> str:
        """What fpstudy itself says to such a study file; "" where it takes it."""
        ways = self.probe["cases_of_magnitude"]
        try:
            from_keys(mixed(self.probe["n"], self.cases // ways, self.probe["samples"]))
        except StudyError as error:
            return str(error).splitlines()[0]
        return ""


@dataclass(frozen=True)
class Stage:
    """A stage of the run: what it needs there, whether that is too much, and what could be done."""

    name: str
    need: str
    breaks: bool
    remedy: str


def stages(shape: Shape) -> list[Stage]:
    """In the order in which a run comes to them."""
    memory = shape.result["memory"]
    refusal, useful, share = shape.refusal, shape.useful_cores, shape.after() / HOUR
    return [
        Stage(
            "the study file", refusal or "taken", bool(refusal),
            "the limit is a number in fpstudy/study.py or study_file/, there so that nobody starts"
            " such a run by mistake; several studies of a part each stay below it",
        ),
        Stage(
            "cases in the parent", f"{_size(shape.held)}, {_time(shape.before)} before the first is"
            " measured", shape.held > memory,
            "make cases as chunks are cut, and keep of each no more than its number",
        ),
        Stage(
            "one draw in a process", f"{_size(shape.draw_bytes)}", shape.draw_bytes > memory,
            "take the samples of a draw in parts; its chunk would be shorter, too"
        ),
        Stage(
            "one parent takes in all chunks",
            f"busy from {useful:,} cores on: {_time(VECTORS * shape.parent)} at the least",
            useful < max(CORES),
            "let each chunk's file be a part of the record, a folder of Parquet files, so that no"
            " row is decoded and encoded twice",
        ),
        Stage(
            "files in one folder", f"{shape.chunks:,} of {_size(shape.bytes_of('chunk_bytes'))} in"
            " all", shape.chunks > MOST_FILES,
            "folders by the first digits of the key",
        ),
        Stage(
            "row groups of the record", f"{shape.row_groups:,}, the footer"
            f" {_size(shape.row_groups * shape.probe['footer_bytes'])}",
            shape.row_groups > MOST_GROUPS,
            "larger groups, or a record of several files",
        ),
        Stage(
            "the report's memory", _size(shape.report_bytes), shape.report_bytes > memory,
            "let figures and tables read the record in parts, as the summary does, and keep of each"
            " case its worst sample",
        ),
        Stage(
            "the report's time", _time(shape.after()), share > shape.hours(64) / 2,
            "summarise each chunk where it is measured, and draw from the summary",
        ),
        Stage(
            "index.html", _size(shape.page_bytes), shape.page_bytes > MOST_PAGE,
            "beyond some cases, tables of the extremes only, and the rest in summary.csv",
        ),
    ]  # fmt: skip


def breaks_first(shape: Shape) -> Stage | None:
    """The first stage at which it is too much."""
    return next((stage for stage in stages(shape) if stage.breaks), None)


def _size(size: float) -> str:
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{figure(size / unit)} {name}"
    return f"{figure(size / 1e3)} kB"


def _time(seconds: float) -> str:
    for unit, name in ((HOUR, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{figure(seconds / unit)} {name}"
    return f"{figure(seconds)} s"
