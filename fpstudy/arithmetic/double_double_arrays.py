"""The namespace of double-double arrays: what references use, spelled as the array API has it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from fpstudy.arithmetic import double_double_functions as functions
from fpstudy.arithmetic.double_double import DoubleDouble, array, normalized

SHORT = 64  # a vector of fewer numbers is short
MEMORY = 2**21  # logits whose weights are remembered: about 80 MB

# malloc gives a freed array back to the system, and gets it again page by page, unless it has once
# seen a larger one freed: with glibc this makes the blocks here three times as fast.
np.empty(2**21)


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
        a, b = array(a), array(b)
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

    def squeeze(self, x: DoubleDouble, axis: int) -> DoubleDouble:
        """The array without its axis of length 1."""
        return x.each(lambda part: np.squeeze(part, axis=axis))

    def expand_dims(self, x: DoubleDouble, axis: int) -> DoubleDouble:
        """The array with a new axis of length 1."""
        return x.each(lambda part: np.expand_dims(part, axis=axis))

    def sum(self, x: DoubleDouble, axis: int = -1, keepdims: bool = False) -> DoubleDouble:
        """Sum along the axis; exact where no bit of it is lost."""
        if axis not in (-1, x.ndim - 1):
            x = x.each(lambda part: np.moveaxis(part, axis, -1))
        total = functions.total(x)
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
        return functions.exp(x)

    def pow(self, b: DoubleDouble, x: DoubleDouble) -> DoubleDouble:
        """b**x, b > 0."""
        return functions.power(b, x)

    def log(self, x: DoubleDouble) -> DoubleDouble:
        """log(x), x > 0."""
        return functions.log(x)

    def log1p(self, x: DoubleDouble) -> DoubleDouble:
        """log(1 + x), x >= 0."""
        return functions.log1p(x)
