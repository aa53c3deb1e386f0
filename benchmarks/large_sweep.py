"""A page on paper: what a sweep of 10^9 vectors costs, and where it would break first.

A vector is a row of the record: one sample of one case. Nothing of that size is run. What one
vector, case, chunk and process costs is measured on this machine with the problems, formulas and
dtypes of the shipped study, and multiplied.

    python -m benchmarks.large_sweep              writes benchmarks/large_sweep.md; about 6 minutes
    python -m benchmarks.large_sweep --page FILE  writes it there
    python -m benchmarks large_sweep              keeps it in results.json with the others, too
"""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import crews, parent, vectors
from benchmarks.machine import cores, described, one_core
from benchmarks.options import Result, carry_out, parser, positive
from benchmarks.shapes import (
    CORES,
    MOST_FILES,
    MOST_GROUPS,
    MOST_PAGE,
    VECTORS,
    Shape,
    breaks_first,
    stages,
)
from benchmarks.tables import table
from benchmarks.turns import figure, spread
from benchmarks.vectors import Probe
from fpstudy.environment.memory import available

PAGE = Path(__file__).resolve().parent / "large_sweep.md"
SHAPED = ("n = 10", "n = 10, half", "n = 1000", "mix")  # probes that a sweep is worked out for


def probes(numbers: int) -> list[Probe]:
    """What is measured: no case of more than so many numbers."""

    def probe(name: str, n: tuple[int, ...], samples: int) -> Probe:
        return Probe(name, n, samples, max(2, min(samples, numbers // max(n))))

    return [
        probe("n = 10", (10,), 1000),
        probe("n = 10, half", (10,), 500),
        probe("n = 100", (100,), 1000),
        probe("n = 1000", (1000,), 1000),
        probe("mix", (8, 128, 1024), 16),
    ]


def measure(options: argparse.Namespace) -> Result:
    """Vectors and chunks, the parent's own work, and crews; each in rounds."""
    rounds = options.rounds
    few, many = options.magnitudes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("crews", "dask", "reports"):
            (folder / part).mkdir()
        with one_core():
            measured = vectors.measure(probes(options.numbers), rounds)
            before = parent.before([many, 4 * many], 1000, rounds)
        short, long = options.samples
        sizes = [(few, short), (many, short), (few, long)]
        return {
            "rounds": rounds, "cores": cores(), "memory": available(), "vectors": measured,
            "before": before, "after": parent.after(sizes, rounds, folder / "reports"),
            "crews": crews.measure(
                options.chunks, options.chunk_samples, options.specks, rounds, folder / "crews"
            ),
            "dask": crews.on_dask(options.specks, rounds, folder / "dask"),
        }  # fmt: skip


def shapes(result: Result) -> list[Shape]:
    """The sweeps that are worked out."""
    of = {probe["name"]: probe for probe in result["vectors"]}
    return [Shape(of[name], result) for name in SHAPED]


def show(result: Result) -> str:
    """The sweeps' costs; the page has what they rest on."""
    return f"{costs(result)}\n\nWhat this rests on: [{PAGE.name}]({PAGE.name})."


def costs(result: Result) -> str:
    """A column for each sweep."""
    found = shapes(result)
    rows = [
        ["core-hours", *(figure(s.core_hours) for s in found)],
        *[[f"hours on {n:,} cores", *(figure(s.hours(n)) for s in found)] for n in CORES],
        ["of which before the first chunk, s", *(figure(s.before) for s in found)],
        ["of which summary, figures, pages, h", *(figure(s.after() / 3600) for s in found)],
        ["cores from which on the parent is the bottleneck", *(s.useful_cores for s in found)],
        ["the same of a Dask cluster", *(s.useful_workers for s in found)],
        ["chunks' files", *(f"{s.chunks:,}" for s in found)],
        ["rows of a chunk", *(f"{s.chunk_rows:,}" for s in found)],
        ["a chunk, seconds of one core", *(figure(s.chunk_seconds) for s in found)],
        ["record, GB", *(figure(s.record_bytes / 1e9) for s in found)],
        ["disk (chunks and record), GB", *(figure(s.disk / 1e9) for s in found)],
        ["network of a cluster, GB, or bytes a vector", *(figure(s.network / 1e9) for s in found)],
        ["cases in the parent's memory, GB", *(figure(s.held / 1e9) for s in found)],
        ["report's memory, GB", *(figure(s.report_bytes / 1e9) for s in found)],
        ["index.html, MB", *(figure(s.page_bytes / 1e6) for s in found)],
        ["breaks first at", *((b.name if (b := breaks_first(s)) else "nothing") for s in found)],
    ]
    return table(["", *(shape.name for shape in found)], rows)


def breaks(result: Result) -> str:
    """A row for each stage in the order of the run, and what could be done about it."""
    found = shapes(result)
    each = [stages(shape) for shape in found]
    rows = [
        [at[0].name, *(f"**{s.need}**" if s.breaks else s.need for s in at)]
        for at in zip(*each, strict=True)
    ]
    header = ["stage, in order", *(shape.name for shape in found)]
    remedies = [f"* {stage.name}: {stage.remedy}." for stage in each[0]]
    memory = figure(result["memory"] / 1e9)
    return (
        "## What gives way, in the order of the run\n\n"
        f"In bold what is too much: more than the memory of this machine, {memory} GB; a parent"
        f" that keeps {max(CORES):,} cores waiting; a report that takes more than half of the time"
        " on 64 cores. Not measured but supposed: a folder's"
        f" {MOST_FILES:,} files, a Parquet file's {MOST_GROUPS:,} row groups and a page's"
        f" {figure(MOST_PAGE / 1e6)} MB are the most that are of use.\n\n"
        f"{table(header, rows)}\n\nWhat could be done:\n\n" + "\n".join(remedies)
    )


def basis(result: Result) -> str:
    """What was measured."""
    parts = [_vectors, _chunks, _before, _after, _crews, _dask, _not_tried]
    return "\n\n".join(part(result) for part in parts)


def _vectors(result: Result) -> str:
    names = ("inputs", "truth", "evaluation", "scoring")
    rows = []
    for probe in result["vectors"]:
        shape = Shape(probe, result)
        seconds = [[phases.get(name, 0.0) for phases in probe["phases"]] for name in names]
        known = [1e6 * median(values) / probe["rows"] for values in seconds]
        rest = 1e6 * shape.each("run") - sum(known)
        all_of = [1e6 * value / probe["rows"] for value in probe["run"]]
        rows.append([
            ", ".join(map(str, probe["n"])), f"{probe['measured_samples']:,}",
            *map(figure, (*known, rest)), spread(all_of), figure(1e6 * shape.witness),
            figure(1e6 * median(probe["witness_logit"])),
        ])  # fmt: skip
    header = ["n", "samples", *names, "rest", "all", "witness", "a witnessed logit"]
    return (
        "### A vector\n\nMicroseconds of one core for each row of the record. A truth is shared by"
        " all formulas and dtypes of its logits. The witness is what a large sweep has: one logit"
        f" in a thousand. Rounds: {result['rounds']}.\n\n{table(header, rows)}"
    )


def _chunks(result: Result) -> str:
    parts = ("pack", "keep", "read", "write", "send")
    rows = []
    for probe in result["vectors"]:
        of_row = [spread([1e6 * value / probe["rows"] for value in probe[part]]) for part in parts]
        sizes = [probe[part] / probe["rows"] for part in ("chunk_bytes", "record_bytes")]
        rows.append([
            ", ".join(map(str, probe["n"])), f"{probe['samples']:,}", probe["chunk_cases"],
            *of_row, *map(figure, sizes), figure(probe["message_bytes"] / probe["cases"]),
            figure(probe["samples_bytes"] / probe["rows"]),
        ])  # fmt: skip
    header = [
        "n", "samples", "cases of a chunk", "packed", "written, flushed", "read, verified",
        "recorded", "sent", "bytes in the chunk", "bytes in the record", "bytes sent, a case",
        "bytes in the report's memory",
    ]  # fmt: skip
    return (
        "### A row in its chunk\n\nMicroseconds and bytes for each row; packed and written by the"
        " process that measures, sent, read and recorded by the parent. Processor time, but of what"
        f" waits for the disk.\n\n{table(header, rows)}"
    )


def _before(result: Result) -> str:
    rows = [
        [
            f"{one['cases']:,}",
            *(spread([1e6 * t for t in one["seconds"][s]]) for s in ("expand", "tasks", "cut")),
            figure(one["bytes"] / one["cases"]),
        ]
        for one in result["before"]
    ]
    header = ["cases", "expanded, us", "tasks, us", "cut with keys, us", "bytes of memory"]
    return (
        "### A case before it is measured\n\nAll are in the parent's memory before the first is"
        f" measured. For each case:\n\n{table(header, rows)}"
    )


def _after(result: Result) -> str:
    rows = [
        [
            f"{one['cases']:,}", f"{one['rows']:,}",
            spread(one["no-figures"]["seconds"]), spread(one["figures"]["seconds"]),
            figure(median(one["no-figures"]["peak"]) / 1e6),
            figure(median(one["figures"]["peak"]) / 1e6),
            f"{one['page_bytes']:,}", f"{one['summary_bytes']:,}",
        ]
        for one in result["after"]
    ]  # fmt: skip
    values = [seconds_and(result, way) for way in ("no-figures", "figures")]
    header = [
        "cases", "rows", "without figures, s", "with figures, s", "peak without, MB",
        "peak with, MB", "index.html, bytes", "summary.csv, bytes",
    ]  # fmt: skip
    return (
        "### The report\n\n`fpstudy report`, whole processes. From the three sizes, for each"
        f" case and each row more:\n\n{table(header, rows)}\n\n" + "\n".join(values)
    )


def seconds_and(result: Result, figures: str) -> str:
    """How the report's seconds and memory grow, in a line."""
    seconds = parent.growth(result["after"], parent.seconds_of(figures))
    peak = parent.growth(result["after"], parent.peak_of(figures))
    what = {"no-figures": "without figures", "figures": "with figures"}[figures]
    return (
        f"* {what}: {figure(1e3 * seconds[0])} ms and {figure(peak[0] / 1e3)} kB a case,"
        f" {figure(1e6 * seconds[1])} us and {figure(peak[1])} bytes a row"
    )


def _crews(result: Result) -> str:
    crew = result["crews"]
    number, small = crew["numbers"]
    seconds = spread(crew["desk"]["seconds"])
    memory = spread([size / 1e6 for size in crew["desk"]["memory"]])
    per_second = crew["rows"] / number
    rows = [
        [
            name, spread(values), figure(per_second / median(values)),
            spread([1e3 * value for value in crew["specks"][name]]),
        ]
        for name, values in crew["draws"].items()
    ]  # fmt: skip
    header = ["who measures", "a chunk of a draw, s", "rows a second", "an all but empty chunk, ms"]
    return (
        f"### Desks\n\nA desk has measured its first chunk after {seconds} s and takes {memory} MB"
        f" of memory. {number} chunks of {figure(per_second)} rows, and {small} that are all but"
        f" empty, from tasks to the record on {result['cores']} cores, the desks at work"
        f" already:\n\n{table(header, rows)}"
    )


def _dask(result: Result) -> str:
    dask = result["dask"]
    if "skipped" in dask:
        return f"### Dask\n\nNot measured: {dask['skipped']}."
    here = result["crews"]["specks"]["this process"]
    rows = [
        [
            name, spread([1e3 * value for value in values]),
            figure(1e3 * (median(values) - median(here))),
        ]
        for name, values in dask["seconds"].items()
    ]  # fmt: skip
    header = ["cluster of this machine", "an all but empty chunk, ms", "more than this process"]
    return (
        f"### Dask\n\n{dask['chunks']} all but empty chunks, distributed {dask['version']}; a"
        f" worker has one thread and its desk.\n\n{table(header, rows)}\n\nOver the wire go the"
        " bytes of the chunk's file and of its tasks as pickled; frames of the protocol are not"
        " counted."
    )


def _not_tried(result: Result) -> str:
    scaled = [p for p in result["vectors"] if p["measured_samples"] < p["samples"]]
    told = ", ".join(
        f"n = {', '.join(map(str, p['n']))} ({p['measured_samples']:,} of {p['samples']:,} samples)"
        for p in scaled
    )
    many, largest = result["before"][-1]["cases"], result["after"]
    return (
        "### What was not tried\n\n"
        f"* No sweep of this size was run, nor on more than {result['cores']} cores or over a real"
        " network.\n"
        f"* Vectors were measured at fewer samples than the sweep has at: {told or 'none'}; a"
        " case's own cost is shared by fewer there, so that these are too dear rather than too"
        " cheap.\n"
        f"* Cases before measuring are scaled from {many:,}, the report from"
        f" {max(one['cases'] for one in largest):,} cases and"
        f" {max(one['rows'] for one in largest):,} rows, in proportion: what grows faster, or stops"
        " to grow as tables give extremes only, is not seen.\n"
        "* The parent's seconds are processor time of one core; that it waits for the disk, and"
        " that workers on the same machine share its memory and caches, is left out. On a cluster"
        " the parent also verifies and writes what comes back.\n"
        "* A run that goes on after an interruption reads each chunk's file twice; this is left"
        " out.\n"
        "* Memory is that of this machine, and the most files, row groups and bytes of a page are"
        " suppositions."
    )


def page(kept: Result) -> str:
    """The page in Markdown; kept: what was measured, with date and machine."""
    result = kept["result"]
    machine = [["date", kept["date"]], *map(list, kept["machine"].items())]
    return (
        f"# A sweep of {VECTORS:,} vectors, on paper\n\n"
        "Written by `python -m benchmarks.large_sweep` from what it measured on the machine below;"
        " no figure is typed. A figure is the median of the rounds, with the smallest and the"
        " largest.\n\n"
        f"## What it costs\n\n{costs(result)}\n\n{breaks(result)}\n\n"
        f"## What this rests on\n\n{basis(result)}\n\n### Machine\n\n{table(['', ''], machine)}\n"
    )


def goals(result: Result) -> list:
    """None: nothing was promised."""
    return []


def kept(result: Result) -> Result:
    """What was measured, with the date and the machine."""
    return {"date": datetime.now(UTC).date().isoformat(), "machine": described(), "result": result}


def command_line() -> argparse.ArgumentParser:
    """The options."""
    found = parser(__doc__, rounds=3)
    found.add_argument(
        "--page", type=Path, default=PAGE, help="where the page goes; nowhere with --json"
    )
    found.add_argument("--numbers", type=positive, default=50_000, help="numbers of a case at most")
    found.add_argument(
        "--magnitudes", type=positive, nargs=2, default=[4, 24], help="of the report's two sizes"
    )
    found.add_argument(
        "--samples",
        type=positive,
        nargs=2,
        default=[100, 1600],
        help="of the reports' cases; fewer rows than a row group, and its buffers count as rows",
    )
    found.add_argument("--chunks", type=positive, default=4, help="of one draw each")
    found.add_argument("--chunk-samples", type=positive, default=1000, help="of their cases")
    found.add_argument("--specks", type=positive, default=60, help="all but empty chunks")
    return found


if __name__ == "__main__":
    given = command_line().parse_args()
    if given.json is None:
        text = page(kept(measure(given)))
        print(text)
        given.page.write_text(text, encoding="utf-8")
    else:
        carry_out(given, measure, show)
