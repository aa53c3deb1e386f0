"""How many truths of wide-range cross-entropy are left undecided: scales 1e-3 to 1e4, all dtypes.

Every dtype has its own logits; targets are random, the largest and the smallest logit. Confident
targets are the hard cases: the value lies a hair beside a number that ends where a rounding does.

    python -m benchmarks.undecided --samples 64
"""

import argparse
import tempfile
from pathlib import Path

import fpstudy
from benchmarks.goals import GOALS_HEADER, Figure, Goal
from benchmarks.options import Result, carry_out, parser, positive
from benchmarks.studies import wide, without_figures
from benchmarks.tables import table

NONE = Goal(0, 0, least=True)


def measure(options: argparse.Namespace) -> Result:
    """What the manifest of the study counts."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "wide.toml"
        path.write_text(wide(options.samples), encoding="utf-8")
        manifest = fpstudy.run(path, Path(name) / "out", fresh=True, **without_figures()).manifest
    return {
        "truths": manifest["truths"],
        "undecided": manifest["undecided"],
        "checked": manifest["witness"]["checked"],
        "disagreements": len(manifest["witness"]["disagreements"]),
    }


def show(result: Result) -> str:
    """The count beside its goal."""
    return (
        f"{result['truths']:,} truths, of which mpmath recomputed {result['checked']:,} and"
        f" disagreed with {result['disagreements']:,}.\n\n"
        f"{table(GOALS_HEADER, [figure.row for figure in goals(result)])}"
    )


def goals(result: Result) -> list[Figure]:
    """None undecided."""
    return [Figure("undecided truths of wide-range cross-entropy", [result["undecided"]], NONE)]


def command_line() -> argparse.ArgumentParser:
    """The options."""
    found = parser(__doc__, rounds=1)
    found.add_argument(
        "--samples", type=positive, default=64, help="samples of each n, magnitude and target"
    )
    return found


if __name__ == "__main__":
    carry_out(command_line().parse_args(), measure, show)
