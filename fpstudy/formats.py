"""Number formats as data: a few primary facts each, everything else derived.

A format with precision p, largest exponent emax and least normal exponent emin holds the numbers
k * 2**q with |k| < 2**p and q >= emin - p + 1 (subnormals included). Values of every format here
are exactly float64 values, and float64 is how they travel through the package.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
DOUBLE = 53  # float64's precision
BLOCK = 2**14  # numbers rounded at a time: 128 KiB of float64
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Format:
    """A binary floating-point format.

    name:       as users write it
    precision:  p, bits of the significand with the leading one; at most 25, or 53
    emax:       exponent of the largest binade
    emin:       exponent of the least normal number, by IEEE 754 1 - emax
    infinity:   whether it has infinities; a format without spends its topmost significand on NaN,
                and what overflows becomes NaN (OCP 8-bit floating point, E4M3)
    subnormals: whether underflow is gradual; else a result that rounds to a subnormal becomes 0
    saturate:   whether what overflows becomes the largest number instead
    """

    name: str
    precision: int
    emax: int
    emin: int
    infinity: bool = True
    subnormals: bool = True
    saturate: bool = False

    @property
    def unit_roundoff(self) -> float:
        """u = 2**-p, the largest relative error of rounding to nearest a normal number."""
        return 2.0**-self.precision

    @property
    def largest(self) -> float:
        """Omega: all significand bits set; without infinity the all-ones pattern is NaN."""
        topmost = 2 - 2 * self.unit_roundoff * (1 if self.infinity else 2)
        return topmost * 2.0**self.emax

    @property
    def least_normal(self) -> float:
        """lambda = 2**emin; below it the relative precision fades."""
        return 2.0**self.emin

    @property
    def least_subnormal(self) -> float:
        """eta = 2**(emin - p + 1), the spacing of the subnormals."""
        return 2.0 ** (self.emin - self.precision + 1)

    @property
    def overflow(self) -> float:
        """What a result beyond the largest number becomes: infinity, NaN, or that number."""
        if self.saturate:
            return self.largest
        return np.inf if self.infinity else np.nan

    def quantum(self, x: ArrayLike) -> Ints:
        """q with ulp(x) = 2**q = 2**(max(floor(log2|x|), emin) - p + 1), for finite x.

        Goldberg's ulp extended to the reals: the binade above the largest number counts on.
        """
        x = np.asarray(x, dtype=np.float64)
        _, exponent = np.frexp(x)  # |x| = m 2**exponent with m in [1/2, 1)
        floor_log2 = np.where(x == 0, self.emin, exponent.astype(np.int64) - 1)
        return np.maximum(floor_log2, self.emin) - self.precision + 1

    def round(self, x: ArrayLike) -> Floats:
        """RN(x), ties to even, of float64 values x; one rounding, straight from float64.

        A normal number is rounded in its bits: adding half of the last place kept, less one
        unless that place is odd, carries exactly where rounding goes up, into the exponent too.
        The size of a smaller one is added to 2**(emin - p + 53), whose last place is the least
        subnormal.
        """
        x = np.asarray(x, dtype=np.float64)
        if x.size <= BLOCK:
            return self._round_block(x)
        flat, rounded = x.reshape(-1), np.empty(x.size)
        for start in range(0, x.size, BLOCK):  # a block stays in the processor's cache
            block = slice(start, start + BLOCK)
            rounded[block] = self._round_block(flat[block])
        return rounded.reshape(x.shape)

    def _round_block(self, x: Floats) -> Floats:
        rounded = x
        if self.precision < DOUBLE:
            dropped = DOUBLE - self.precision
            bits = x.view(np.int64)
            odd = bits >> dropped
            odd &= 1
            odd += (1 << (dropped - 1)) - 1
            odd += bits
            odd &= -1 << dropped
            rounded = odd.view(np.float64)
        size = np.abs(x)
        small = size < self.least_normal
        if small.any():
            anchor = 2.0 ** (self.emin - self.precision + DOUBLE)
            rounded = np.where(small, np.copysign((size + anchor) - anchor, x), rounded)
        inside = size <= self.largest
        return rounded if inside.all() and self.subnormals else self._at_the_ends(x, rounded)

    def _at_the_ends(self, x: Floats, rounded: Floats) -> Floats:
        """What is beyond the range, and NaN, whose bits are not to be rounded."""
        return np.where(np.isnan(x), x, self.clamp(rounded))

    def clamp(self, x: Floats) -> Floats:
        """RN where only the range is left to mind: overflow, and underflow without subnormals."""
        size = np.abs(x)
        beyond = size > self.largest  # NaN compares false and stays
        if beyond.any():
            if self.saturate:  # an infinity is a number of the format where it has one
                beyond &= ~(np.isinf(x) & self.infinity)
            x = np.where(beyond, np.copysign(self.overflow, x), x)
        if not self.subnormals:
            x = np.where(size < self.least_normal, np.copysign(0.0, x), x)
        return x

    def holds(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Whether each x is a value of the format (NaN is, infinity where the format has it)."""
        x = np.asarray(x, dtype=np.float64)
        held: NDArray[np.bool_] = np.isnan(x) | (self.round(x) == x)
        return held

    def parse(self, text: str) -> float:
        """RN of the number that the text writes, exactly: decimal, hex ("0x1.8p-3"), inf.

        The text is read as the rational that it is and rounded once; by way of float64 it would be
        rounded twice. Raises ValueError for what is no number, NaN included.
        """
        text = text.strip().lower()
        if text.lstrip("+-") in ("inf", "infinity"):
            return float(self.clamp(np.asarray(float(text))))
        return self.round_fraction(_rational(text))

    def round_fraction(self, value: Fraction) -> float:
        """RN of a rational number, by integer arithmetic."""
        if value == 0:
            return 0.0
        sign = -1 if value < 0 else 1
        value = abs(value)
        log2 = value.numerator.bit_length() - value.denominator.bit_length()
        if value < Fraction(2) ** log2:
            log2 -= 1  # now 2**log2 <= value < 2**(log2 + 1)
        quantum = max(log2, self.emin) - self.precision + 1
        k = round(value / Fraction(2) ** quantum)  # Python rounds ties to even
        if log2 > self.emax:
            return float(sign * self.overflow)
        return float(self.clamp(np.asarray(sign * k * 2.0**quantum)))


_HEX = re.compile(r"([+-]?)0x(?=[0-9a-f.])([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([+-]?\d+))?")
_MOST_DIGITS = 10_000  # of a number's text
_MOST_DECADES = 400  # from 10**400 on every format overflows, below 10**-400 it rounds to 0
_MOST_BINADES = 1_400  # and so for powers of two


def _rational(text: str) -> Fraction:
    """The number that a decimal or hex text writes, exactly but where it is absurdly far from 1.

    There a power that every format rounds as it would the number stands for it: the integers of
    1e9999 have ten thousand digits.
    """
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"{len(text)} characters are too many for a number")
    written = _HEX.fullmatch(text)
    if written is None:
        try:
            value = Decimal("nan" if "_" in text else text)
        except InvalidOperation:
            value = Decimal("nan")
        if not value.is_finite():
            raise ValueError(f"{text!r} is not a number")
        decades = value.adjusted()
        if value and abs(decades) > _MOST_DECADES:
            value = Decimal((value.is_signed(), (1,), _clamped(decades, _MOST_DECADES)))
        return Fraction(value if value else 0)
    minus, whole, part, power = written.groups(default="")
    significand = int(f"{whole}{part}" or "x", 16)
    exponent = int(power or 0) - 4 * len(part)
    binades = significand.bit_length() + exponent
    if significand and abs(binades) > _MOST_BINADES:
        significand, exponent = 1, _clamped(binades, _MOST_BINADES)
    elif not significand:
        exponent = 0
    return (-significand if minus == "-" else significand) * Fraction(2) ** exponent


def _clamped(exponent: int, most: int) -> int:
    return max(-most, min(most, exponent))


def round_to_quantum(x: ArrayLike, quantum: ArrayLike) -> Floats:
    """The multiple of 2**quantum nearest to x, ties to even; exact where |x| < 2**(quantum+53)."""
    x = np.asarray(x, dtype=np.float64)
    quantum = np.asarray(quantum, dtype=np.int64)
    with np.errstate(over="ignore"):  # beyond float64's largest number the answer is infinity
        rounded: Floats = np.ldexp(np.rint(np.ldexp(x, -quantum)), quantum)
    return rounded


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("float16", precision=11, emax=15, emin=-14),
        Format("bfloat16", precision=8, emax=127, emin=-126),
        Format("float32", precision=24, emax=127, emin=-126),
        Format("float64", precision=53, emax=1023, emin=-1022),
        Format("float8_e4m3fn", precision=4, emax=8, emin=-6, infinity=False),
        Format("float8_e5m2", precision=3, emax=15, emin=-14),
    )
}
