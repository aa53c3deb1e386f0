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

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from fpstudy.arithmetic import arb
from fpstudy.arithmetic.double_word import (
    add_pairs,
    add_pairs_and_rest,
    divide_pairs,
    multiply_pairs,
    two_product,
    two_sum,
)
from fpstudy.arithmetic.double_word_functions import (
    EXP,
    LOG,
    MOST_EXPONENT,
    exp_pair,
    log_pair,
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
SHORT = 64  # a vector of fewer numbers is short
CHUNK = 2**10  # terms of a sum that are added in three slices
SUM = 2.0**-98  # the relative error of such a sum
MEMORY = 2**21  # logits whose weights are remembered: about 80 MB

# malloc gives a freed array back to the system, and gets it again page by page, unless it has once
# seen a larger one freed: with glibc this makes the blocks here three times as fast.
np.empty(2**21)


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
        return add(self, _array(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> "DoubleDouble":
        """x - y."""
        return add(self, -_array(other))

    def __rsub__(self, other: Any) -> "DoubleDouble":
        """y - x."""
        return add(_array(other), -self)

    def __mul__(self, other: Any) -> "DoubleDouble":
        """x y."""
        return multiply(self, _array(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "DoubleDouble":
        """x / y."""
        return divide(self, _array(other))

    def __rtruediv__(self, other: Any) -> "DoubleDouble":
        """y / x."""
        return divide(_array(other), self)

    def __pow__(self, exponent: Any) -> "DoubleDouble":
        """x**y = e**(y log(x)), x > 0."""
        return exp(multiply(_array(exponent), log(self)))

    def __eq__(self, other: object) -> Any:
        """Where inputs are equal."""
        return self.hi == _array(other).hi

    def __lt__(self, other: Any) -> Any:
        """Where numbers are less, as far as float64 tells: proven of inputs only."""
        return _near(self) < _near(_array(other))


def _near(x: DoubleDouble) -> Any:
    """The float64 numbers, those beyond float64's range as large or small ones."""
    return x.hi if x.plain else np.ldexp(x.hi, np.clip(x.exponent, FAR, -FAR).astype(np.int32))


def _array(x: Any) -> DoubleDouble:
    return x if isinstance(x, DoubleDouble) else DoubleDouble(np.asarray(x, dtype=np.float64))


def normalized(x: DoubleDouble) -> DoubleDouble:
    """The same numbers with 1/2 <= |hi| < 1, each with its own exponent."""
    hi, shift = np.frexp(x.hi)
    lo = x.lo if isinstance(x.lo, float) else np.ldexp(x.lo, -shift)
    return DoubleDouble(hi, lo, shift + np.asarray(x.exponent, dtype=np.int64), x.radius)


def _at(x: DoubleDouble, exponent: Ints) -> tuple[Any, Any]:
    """(hi, lo) of x in units of 2**exponent, off by LOST at most where x is inexact anyway."""
    if x.plain and isinstance(exponent, int):
        return x.hi, x.lo
    shift = np.clip(x.exponent - exponent, FAR, 0).astype(np.int32)
    return np.ldexp(x.hi, shift), np.ldexp(x.lo, shift)


def _lost(x: DoubleDouble, exponent: Ints) -> Any:
    """What _at loses of x at most: 0 where it gives x exactly."""
    if x.plain and isinstance(exponent, int):
        return 0.0
    shift = np.clip(x.exponent - exponent, FAR, 0).astype(np.int32)
    hi, lo = np.ldexp(x.hi, shift), np.ldexp(x.lo, shift)
    kept = (np.ldexp(hi, -shift) == x.hi) & (np.ldexp(lo, -shift) == x.lo) & (shift > FAR)
    return 0.0 if kept.all() else np.where(kept | (x.hi == 0), 0.0, LOST)


def _common(x: DoubleDouble, y: DoubleDouble) -> tuple[DoubleDouble, DoubleDouble, Any]:
    """x, y, and the larger exponent of the two that are not 0, to add them at."""
    if x.plain and y.plain:
        return x, y, 0
    x, y = (normalized(part) if part.plain else part for part in (x, y))
    larger = np.maximum(x.exponent, y.exponent)
    exponent = np.where(x.hi == 0, y.exponent, np.where(y.hi == 0, x.exponent, larger))
    return x, y, exponent


def _limited(radius: Any) -> Any:
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
    (xh, xl), (yh, yl) = _at(x, exponent), _at(y, exponent)
    if not x.exact and not y.exact and (xh * yh >= 0).all():
        hi, lo = add_pairs((xh, xl), (yh, yl))
        radius = (np.maximum(x.radius, y.radius) + (ADD + LOST)) * GROWTH
        return _kept(hi, lo, exponent, radius, xh + yh)
    hi, lo, rest = add_pairs_and_rest((xh, xl), (yh, yl))
    error = np.abs(xh) * x.radius + np.abs(yh) * y.radius + np.abs(rest)
    error = error + (_lost(x, exponent) + _lost(y, exponent))
    return _kept(hi, lo, exponent, _relative(error, hi) * GROWTH, xh + yh)


def _relative(error: Any, hi: Any) -> Any:
    """error / |hi|, infinite where only hi is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / np.abs(hi))


def _kept(hi: Any, lo: Any, exponent: Any, radius: Any, plain: Any) -> DoubleDouble:
    """A result in its invariants; where `plain`, float64's own result, is infinite, that is it."""
    infinite = np.isinf(plain)
    if infinite.any():
        hi, lo = np.where(infinite, plain, hi), np.where(infinite, 0.0, lo)
        radius = np.where(infinite, 0.0, radius)
    result = DoubleDouble(hi, lo, exponent, _limited(radius))
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
        plain = x.hi * y.hi
        hi, lo = multiply_pairs((x.hi, x.lo), (y.hi, y.lo))
    radius = (x.radius + y.radius + MULTIPLY) * GROWTH
    return _kept(hi, lo, x.exponent + y.exponent, radius, plain)


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
    return _kept(hi, lo, x.exponent - y.exponent, radius, hi)


class DoubleDoubleArrays:
    """The namespace of double-double arrays: what references use, spelled as the array API has it.

    It remembers what texts made of as many as 2**21 logits, so that problems on the same logits
    share their weights exp(x_i - m): the same bits have the same exponentials.
    """

    def __init__(self) -> None:
        """A namespace that remembers nothing yet."""
        self._known: OrderedDict[Any, tuple[DoubleDouble, Any]] = OrderedDict()
        self._held = 0

    def asarray(self, x: Any) -> DoubleDouble:
        """Float64 numbers, exactly: 0, infinite, or of a size within 2**-300 and 2**300."""
        x = np.asarray(x, dtype=np.float64)
        # Short vectors lie side by side: adding them up goes from vector to vector, not along each.
        return DoubleDouble(np.asfortranarray(x) if x.ndim > 1 and x.shape[-1] < SHORT else x)

    def zeros_like(self, x: DoubleDouble) -> DoubleDouble:
        """Exact zeros in the shape of x."""
        return DoubleDouble(np.zeros_like(x.hi))

    def ones_like(self, x: DoubleDouble) -> DoubleDouble:
        """Exact ones in the shape of x."""
        return DoubleDouble(np.ones_like(x.hi))

    def where(self, condition: Any, a: Any, b: Any) -> DoubleDouble:
        """Elements of a where the condition holds, else of b, with the larger of their radii."""
        a, b = _array(a), _array(b)
        if a.hi.flags.f_contiguous or b.hi.flags.f_contiguous:
            condition = np.asfortranarray(condition)  # one memory order for all three
        if not a.hi.any():
            exponent, radius = b.exponent, b.radius
        elif not b.hi.any():
            exponent, radius = a.exponent, a.radius
        else:
            if not (a.plain and b.plain):
                a, b = (normalized(part) if part.plain else part for part in (a, b))
            plain = a.plain and b.plain
            exponent = 0 if plain else np.where(condition, a.exponent, b.exponent)
            radius = a.radius if a.radius is b.radius else np.maximum(a.radius, b.radius)
        both = isinstance(a.lo, float) and isinstance(b.lo, float)
        lo = 0.0 if both else np.where(condition, a.lo, b.lo)
        return DoubleDouble(np.where(condition, a.hi, b.hi), lo, exponent, radius)

    def max(self, x: DoubleDouble, axis: int = -1, keepdims: bool = False) -> DoubleDouble:
        """Maximum along the axis, of inputs."""
        return DoubleDouble(np.max(x.hi, axis=axis, keepdims=keepdims))

    def min(self, x: DoubleDouble, axis: int = -1, keepdims: bool = False) -> DoubleDouble:
        """Minimum along the axis, of inputs."""
        return DoubleDouble(np.min(x.hi, axis=axis, keepdims=keepdims))

    def argmax(self, x: DoubleDouble, axis: int = -1, keepdims: bool = False) -> Any:
        """First index of the maximum along the axis, of inputs."""
        return np.argmax(x.hi, axis=axis, keepdims=keepdims)

    def argmin(self, x: DoubleDouble, axis: int = -1, keepdims: bool = False) -> Any:
        """First index of the minimum along the axis, of inputs."""
        return np.argmin(x.hi, axis=axis, keepdims=keepdims)

    def squeeze(self, x: DoubleDouble, axis: int) -> DoubleDouble:
        """The array without its axis of length 1."""
        return x.each(lambda part: np.squeeze(part, axis=axis))

    def expand_dims(self, x: DoubleDouble, axis: int) -> DoubleDouble:
        """The array with a new axis of length 1."""
        return x.each(lambda part: np.expand_dims(part, axis=axis))

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        """The array, of numbers or indices, in another shape."""
        return np.reshape(x, shape)

    def arange(self, n: int) -> Any:
        """The indices 0, ..., n - 1."""
        return np.arange(n)

    def sum(self, x: DoubleDouble, axis: int = -1, keepdims: bool = False) -> DoubleDouble:
        """Sum along the axis; exact where no bit of it is lost."""
        if axis not in (-1, x.ndim - 1):
            x = x.each(lambda part: np.moveaxis(part, axis, -1))
        total = _sum_of_integers(x) if x.single else None
        total = _sum_of_last(x) if total is None else total
        return self.expand_dims(total, axis) if keepdims else total

    def once(self, text: Callable[..., Any], x: DoubleDouble, *arguments: Any) -> Any:
        """text(xp, x, *arguments) for inputs x; of the same numbers as before, what was found."""
        key = (text, x.shape, arguments, float(x.hi.sum()))
        known = self._known.get(key)
        if known is not None and np.array_equal(known[0].hi, x.hi):
            return known[1]
        found = text(self, x, *arguments)
        self._held += x.hi.size - (0 if known is None else known[0].hi.size)
        self._known[key] = x, found
        while self._held > MEMORY:
            _, (oldest, _) = self._known.popitem(last=False)
            self._held -= oldest.hi.size
        return found

    def exp(self, x: DoubleDouble) -> DoubleDouble:
        """e**x."""
        return exp(x)

    def log(self, x: DoubleDouble) -> DoubleDouble:
        """log(x), x > 0."""
        return log(x)

    def log1p(self, x: DoubleDouble) -> DoubleDouble:
        """log(1 + x), x >= 0."""
        return log1p(x)


def _sum_of_integers(x: DoubleDouble) -> DoubleDouble | None:
    """Sums along the last axis where all are integers: exact, if sizes add up to 2**53 at most."""
    size = np.abs(x.hi).sum(axis=-1)
    if not (size <= 2.0**53).all() or (x.hi != np.rint(x.hi)).any():
        return None
    return DoubleDouble(x.hi.sum(axis=-1))


def _sum_of_last(x: DoubleDouble) -> DoubleDouble:
    """Sums along the last axis: chunks of 2**10 terms by three slices, then their sums likewise.

    At a chunk's own scale, all |hi| <= 1.01, the terms are cut at 2**-33 and 2**-69 by adding and
    subtracting constants whose last place that is. The cut parts are sums of at most 2**11 and
    2**-23 of multiples of those, so exact in any order. The rests are at most 2**-69 each, and so
    are their roundings 2**-122; added in float64 they are off by 2**10 (2**10 u 2**-69) + 2**10
    2**-122 <= 2**-101.9, where the largest term is at least 1/8: SUM of the sizes' sum, in which
    the last rounding, u**2, and what underflows, 2**-990, have room.
    """
    n = x.shape[-1]
    if n > CHUNK:
        width = [(0, 0)] * (x.ndim - 1) + [(0, -n % CHUNK)]
        shape = (*x.shape[:-1], -1, CHUNK)
        return _sum_of_last(_sum_of_last(x.each(lambda part: np.pad(part, width).reshape(shape))))
    x = normalized(x) if x.plain else x
    live = x.hi != 0
    exponent = np.where(live, x.exponent, np.iinfo(np.int64).min // 2).max(axis=-1) + 1
    exponent = np.where(live.any(axis=-1), exponent, 0)
    hi, lo = _at(x, exponent[..., None])
    h, l, left_out = _slices(hi, lo)
    if not x.exact and (hi >= 0).all():
        radius = _largest(x.radius, x.shape) + SUM
    else:
        one = np.count_nonzero(live, axis=-1) <= 1  # whose sum is that term
        h, l = np.where(one, hi.sum(axis=-1), h), np.where(one, lo.sum(axis=-1), l)
        size = np.abs(hi).sum(axis=-1)
        error = np.where(one | ~left_out, 0.0, SUM * size) + size * _largest(x.radius, x.shape)
        error += np.broadcast_to(_lost(x, exponent[..., None]), hi.shape).sum(axis=-1)
        radius = _relative(error, h)
    return _kept(h, l, exponent, radius * GROWTH, x.hi.sum(axis=-1))


def _largest(radius: Any, shape: tuple[int, ...]) -> Any:
    """The largest radius of each row."""
    return radius if np.ndim(radius) == 0 else np.broadcast_to(radius, shape).max(axis=-1)


def _slices(hi: Floats, lo: Floats) -> tuple[Any, Any, Any]:
    """The sum along the last axis as a pair, and whether more than that was there to add."""
    first = (hi + _SLICE_1) - _SLICE_1
    hi = hi - first
    second, third = (hi + _SLICE_2) - _SLICE_2, (lo + _SLICE_2) - _SLICE_2
    hi, lo = hi - second, lo - third
    h, l = two_sum(first.sum(axis=-1), (second + third).sum(axis=-1))
    l, error = two_sum(l, (hi + lo).sum(axis=-1))
    left_out = (hi.any(axis=-1)) | (lo.any(axis=-1)) | (error != 0)
    return *two_sum(h, l), left_out


_SLICE_1 = 1.5 * 2.0 ** (52 - 33)  # x + 1.5 2**k is rounded to a multiple of 2**(k - 52)
_SLICE_2 = 1.5 * 2.0 ** (52 - 69)


def exp(x: DoubleDouble) -> DoubleDouble:
    """e**x: (1 + EXP) for the function, and |x| radius for what is not known of x.

    e**-inf is 0. Beyond |x| = 2**16 each number goes to Arb.
    """
    shift = np.clip(x.exponent, FAR, 64).astype(np.int32)
    hi, lo = (x.hi, x.lo) if x.plain else (np.ldexp(x.hi, shift), np.ldexp(x.lo, shift))
    near = np.abs(hi) <= MOST_EXPONENT
    everywhere = bool(near.all())
    h, l, k = exp_pair((hi if everywhere else np.where(near, hi, 0.0), lo))
    radius: Any = EXP if x.exact else np.abs(hi) * x.radius * GROWTH + (EXP + 2 * LOST)
    if not everywhere:
        nothing = hi == -np.inf
        h, l = np.where(nothing, 0.0, h), np.where(nothing, 0.0, l)
        far = ~near & ~nothing
        if far.any():
            radius = np.where(far, np.inf, radius)
            _put_exponentials(x, far, h, l, k, radius)
        elif not x.exact:
            radius = np.where(nothing, EXP, radius)
    return DoubleDouble(h, l, k, _limited(radius))


def _put_exponentials(x: DoubleDouble, far: Any, h: Any, l: Any, k: Any, radius: Any) -> None:
    """Put in Arb's e**x and its radius where `far`; what Arb cannot hold keeps an infinite one."""
    parts = (x.hi, x.lo, x.exponent, x.radius)
    cases = zip(*(np.broadcast_to(part, x.shape)[far].tolist() for part in parts), strict=True)
    for place, (hi, lo, exponent, known) in zip(np.argwhere(far), cases, strict=True):
        i = tuple(place)
        value = arb.exponential(hi, lo, exponent)
        if value is not None:
            h[i], l[i], k[i] = value
            radius[i] = EXP + abs(np.ldexp(hi, min(exponent, 64))) * known * GROWTH


def log1p(x: DoubleDouble) -> DoubleDouble:
    """log(1 + x), x >= 0: x / ((1 + x) log(1 + x)) <= 1, so a relative radius stays one."""
    x = normalized(x)
    m = normalized(add(DoubleDouble(np.ones(x.shape)), DoubleDouble(x.hi, x.lo, x.exponent)))
    y = _log(m, x)
    zero = x.hi == 0
    y.hi, y.lo = np.where(zero, 0.0, y.hi), np.where(zero, 0.0, y.lo)
    y.radius = _limited((x.radius + LOG) * GROWTH)
    return y


def log(x: DoubleDouble) -> DoubleDouble:
    """log(x), x > 0: a relative radius of x is an absolute one of the logarithm."""
    x = normalized(x)
    own = DoubleDouble(x.hi, x.lo, x.exponent)
    z = add(own, DoubleDouble(-np.ones(x.shape)))
    y = _log(own, normalized(z))
    size = np.abs(np.ldexp(y.hi, np.clip(y.exponent, FAR, 64).astype(np.int32)))
    lost = np.where(size > 0, (x.radius * GROWTH) / np.where(size > 0, size, 1.0), 0.0)
    one = (y.hi == 0) & (np.broadcast_to(x.radius, x.shape) > 0)
    y.radius = _limited(np.where(one, np.inf, lost + LOG) * GROWTH)
    return y


def _log(m: DoubleDouble, z: DoubleDouble) -> DoubleDouble:
    """log(m) for normalized m = 1 + z; both given as exact, up to 2**-103 of m."""
    low = m.hi < np.sqrt(0.5)
    scale = np.where(low, 2.0, 1.0)
    k = np.asarray(m.exponent - low, dtype=np.float64)
    h, l, e = log_pair((m.hi * scale, m.lo * scale), k, (z.hi, z.lo), z.exponent)
    return normalized(DoubleDouble(h, l, e))
