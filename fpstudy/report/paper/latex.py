r"""A table for a paper in LaTeX: booktabs rules, plain math for numbers, all else escaped."""

import math
import re
from collections.abc import Iterator

from fpstudy.report.paper.digits import Digits, short, significant
from fpstudy.report.paper.table import Cell, Number, PaperTable, Place
from fpstudy.visible import visible

PACKAGES = "% \\usepackage{booktabs}\n"

_SPECIAL = re.compile(r"[\\{}$&#_%~^<>|\"`–]|-(?=-)|^[\[*]")
_ESCAPES = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": r"\textbar{}", '"': r"{\char34}", "`": r"{\char96}",
    "–": "--", "-": "-{}", "[": "{[}", "*": "{*}",
}  # fmt: skip


def escape(text: object) -> str:
    r"""The text on one line, none of it a command, a ligature, or an argument of \\ before it."""
    line = visible(" ".join(str(text).split()))
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], "\\" + found[0]), line)


def latex(table: PaperTable, label: str, digits: int) -> str:
    """A table environment with caption and label; PACKAGES says what the preamble needs."""
    return "\n".join(_lines(table, label, digits)) + "\n"


def _lines(table: PaperTable, label: str, digits: int) -> Iterator[str]:
    columns = table.columns
    yield "\\begin{table}"
    yield "  \\centering"
    yield f"  \\caption{{{escape(table.caption)}}}"
    yield f"  \\label{{{label}}}"
    yield f"  \\begin{{tabular}}{{{''.join('r' if c.numbers else 'l' for c in columns)}}}"
    yield "    \\toprule"
    if table.span:
        others = len(columns) - 1
        yield f"    & \\multicolumn{{{others}}}{{c}}{{{escape(table.span)}}} \\\\"
        yield f"    \\cmidrule(lr){{2-{len(columns)}}}"
    yield _row([_cell(column.heading, digits) for column in columns])
    yield "    \\midrule"
    for row in table.rows:
        yield _row([_cell(cell, digits) for cell in row])
    yield "    \\bottomrule"
    yield "  \\end{tabular}"
    if table.notes:
        yield "  \\par\\smallskip"
        yield f"  {{\\footnotesize {' '.join(escape(note) for note in table.notes)}}}"
    yield "\\end{table}"


def _row(cells: list[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _cell(cell: Cell, digits: int) -> str:
    if isinstance(cell, str):
        return escape(cell)
    x = cell.value
    if not math.isfinite(x):
        said = "none" if math.isnan(x) else "$\\infty$" if x > 0 else "$-\\infty$"
    else:
        said = _number(short(x) if isinstance(cell, Place) else significant(x, digits))
    return said + (f" ({cell.failing:,})" if isinstance(cell, Number) and cell.failing else "")


def _number(written: Digits) -> str:
    r"""The number in math: $1.20\times10^{-3}$; a power of ten alone as such."""
    mantissa, power = written
    if power is None:
        return f"${mantissa}$"
    return f"$10^{{{power}}}$" if mantissa == "1" else f"${mantissa}\\times10^{{{power}}}$"


def label(*words: str) -> str:
    """A label of letters, digits and hyphens: "tab:quickstart-verdicts"."""
    slug = re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")
    return f"tab:{slug or 'table'}"
