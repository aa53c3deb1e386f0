"""What a check of a claim found, and how its numbers are written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpstudy.arithmetic.numpy import DTYPES


@dataclass(frozen=True)
class Finding:
    """The outcome of a check; plain data, as JSON has it.

    holds:     whether the measurement bears the claim out; None where the precision cap left open
               what is so
    evidence:  what was measured, in sentences
    reproduce: a command that shows it, or nothing
    table:     {"columns": [...], "rows": [[...], ...]}, or nothing
    figure:    {"title", "caption", "x_label", "y_label", "curves": {name: {"x", "y"}}} with lists
               of numbers, or nothing
    """

    holds: bool | None
    evidence: str
    reproduce: str = ""
    table: dict[str, Any] | None = None
    figure: dict[str, Any] | None = None

    @property
    def verdict(self) -> str:
        """The one word."""
        return {True: "confirmed", False: "refuted", None: "undecided"}[self.holds]


@dataclass
class Rows:
    """A table in the making."""

    columns: tuple[str, ...]
    rows: list[list[str]] = field(default_factory=list)

    def add(self, *entries: object) -> None:
        """One row; entries become text."""
        self.rows.append([str(entry) for entry in entries])

    def if_several(self) -> dict[str, Any] | None:
        """The table as plain data where it says more than a sentence does."""
        return self.data() if len(self.rows) > 1 else None

    def data(self) -> dict[str, Any]:
        """The table as plain data."""
        return {"columns": list(self.columns), "rows": self.rows}


def stored(value: float, dtype: str) -> str:
    """The shortest decimal that the dtype reads back as this number; nan, inf as such."""
    text = str(DTYPES[dtype].type(value))
    return text.removesuffix(".0") if np.isfinite(value) else text


def vector(entries: Sequence[str]) -> str:
    """[a, b, c], shortened; a single number stands alone."""
    shown = [*entries[:6], "..."] if len(entries) > 7 else list(entries)
    return f"[{', '.join(shown)}]" if len(entries) > 1 else shown[0]


def in_dtypes(flags: Sequence[bool]) -> str:
    """In how many of the dtypes, in words."""
    count, total = sum(flags), len(flags)
    if count in (0, total):
        return f"in {'none' if count == 0 else 'all'} of {total} dtypes" if total > 1 else "there"
    return f"in {count} of {total} dtypes"


def listed(words: Sequence[str]) -> str:
    """A, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
