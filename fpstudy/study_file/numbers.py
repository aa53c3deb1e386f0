"""One number of a study file: a reader takes what tomllib gives and returns what is meant.

Readers raise ValueError with the sentence for the user. Booleans are never numbers. A decimal that
float64 turns into infinity or zero is refused, as is a hex float that float64 would round.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction

from fpstudy.study_file.mistakes import got, show

_HEX = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]{1,40})\.?([0-9a-fA-F]{0,40})([pP][+-]?[0-9]{1,6})?")
HEX_PATTERN = rf"^{_HEX.pattern}$"
_INFINITY = {"inf": math.inf, "+inf": math.inf, "-inf": -math.inf}


def integer(least: int, most: int, span: str) -> Callable[[object], int]:
    """Reader of an integer in least .. most; `span` writes that range for the user."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"want an integer, got {got(value)}")
        if not least <= value <= most:
            raise ValueError(f"must be {span}, got {show(value)}")
        return value

    return read


def extended(value: object) -> float:
    """A float64 or +-infinity, not NaN."""
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"want a number, got {got(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{show(value)} is beyond the largest float64, 1.8e308") from None
    if math.isnan(number):
        raise ValueError("must be a number, got nan")
    written = str(getattr(value, "written", ""))
    if math.isinf(number) and written and "inf" not in written:
        raise ValueError(f"{show(value)} is beyond the largest float64, 1.8e308, and reads as inf")
    if number == 0 and re.search("[1-9]", re.split("[eE]", written)[0]):
        raise ValueError(f"{show(value)} is not zero but reads as 0.0 in float64")
    return number


def _of_text(text: str) -> float:
    """The number of a quoted text: a hex float, exactly, or an infinity."""
    if text in _INFINITY:
        return _INFINITY[text]
    if match := _HEX.fullmatch(text):
        return _of_hex(text, match)
    if re.fullmatch(r"\s*[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text, re.ASCII):
        raise ValueError(f"want a number, got the text {show(text)}: write it without the quotes")
    raise ValueError(f"want a number, got the text {show(text)}")


def _of_hex(text: str, match: re.Match[str]) -> float:
    """m 2**e for integers m and e, where that is a float64."""
    sign, whole, fraction, power = match.groups()
    m = int(whole + fraction, 16)
    e = int(power[1:] if power else 0) - 4 * len(fraction)
    exact = m * Fraction(2) ** e if abs(e) < 2_000 else Fraction(0)  # keeps a bomb small
    number = float(exact) if exact < 2**1024 - 2**970 else math.inf  # below halfway to 2**1024
    if abs(e) >= 2_000 or math.isinf(number) or Fraction(number) != exact:
        raise ValueError(f"{show(text)} is no float64 and would be rounded")
    return -number if sign == "-" else number


def finite(value: object) -> float:
    """A float64."""
    number = extended(value)
    if math.isinf(number):
        raise ValueError(f"must be finite, got {show(value)}")
    return number


def positive(value: object) -> float:
    """A float64 above zero; subnormals are fine."""
    number = finite(value)
    if number <= 0:
        raise ValueError(f"must be > 0, got {show(value)}")
    return number


def share(value: object) -> float:
    """A number in [0, 1]."""
    number = finite(value)
    if not 0 <= number <= 1:
        raise ValueError(f"must be 0 .. 1, got {show(value)}")
    return number


def weight(value: object) -> float:
    """A finite number of at least 0."""
    number = finite(value)
    if number < 0:
        raise ValueError(f"must be >= 0, got {show(value)}")
    return number
