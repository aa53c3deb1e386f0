"""A table for a paper in Markdown, in which text stays text."""

import math
from collections.abc import Iterator

from fpstudy.report.markdown import escape
from fpstudy.report.paper.digits import Digits, short, significant
from fpstudy.report.paper.table import Cell, Number, PaperTable, Place


def markdown(table: PaperTable, digits: int) -> str:
    """The caption, the table and its notes; infinity in a word."""
    return "\n".join(_lines(table, digits)) + "\n"


def _lines(table: PaperTable, digits: int) -> Iterator[str]:
    yield f"**Table.** {escape(table.caption)}"
    yield ""
    headings = [_cell(column.heading, digits) for column in table.columns]
    if table.span:
        headings[0] += f" / {escape(table.span)}"
    yield _row(headings)
    yield _row(["---:" if column.numbers else "---" for column in table.columns])
    for row in table.rows:
        yield _row([_cell(cell, digits) for cell in row])
    for note in table.notes:
        yield ""
        yield str(escape(note))


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell, digits: int) -> str:
    if isinstance(cell, str):
        return str(escape(cell))
    if isinstance(cell, Place):
        return _number(cell.value, short(cell.value) if math.isfinite(cell.value) else None)
    x = cell.value
    said = _number(x, significant(x, digits) if math.isfinite(x) else None)
    return said + (f" ({cell.failing:,})" if isinstance(cell, Number) and cell.failing else "")


def _number(x: float, written: Digits | None) -> str:
    """The number in plain characters: 1.20e-3, infinite."""
    if written is None:
        return "none" if math.isnan(x) else "infinite" if x > 0 else "-infinite"
    return written.mantissa + ("" if written.power is None else f"e{written.power}")
