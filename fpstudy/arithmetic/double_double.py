"""Double-double arithmetic with error radii: proven enclosures on whole arrays at once.

A number stands for every t = (hi + lo) 2**exponent (1 + delta) with |delta| <= radius: a double
word, an integer exponent, so that nothing overflows or underflows, and a relative radius. 0 is
exact, whatever its radius; an infinite radius says "not known". Radii stay one number for the
whole array, or one for each row, wherever they can: weights exp(x_i - m), their sums, quotients
and logarithms are positive, and relative errors of positive numbers add up without looking at
them.

With u = 2**-53 each operation's radius is r_x + r_y + its own bound, times GROWTH for the products
of small errors: (1 + a)(1 + b) <= 1 + (a + b) GROWTH for a, b <= 2**-21, and radii beyond
LARGEST_RADIUS become infinite. The bounds are theorems of Joldes, Muller & Popescu,
doi:10.1145/3121432, and those of fpstudy.arithmetic.double_word_functions. They hold for float64
rounded to nearest even, which fpstudy.environment sees to, and while no product of two words
underflows: numbers with an exponent 0 for the whole array (*plain* ones, sums of inputs) keep
|hi| within 2**-450 and 2**450, inputs within 2**-300 and 2**300, all others 1/4 <= |hi| <= 2.

Equality and extrema are those of inputs, which are exact.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fpstudy.arithmetic.double_word import (
    add_pairs,
    add_pairs_and_rest,
    divide_pairs,
    multiply_pairs,
    two_product,
    two_sum,
)
from fpstudy.formats import Floats, Ints

ADD = 2.0**-103  # >= 3 u**2 + 13 u**3: theorem 3.1, AccurateDWPlusDW
MULTIPLY = 2.0**-103  # >= 7 u**2: theorem 5.1, DWTimesDW1
DIVIDE = 2.0**-102  # >= 15 u**2 + 56 u**3: theorem 7.2, DWDivDW2
GROWTH = 1 + 2.0**-20  # what the products of two small errors add to their sum
LARGEST_RADIUS = 2.0**-21
LEAST_INPUT, LARGEST_INPUT = 2.0**-300, 2.0**300  # sizes of inputs that are not 0
FAR = -1000  # a shift by fewer bits is exact but for what falls below 2**-1074
LOST = 2.0**-990  # beside a number of 1/4 or more, what shifting another one by FAR can lose


class DoubleDouble:
    """An array of numbers (hi + lo) 2**exponent (1 + delta), |delta| <= radius.

    hi:       float64, the shape of the array; an infinity is the number itself
    lo:       float64 of the same shape, or 0.0 for numbers that are one float64 each
    exponent: 0 for a plain array, else int64 that broadcasts with hi
    radius:   a float, or float64 that broadcasts with hi
    """

    __slots__ = ("exponent", "hi", "lo", "radius")
    __array_ufunc__ = None  # NumPy leaves the operators to this class
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, hi: Floats, lo: Any = 0.0, exponent: Any = 0, radius: Any = 0.0) -> None:
        """An array of these parts, which are not copied."""
        self.hi, self.lo, self.exponent, self.radius = hi, lo, exponent, radius

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.hi.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.hi.ndim

    @property
    def plain(self) -> bool:
        """Whether one exponent, 0, serves all."""
        return isinstance(self.exponent, int)

    @property
    def exact(self) -> bool:
        """Whether all numbers are known to be exact."""
        return isinstance(self.radius, float) and self.radius == 0.0

    @property
    def single(self) -> bool:
        """Whether the numbers are exact float64 numbers as they stand."""
        return self.plain and self.exact and isinstance(self.lo, float)

    def each(self, function: Callable[[Any], Any]) -> "DoubleDouble":
        """The array with its parts reshaped, or selected from, by a function of arrays."""
        shape = self.shape
        parts = (self.lo, self.exponent, self.radius)
        whole = [p if np.ndim(p) == 0 else function(np.broadcast_to(p, shape)) for p in parts]
        return DoubleDouble(function(self.hi), *whole)

    def __neg__(self) -> "DoubleDouble":
        """-x."""
        return DoubleDouble(-self.hi, -self.lo, self.exponent, self.radius)

    def __add__(self, other: Any) -> "DoubleDouble":
        """x + y."""
        return add(self, array(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> "DoubleDouble":
        """x - y."""
        return add(self, -array(other))

    def __rsub__(self, other: Any) -> "DoubleDouble":
        """y - x."""
        return add(array(other), -self)

    def __mul__(self, other: Any) -> "DoubleDouble":
        """x y."""
        return multiply(self, array(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "DoubleDouble":
        """x / y."""
        return divide(self, array(other))

    def __rtruediv__(self, other: Any) -> "DoubleDouble":
        """y / x."""
        return divide(array(other), self)

    def __eq__(self, other: object) -> Any:
        """Where inputs are equal."""
        return self.hi == array(other).hi

    def __lt__(self, other: Any) -> Any:
        """Where numbers are less, as far as float64 tells: proven of inputs only."""
        return _near(self) < _near(array(other))


def _near(x: DoubleDouble) -> Any:
    """The float64 numbers, those beyond float64's range as large or small ones."""
    return x.hi if x.plain else np.ldexp(x.hi, np.clip(x.exponent, FAR, -FAR).astype(np.int32))


def array(x: Any) -> DoubleDouble:
    """x as it is, or float64 numbers exactly."""
    return x if isinstance(x, DoubleDouble) else DoubleDouble(np.asarray(x, dtype=np.float64))


def normalized(x: DoubleDouble) -> DoubleDouble:
    """The same numbers with 1/2 <= |hi| < 1, each with its own exponent."""
    hi, shift = np.frexp(x.hi)
    lo = x.lo if isinstance(x.lo, float) else np.ldexp(x.lo, -shift)
    return DoubleDouble(hi, lo, shift + np.asarray(x.exponent, dtype=np.int64), x.radius)


def at(x: DoubleDouble, exponent: Ints) -> tuple[Any, Any]:
    """(hi, lo) of x in units of 2**exponent, off by LOST at most where x is inexact anyway."""
    if x.plain and isinstance(exponent, int):
        return x.hi, x.lo
    shift = np.maximum(x.exponent - exponent, FAR).astype(np.int32)  # above 0 for 0 only
    return np.ldexp(x.hi, shift), np.ldexp(x.lo, shift)


def lost(x: DoubleDouble, exponent: Ints) -> Any:
    """What `at` loses of x at most: 0 where it gives x exactly."""
    if x.plain and isinstance(exponent, int):
        return 0.0
    shift = np.clip(x.exponent - exponent, FAR, 0).astype(np.int32)
    hi, lo = np.ldexp(x.hi, shift), np.ldexp(x.lo, shift)
    back = (np.ldexp(hi, -shift) == x.hi) & (np.ldexp(lo, -shift) == x.lo) & (shift > FAR)
    return 0.0 if back.all() else np.where(back | (x.hi == 0), 0.0, LOST)


def _common(x: DoubleDouble, y: DoubleDouble) -> tuple[DoubleDouble, DoubleDouble, Any]:
    """x, y, and the larger exponent of the two that are not 0, to add them at."""
    if x.plain and y.plain:
        return x, y, 0
    x, y = (normalized(part) if part.plain else part for part in (x, y))
    larger = np.maximum(x.exponent, y.exponent)
    exponent = np.where(x.hi == 0, y.exponent, np.where(y.hi == 0, x.exponent, larger))
    return x, y, exponent


def limited(radius: Any) -> Any:
    """The radius where it is small enough for GROWTH to hold, else infinity."""
    if np.ndim(radius) == 0:
        return float(radius) if radius <= LARGEST_RADIUS else np.inf
    if not np.any(radius):
        return 0.0
    return np.where(radius <= LARGEST_RADIUS, radius, np.inf)  # NaN becomes infinity too


def add(x: DoubleDouble, y: DoubleDouble) -> DoubleDouble:
    """x + y: exact where the result is, relative errors as they are where signs agree."""
    if x.single and y.single:
        hi, lo = two_sum(x.hi, y.hi)
        finite = np.isfinite(lo)
        return DoubleDouble(hi, lo if finite.all() else np.where(finite, lo, 0.0))
    if not y.hi.any() or not x.hi.any():
        x, y = (x, y) if x.hi.any() else (y, x)
        return x.each(lambda part: np.broadcast_to(part, np.broadcast_shapes(x.shape, y.shape)))
    x, y, exponent = _common(x, y)
    (xh, xl), (yh, yl) = at(x, exponent), at(y, exponent)
    if not (x.exact and y.exact) and (xh * yh > 0).all():  # beside a 0, a sum may be exact
        hi, lo = add_pairs((xh, xl), (yh, yl))
        radius = (np.maximum(x.radius, y.radius) + (ADD + LOST)) * GROWTH
        return kept(hi, lo, exponent, radius, lambda: xh + yh)
    hi, lo, rest = add_pairs_and_rest((xh, xl), (yh, yl))
    error = np.abs(xh) * x.radius + np.abs(yh) * y.radius + np.abs(rest)
    error = error + (lost(x, exponent) + lost(y, exponent))
    return kept(hi, lo, exponent, relative(error, hi) * GROWTH, lambda: xh + yh)


def relative(error: Any, hi: Any) -> Any:
    """error / |hi|, infinite where only hi is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / np.abs(hi))


def kept(
    hi: Any, lo: Any, exponent: Any, radius: Any, plainly: Callable[[], Floats]
) -> DoubleDouble:
    """A result in its invariants; where `plainly`, float64's own, is infinite, that is the value.

    The pairs of infinite numbers come out as NaN.
    """
    if not np.isfinite(hi).all():
        plain = plainly()
        infinite = np.isinf(plain)
        hi, lo = np.where(infinite, plain, hi), np.where(infinite, 0.0, lo)
        radius = np.where(infinite, 0.0, radius)
    result = DoubleDouble(hi, lo, exponent, limited(radius))
    return result if result.plain else normalized(result)


def multiply(x: DoubleDouble, y: DoubleDouble) -> DoubleDouble:
    """x y; exact where one factor is a power of two or 0 throughout, as one-hot labels are."""
    if not (y.single and _powers_of_two(y.hi)):
        x, y = y, x
    with np.errstate(invalid="ignore"):
        if y.single and _powers_of_two(y.hi):
            x, y = normalized(x), normalized(y)
            hi, lo = x.hi * y.hi, x.lo * y.hi
            return normalized(DoubleDouble(hi, lo, x.exponent + y.exponent, x.radius))
        x, y = (normalized(part) if part.plain else part for part in (x, y))
        hi, lo = multiply_pairs((x.hi, x.lo), (y.hi, y.lo))
    radius = (x.radius + y.radius + MULTIPLY) * GROWTH
    return kept(hi, lo, x.exponent + y.exponent, radius, lambda: x.hi * y.hi)


def _powers_of_two(x: Floats) -> bool:
    """Whether all numbers are +-2**k or 0."""
    mantissa, _ = np.frexp(x)
    return bool(((np.abs(mantissa) == 0.5) | (mantissa == 0)).all())


def divide(x: DoubleDouble, y: DoubleDouble) -> DoubleDouble:
    """x / y; where one divisor serves many numbers, its reciprocal times each."""
    bound: Any = DIVIDE
    if x.single and y.single:
        quotient = x.hi / y.hi
        product, error = two_product(quotient, y.hi)
        exact = (product == x.hi) & (error == 0)
        if exact.all():
            return DoubleDouble(np.asarray(quotient))
        bound = np.where(exact, 0.0, DIVIDE)
    elif y.hi.size < x.hi.size:
        return multiply(x, divide(DoubleDouble(np.ones(y.shape)), y))
    x, y = (normalized(part) if part.plain else part for part in (x, y))
    hi, lo = divide_pairs((x.hi, x.lo), (y.hi, y.lo))
    radius = (x.radius + y.radius + bound) * GROWTH
    return kept(hi, lo, x.exponent - y.exponent, radius, lambda: hi)
