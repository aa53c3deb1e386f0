"""One number of a study file: a reader takes what tomllib gives and returns what is meant.

Readers raise ValueError with the sentence for the user. Booleans are never numbers. A decimal that
float64 turns into infinity or zero is refused, as is a hex float that float64 would round.
"""

import math
import re
from collections.abc import Callable

from fpstudy.study_file.mistakes import got, show

HEX = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]{1,40})\.?([0-9a-fA-F]{0,40})([pP][+-]?[0-9]{1,6})?")
HEX_PATTERN = rf"^{HEX.pattern}$"
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
    if match := HEX.fullmatch(text):
        return _of_hex(text, match)
    if re.fullmatch(r"\s*[+-]?(\d[\d_]*(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", text, re.ASCII):
        raise ValueError(f"want a number, got the text {show(text)}: write it without the quotes")
    raise ValueError(f"want a number, got the text {show(text)}")


def _of_hex(text: str, match: re.Match[str]) -> float:
    """k 2**q with |k| < 2**53 odd, q >= -1074 and |k| 2**q < 2**1024: what is a float64."""
    m, e = of_hex(match)
    if m == 0:
        return -0.0 if match[1] == "-" else 0.0
    zeros = (m & -m).bit_length() - 1
    k, q = m >> zeros, e + zeros
    if k.bit_length() > 53 or q < -1074 or k.bit_length() + q > 1024:
        raise ValueError(f"{show(text)} is no float64 and would be rounded")
    return math.ldexp(k, q)


def of_hex(match: re.Match[str]) -> tuple[int, int]:
    """The integers m and e of m 2**e, which a match of HEX writes."""
    sign, whole, fraction, power = match.groups()
    m = int(whole + fraction, 16)
    return -m if sign == "-" else m, int(power[1:] if power else 0) - 4 * len(fraction)


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
