"""RN(x op y) for op one of + - * /: the exact result rounded once to the format, ties to even.

Float64 does the operation and `Format.round` rounds what it gives: two roundings, which are one.

p <= 25. Figueroa, "When is double rounding innocuous?", doi:10.1145/221332.221334: a sum,
difference, product or quotient of p-bit numbers, rounded first to 53 bits and then to p, is the
result rounded once, as 53 >= 2 p + 2. Below the least normal number 2**emin it holds as well: a
sum is a multiple of the least subnormal eta = 2**(emin - p + 1), so exact; a product has 2 p <= 50
bits, so it is exact; a quotient that is no midpoint is a relative 2**(-2 p - 1) >= 2**-51 or more
away from each, and float64 moves it by 2**-53 at most.

All this is about float64 results that are normal. A smaller one is rounded by 2**-1075 at most. A
product of at least eta / 2 ends at or above 2**(emin - 3 p + 1), and a quotient keeps at least
2**(emin - 2 p) from a midpoint; so emin >= 3 p - 1075 leaves that product exact and the quotient on
its side. What is below eta / 2 stays there, or becomes eta / 2, which rounds to 0 as it does. And
emin >= -1022, for `Format.round` counts on normal numbers being normal in float64.

p = 53. The float64 result is the one wanted, but where a format ends at an emin > -1022 a product
or quotient below 2**emin would be rounded twice: those come from rational numbers, one by one.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpstudy.formats import BLOCK, DOUBLE, Floats, Format

MOST_PRECISION = (DOUBLE - 2) // 2  # p with 53 >= 2 p + 2
LEAST_EMIN, MOST_EMAX = -1022, 1023  # float64's


def unsupported(f: Format) -> str | None:
    """Why float64 cannot carry out correctly rounded operations of the format; None if it can."""
    p = f.precision
    if p > MOST_PRECISION and p != DOUBLE:
        return f"{f.name}: a precision of {p} bits is neither at most {MOST_PRECISION} nor {DOUBLE}"
    if f.emax > MOST_EMAX:
        return f"{f.name}: emax = {f.emax} is beyond float64's {MOST_EMAX}"
    if f.emin < LEAST_EMIN:
        return f"{f.name}: emin = {f.emin} is below float64's {LEAST_EMIN}"
    if p < DOUBLE and f.emin < 3 * p - 1075:
        return (
            f"{f.name}: emin = {f.emin} is below 3 precision - 1075 = {3 * p - 1075}: subnormal"
            " products would be rounded twice"
        )
    return None


def contains(wide: Format, f: Format) -> bool:
    """Whether every number of f is one of the wide format."""
    return f == wide or (
        wide.precision >= f.precision
        and wide.largest >= f.largest
        and wide.least_subnormal <= f.least_subnormal
        and (wide.subnormals or wide.least_normal <= f.least_subnormal)
        and (wide.infinity or not f.infinity)
    )


def add(f: Format, a: Floats, b: Floats) -> Floats:
    """RN(a + b); the operands are numbers of the format, here and below."""
    return elementwise(lambda a, b: _rounded(f, a + b, False, a, b), a, b)


def subtract(f: Format, a: Floats, b: Floats) -> Floats:
    """RN(a - b)."""
    return elementwise(lambda a, b: _rounded(f, a - b, False, a, b), a, b)


def multiply(f: Format, a: Floats, b: Floats) -> Floats:
    """RN(a b)."""

    def product(a: Floats, b: Floats) -> Floats:
        y = a * b
        return _once(f, y, _rounded(f, y, False, a, b), Fraction.__mul__, a, b)

    return elementwise(product, a, b)


def divide(f: Format, a: Floats, b: Floats) -> Floats:
    """RN(a / b); a / 0 is infinite and 0 / 0 NaN."""

    def quotient(a: Floats, b: Floats) -> Floats:
        y = a / b
        return _once(f, y, _rounded(f, y, b == 0, a, b), Fraction.__truediv__, a, b)

    return elementwise(quotient, a, b)


def elementwise(operation: Callable[..., Floats], *operands: Floats) -> Floats:
    """The operation on its operands, broadcast, about a cache's worth of numbers at a time.

    What overflows or has no value is an outcome here, not a warning.
    """
    shape = np.broadcast_shapes(*(part.shape for part in operands))
    with np.errstate(all="ignore"):
        if math.prod(shape) <= BLOCK:  # of no axis, an array would become a number
            return operation(*map(np.atleast_1d, operands)).reshape(shape)
        parts = [np.broadcast_to(part, shape) for part in operands]
        result = np.empty(shape)
        rows = max(1, BLOCK // math.prod(shape[1:]))
        for start in range(0, shape[0], rows):
            block = slice(start, start + rows)
            result[block] = operation(*(part[block] for part in parts))
    return result


def _rounded(f: Format, y: Floats, pole: Any, *operands: Floats) -> Floats:
    """RN of float64 results of operands."""
    return f.round(saturated(f, y, pole, *operands))


def saturated(f: Format, y: Floats, pole: Any, *operands: Floats) -> Floats:
    """y as it is, or for a saturating format at most the largest number.

    An infinity that is exact stays: that of an infinite operand, or of a pole, as in 1 / 0.
    """
    if not f.saturate:
        return y
    finite = ~np.asarray(pole)
    for part in operands:
        finite = finite & np.isfinite(part)
    return np.where(finite, np.clip(y, -f.largest, f.largest), y)


def _once(
    f: Format, y: Floats, rounded: Floats, exactly: Callable[..., Fraction], a: Floats, b: Floats
) -> Floats:
    """The results rounded, but where y was rounded at another place than f wants: again, from a, b.

    At y = 2**emin the exact result may lie below.
    """
    if f.precision < DOUBLE or f.emin == LEAST_EMIN:
        return rounded
    small: NDArray[np.bool_] = (np.abs(y) <= f.least_normal) & (a != 0) & np.isfinite(b)
    if small.any():
        a, b = np.broadcast_arrays(a, b)
        pairs = zip(a[small].tolist(), b[small].tolist(), strict=True)
        values = [f.round_fraction(exactly(Fraction(u), Fraction(v))) for u, v in pairs]
        rounded = rounded.copy()
        rounded[small] = np.copysign(values, y[small])
    return rounded
