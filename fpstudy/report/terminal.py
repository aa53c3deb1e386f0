"""The verdict table for a terminal."""

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fpstudy.report.numbers import magnitude
from fpstudy.report.verdicts import Verdict, each_verdict, verdicts

LEAST_WIDTH = 120  # a narrower terminal wraps the lines, which loses nothing
MOST_ROWS = 40  # a longer table is for the report


def print_verdicts(summary: pd.DataFrame) -> None:
    """Print, for each problem and dtype, the formula to use and how far it held, on stdout."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading, justify in (
        ("problem", "left"), ("dtype", "left"), ("formula to use", "left"),
        ("no failure up to", "right"), ("bits kept", "right"), ("fails first", "left"),
    ):  # fmt: skip
        wraps = heading == "fails first"
        table.add_column(heading, justify=justify, no_wrap=not wraps)  # type: ignore[arg-type]
    rows = each_verdict(verdicts(summary))
    for verdict in rows[:MOST_ROWS]:
        table.add_row(*map(Text, _cells(verdict)))
    console = Console()
    console.width = max(console.width, LEAST_WIDTH)
    console.print(table)
    if len(rows) > MOST_ROWS:
        console.print(f"... and {len(rows) - MOST_ROWS} rows more in the report")


def _cells(verdict: Verdict) -> tuple[str, ...]:
    """Texts of one row; magnitudes are those measured, and no bounds."""
    safe = verdict.largest_magnitude
    reach = "no magnitude" if pd.isna(safe) else f"M = {magnitude(safe)}"
    if verdict.inputs == "given":
        reach = "the given logits" if not verdict.failing else "fails on some"
    bits = "" if pd.isna(verdict.bits_worst) else f"{verdict.bits_worst:.1f}"
    first = verdict.others.partition(";")[0]  # the one that fails first; the report has them all
    others = first if "fails" in first else "none of the other formulas"
    return verdict.problem, verdict.dtype, verdict.formula, reach, bits, others
