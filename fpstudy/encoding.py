"""A number as its format writes it: the bits that store it, and the shortest decimal that names it.

Only the formats built in say how their numbers are stored; one of a study's own is a precision and
a range, which leaves the layout open.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.formats import FORMATS, Format

MOST_DIGITS = 17  # of a decimal that tells all float64 numbers apart


@dataclass(frozen=True)
class Encoding:
    """The bits of a number from the sign on, each part a text of 0 and 1."""

    sign: str
    exponent: str
    fraction: str

    @property
    def hexadecimal(self) -> str:
        """All bits as one number: "0x3c00"."""
        bits = self.sign + self.exponent + self.fraction
        return f"0x{int(bits, 2):0{len(bits) // 4}x}"

    @property
    def parts(self) -> str:
        """Sign, exponent and fraction apart: "0 01111 0000000000"."""
        return f"{self.sign} {self.exponent} {self.fraction}"


def encode(x: float, f: Format) -> Encoding | None:
    """The bits of x, a value of f; None for a format that is not built in."""
    if FORMATS.get(f.name) != f:
        return None
    with np.errstate(all="ignore"):
        stored = np.asarray([x], dtype=np.float64).astype(DTYPES[f.name])
    width = 8 * stored.itemsize
    bits = f"{int(stored.view(f'u{stored.itemsize}')[0]):0{width}b}"
    exponent_end = width - f.precision + 1  # the fraction has p - 1 bits
    return Encoding(bits[0], bits[1:exponent_end], bits[exponent_end:])


def bits_text(x: float, f: Format) -> str:
    """The bits in hexadecimal; of a format that has no layout the number itself in hexadecimal."""
    encoding = encode(x, f)
    return float(x).hex() if encoding is None else encoding.hexadecimal


def shortest(x: float, f: Format) -> str:
    """The decimal of fewest digits that f reads as x; all 17 for what is no value of f."""
    if not math.isfinite(x) or x == 0:
        return repr(float(x))
    for digits in range(1, MOST_DIGITS):
        text = f"{x:.{digits}g}"
        if f.parse(text) == x:
            return repr(float(text))
    return repr(float(x))


def hexadecimal(x: float) -> str:
    """x exactly, as float.hex without zeros at the end: "0x1.4p+5"."""
    return re.sub(r"\.?0*p", "p", float(x).hex())
