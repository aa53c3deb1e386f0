"""A table for a paper, before it is written in one language or another."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Number:
    """A number of a table, an integer where it counts; `failing` of its results fail."""

    value: float
    failing: int = 0


@dataclass(frozen=True)
class Place:
    """A value on an axis, in the fewest digits that mean it."""

    value: float


Cell = str | Number | Place


@dataclass(frozen=True)
class Column:
    """A column: its heading, which may be a number, and whether it holds numbers."""

    heading: Cell
    numbers: bool = False


@dataclass(frozen=True)
class PaperTable:
    """Rows of cells with all that a reader needs beside them, as plain text.

    name:  words from which a label is made
    span:  what the headings of all columns but the first are values of; or nothing
    notes: sentences below the table
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...]
    span: str = ""


@dataclass(frozen=True)
class Tables:
    """What a summary gives for a paper: tables for people, and one of plain numbers for machines.

    data:  a row for each cell or row of the tables; NaN is nothing
    given: cases in no table, as their logits are given and have no place on its axes
    """

    tables: tuple[PaperTable, ...]
    data: pd.DataFrame
    given: int = 0


def samples_text(samples: Sequence[int]) -> str:
    """How many samples something is the worst of: "16 samples", "16 to 64 samples"."""
    least, most = min(samples, default=0), max(samples, default=0)
    if least == most:
        return f"{least:,} sample{'s' * (least != 1)}"
    return f"{least:,} to {most:,} samples"
