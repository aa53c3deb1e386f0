"""One number of a claim, kept as the text that writes it: no rounding before its dtype is known.

A decimal means the rational number that it writes, so 1e-50 and 1e400 are what they say; a hex
float is exact. Texts are returned without underscores, as fpstudy's `exact` reads them.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction

from fpstudy.study_file.axes import each
from fpstudy.study_file.mistakes import MistakesError, got, show
from fpstudy.study_file.numbers import HEX, of_hex

MAX_LENGTH = 200  # characters of a vector's entry: more than any float64 has digits of use
MAX_ENTRIES = 1_000  # of a vector that somebody types

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_INFINITE = {"inf": "inf", "+inf": "inf", "-inf": "-inf"}


def number(value: object) -> str:
    """A number or an infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"want a number, got {got(value)}")
    text = value if isinstance(value, str) else str(getattr(value, "written", repr(value)))
    text = text.strip().replace("_", "")
    if text in _INFINITE:
        return _INFINITE[text]
    if len(text) > MAX_LENGTH or not (_DECIMAL.fullmatch(text) or HEX.fullmatch(text)):
        raise ValueError(f"want a number, got {got(value)}")
    return text


def finite(value: object) -> str:
    """A number, not an infinity."""
    text = number(value)
    if text.endswith("inf"):
        raise ValueError(f"must be finite, got {show(value)}")
    return text


def nearest(text: str) -> float:
    """The float64 nearest to the number of a text as `number` gives it."""
    if "x" not in text.lower():
        return float(text)
    try:
        return float.fromhex(text)
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


def rational(text: str) -> Fraction:
    """The finite number of a text as `number` gives it, exactly."""
    if match := HEX.fullmatch(text):
        m, e = of_hex(match)
        return m * Fraction(2) ** e
    return Fraction(text)


def result(value: object) -> str:
    """What a computation may give: a number, an infinity or "nan"."""
    text = value if isinstance(value, str) else str(getattr(value, "written", value))
    return "nan" if text.strip().lstrip("+-") == "nan" else number(value)


def vector(entry: Callable[[object], str]) -> Callable[[object], tuple[str, ...]]:
    """Reader of a non-empty list; a bare value is a list of one."""

    def read(value: object) -> tuple[str, ...]:
        entries = value if isinstance(value, (list, tuple)) else [value]
        if not 1 <= len(entries) <= MAX_ENTRIES:
            raise ValueError(f"want 1 to {MAX_ENTRIES:,} numbers, got {len(entries):,}")
        read, mistakes = each(entries, entry)
        if mistakes:
            raise MistakesError(mistakes)
        return tuple(text for _, text in read)

    return read
