"""Where the time of a large sweep goes: truth, witness, evaluation, scoring, record, and the rest.

The study of the sweep benchmark, in a new process with one job, on one core, in each round. What
fpstudy's flow.py and measurement.py call is what a phase is; the imports of a call are taken out
of it.

    python -m benchmarks.phases --rounds 3
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from types import FrameType

from benchmarks.sampler import Sampler

PACKAGE = os.path.dirname(find_spec("fpstudy").origin) + os.sep  # found, not imported
ROOT = Path(__file__).resolve().parent.parent
DRIVERS = ("flow", "measurement")
PHASES = {  # by the module that a driver calls
    "truth": "truth", "limits": "truth",
    "witness": "witness",
    "arithmetic": "evaluation", "problems": "evaluation",
    "errors": "scoring", "rounding": "scoring", "bounds": "scoring",
    "yardstick": "scoring",
    "record": "record",
    "summary": "summary",
    "report": "pages",
    "samples": "inputs", "distributions": "inputs", "inputs": "inputs",
    "environment": "environment checks",
    "study": "study and cases", "study_file": "study and cases", "cases": "study and cases",
    "user_code": "study and cases",
    "claims": "claims",
}  # fmt: skip
IMPORTS, OTHER = "imports", "other"
TRUTH_GOAL = (0.40, 0.20)  # its share of the whole, set and stretch


def phase(frame: FrameType | None) -> str:
    """The phase of a stack: the module that the innermost driver calls; imports before all."""
    called = ""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return IMPORTS
        module = _module(file)
        if module in DRIVERS:
            return PHASES.get(called, called or OTHER)
        called = module or called
        frame = frame.f_back
    return PHASES.get(called, OTHER)


def _module(file: str) -> str:
    """The first name below fpstudy, as "truth"; "" for a file that is not fpstudy's."""
    if not file.startswith(PACKAGE):
        return ""
    return file.removeprefix(PACKAGE).partition(os.sep)[0].removesuffix(".py")


def once(text: str) -> dict[str, float]:
    """Seconds of processor time by phase of one run of the study, fpstudy's import included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(text, encoding="utf-8")
        with Sampler(phase) as sampler:
            import fpstudy
            from benchmarks.studies import without_figures

            fpstudy.run(path, Path(folder) / "out", jobs=1, fresh=True, **without_figures())
    return dict(sampler.seconds)


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Rounds, each in a process of its own."""
    from benchmarks.machine import one_core
    from benchmarks.studies import drawn_logits, large

    text = large(options.n, options.logits)
    start = [sys.executable, "-m", "benchmarks.phases", "--once", text]
    found, seconds = [], []
    with one_core():
        for _ in range(options.rounds):
            before = time.perf_counter()
            done = subprocess.run(start, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
            seconds.append(time.perf_counter() - before)
            found.append(json.loads(done.stdout))
    return {
        "n": options.n,
        "logits": drawn_logits(text),
        "rounds": options.rounds,
        "phases": found,
        "seconds": seconds,
    }


def shares(result: dict) -> dict[str, list[float]]:
    """Each phase's share of its round, the largest phase first."""
    totals = [sum(found.values()) for found in result["phases"]]
    names = {name for found in result["phases"] for name in found}
    found = {
        name: [
            phases.get(name, 0.0) / total
            for phases, total in zip(result["phases"], totals, strict=True)
        ]
        for name in names
    }
    return dict(sorted(found.items(), key=lambda item: (-median(item[1]), item[0])))


def show(result: dict) -> str:
    """A row for each phase: its seconds and its share."""
    from benchmarks.tables import table
    from benchmarks.turns import spread

    rows = [
        [
            name,
            spread([found.get(name, 0.0) for found in result["phases"]]),
            spread([100 * share for share in parts]),
        ]
        for name, parts in shares(result).items()
    ]
    return (
        f"{result['logits']:,} logits, n = {result['n']}, one process on one core,"
        f" rounds: {result['rounds']}; a whole process takes {spread(result['seconds'])} s.\n\n"
        f"{table(['phase', 'seconds', 'percent'], rows)}"
    )


def goals(result: dict) -> list:
    """The share of the truth."""
    from benchmarks.goals import Figure, Goal

    percent = [100 * share for share in shares(result).get("truth", [0.0] * result["rounds"])]
    goal = Goal(*(100 * share for share in TRUTH_GOAL), least=True)
    return [Figure(f"truth's share of a sweep of {result['logits']:,} logits", percent, goal, "%")]


def command_line() -> argparse.ArgumentParser:
    """The options."""
    from benchmarks.options import parser, positive

    found = parser(__doc__, rounds=7)
    found.add_argument("--n", type=positive, default=1000, help="length of the vectors")
    found.add_argument(
        "--logits", type=positive, default=500_000, help="logits of the study, at least"
    )
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:  # before anything of fpstudy is imported
        print(json.dumps(once(sys.argv[2])))
    else:
        from benchmarks.options import carry_out

        carry_out(command_line().parse_args(), measure, show)
