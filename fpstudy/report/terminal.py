"""The verdict table for a terminal."""

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fpstudy.report.numbers import magnitude
from fpstudy.report.variants import computed_by
from fpstudy.report.verdicts import Verdict, each_verdict, verdicts

LEAST_WIDTH = 120  # a narrower terminal wraps the lines, which loses nothing
ARITHMETIC = 32  # more where what computed has a column
MOST_ROWS = 40  # a longer table is for the report


def print_verdicts(summary: pd.DataFrame) -> None:
    """Print, for each problem and dtype, the formula to use and how far it held, on stdout.

    What computed has a column if the verdicts differ in it.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    rows = each_verdict(verdicts(summary))
    several = len({_computed_by(verdict) for verdict in rows}) > 1
    for heading, justify in (
        ("problem", "left"), ("dtype", "left"), *[("arithmetic", "left")] * several,
        ("formula to use", "left"), ("no failure up to", "right"), ("bits kept", "right"),
        ("fails first", "left"),
    ):  # fmt: skip
        wraps = heading == "fails first"
        table.add_column(heading, justify=justify, no_wrap=not wraps)  # type: ignore[arg-type]
    for verdict in rows[:MOST_ROWS]:
        who = [_computed_by(verdict)] * several
        table.add_row(*map(Text, [verdict.problem, verdict.dtype, *who, *_cells(verdict)]))
    console = Console()
    console.width = max(console.width, LEAST_WIDTH + ARITHMETIC * several)
    console.print(table)
    if len(rows) > MOST_ROWS:
        console.print(f"... and {len(rows) - MOST_ROWS} rows more in the report")


def _computed_by(verdict: Verdict) -> str:
    return computed_by(verdict.arithmetic, verdict.accumulation)


def _cells(verdict: Verdict) -> tuple[str, ...]:
    """Texts from the formula on; magnitudes are those measured, and no bounds."""
    safe = verdict.largest_magnitude
    reach = "no magnitude" if pd.isna(safe) else f"M = {magnitude(safe)}"
    if verdict.inputs == "given":
        reach = "the given logits" if not verdict.failing else "fails on some"
    bits = "" if pd.isna(verdict.bits_worst) else f"{verdict.bits_worst:.1f}"
    first = verdict.others.partition(";")[0]  # the one that fails first; the report has them all
    others = first if "fails" in first else "none of the other formulas"
    return verdict.formula, reach, bits, others
