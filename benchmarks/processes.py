"""Two processes beside one on a large study, and the shipped magnitude_sweep study as it is run.

All are whole processes: start-up, imports and pages are in their seconds. The record and the
summary of the large study must have the same bytes for any number of processes.

    python -m benchmarks.processes --rounds 7
"""

import argparse
import hashlib
import tempfile
from pathlib import Path

from benchmarks.goals import GOALS_HEADER, Figure, Goal
from benchmarks.machine import cores, run_child
from benchmarks.options import Result, carry_out, parser, positive
from benchmarks.studies import (
    SHIPPED,
    command,
    drawn_logits,
    figures_drawn,
    large,
)
from benchmarks.tables import table
from benchmarks.turns import Contender, ratios, spread, take_turns

N = 1000
MAGNITUDES = 44  # as many draws, which processes share evenly
KEPT = ("record.parquet", "summary.csv")
TWO_CORES = Goal(1.7)
SHIPPED_SECONDS = Goal(10, 5, least=True)


class DifferentError(Exception):
    """Results that are to be the same have different bytes."""


def measure(options: argparse.Namespace) -> Result:
    """Rounds of the large study with one process and with two, and of the shipped one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study, text = folder / "large.toml", large(N, options.logits, MAGNITUDES)
        study.write_text(text, encoding="utf-8")
        commands = {
            "one process": command(study, folder / "1", 1),
            "two processes": command(study, folder / "2", 2),
            "magnitude_sweep": command(options.shipped, folder / "shipped", None),
        }
        contenders = [Contender(what, lambda c=c: run_child(c)) for what, c in commands.items()]
        seconds = take_turns(contenders, options.rounds, warm=False)
        check_same(folder / "1", folder / "2")
    return {
        "rounds": options.rounds,
        "logits": drawn_logits(text),
        "cores": cores(),
        "seconds": seconds,
        "figures_drawn": figures_drawn(),
    }


def check_same(one: Path, other: Path) -> None:
    """Raises DifferentError unless record and summary have the same bytes in both folders."""
    for name in KEPT:
        digests = {
            hashlib.sha256((folder / name).read_bytes()).hexdigest() for folder in (one, other)
        }
        if len(digests) > 1:
            raise DifferentError(f"{name} depends on the number of processes")


def show(result: Result) -> str:
    """The seconds of each, and the figures with their goals."""
    seconds = [[what, spread(values)] for what, values in result["seconds"].items()]
    figures = " Figures were drawn." * bool(result["figures_drawn"])
    return (
        f"Interleaved rounds on {result['cores']} cores: {result['rounds']}; the large study has"
        f" {result['logits']:,} logits. {' and '.join(KEPT)} have the same bytes with one process"
        f" and with two.{figures}\n\n{table(['', 'seconds'], seconds)}\n\n"
        f"{table(GOALS_HEADER, [figure.row for figure in goals(result)])}"
    )


def goals(result: Result) -> list[Figure]:
    """How much two processes gain, and the seconds of the shipped study."""
    seconds = result["seconds"]
    gain = ratios(seconds["one process"], seconds["two processes"])
    what = f"two processes against one, {result['logits']:,} logits"
    shipped = f"magnitude_sweep, whole process, {result['cores']} cores"
    return [
        Figure(what, gain, TWO_CORES),
        Figure(shipped, seconds["magnitude_sweep"], SHIPPED_SECONDS, "s"),
    ]


def command_line() -> argparse.ArgumentParser:
    """The options."""
    found = parser(__doc__)
    found.add_argument(
        "--logits", type=positive, default=16_000_000, help="logits of the large study, at least"
    )
    found.add_argument("--shipped", type=Path, default=SHIPPED, help=argparse.SUPPRESS)
    return found


if __name__ == "__main__":
    carry_out(command_line().parse_args(), measure, show)
