"""The namespace of rounded arrays, in the spelling of the Python array API standard.

It holds what the texts of the formulas use, and a little around it. Each function computes in the
format of its argument; of two, in the one that holds the other. Booleans and integers are NumPy's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpstudy.arithmetic import sums, transcendental
from fpstudy.arithmetic.rounded_arrays import Bools, RoundedArray, together
from fpstudy.formats import FORMATS, Floats, Format

Axis = int | tuple[int, ...] | None


@dataclass(frozen=True)
class Namespace:
    """The functions of rounded arrays.

    format:       of arrays made from plain numbers
    accumulation: how `sum` adds up, see fpstudy.arithmetic.sums
    """

    format: Format
    accumulation: str = "sequential"

    inf = float("inf")
    nan = float("nan")
    newaxis = None

    float16 = FORMATS["float16"]
    bfloat16 = FORMATS["bfloat16"]
    float32 = FORMATS["float32"]
    float64 = FORMATS["float64"]
    float8_e4m3fn = FORMATS["float8_e4m3fn"]
    float8_e5m2 = FORMATS["float8_e5m2"]

    def asarray(self, x: Any, dtype: Format | None = None) -> RoundedArray:
        """Float64 values as numbers of a format: exactly where they are, else rounded once."""
        if isinstance(x, RoundedArray):
            return x if dtype is None else self.astype(x, dtype)
        f = dtype or self.format
        return RoundedArray(f.round(x), f)

    def astype(self, x: Any, dtype: Format) -> RoundedArray:
        """x rounded to another format; booleans become 0 and 1."""
        return RoundedArray(dtype.round(x.values if isinstance(x, RoundedArray) else x), dtype)

    # the elementary functions, each correctly rounded

    def exp(self, x: RoundedArray) -> RoundedArray:
        """e**x."""
        return _map(transcendental.exp, x)

    def exp2(self, x: RoundedArray) -> RoundedArray:
        """2**x."""
        return 2**x

    def expm1(self, x: RoundedArray) -> RoundedArray:
        """e**x - 1."""
        return _map(transcendental.expm1, x)

    def log(self, x: RoundedArray) -> RoundedArray:
        """log(x)."""
        return _map(transcendental.log, x)

    def log2(self, x: RoundedArray) -> RoundedArray:
        """log(x) / log(2)."""
        return _map(transcendental.log2, x)

    def log1p(self, x: RoundedArray) -> RoundedArray:
        """log(1 + x)."""
        return _map(transcendental.log1p, x)

    def pow(self, b: Any, e: Any) -> RoundedArray:
        """b**e."""
        f, b, e = together(b, e)
        return RoundedArray(transcendental.power(f, b, e), f)

    # along an axis

    def sum(self, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        """The sum along the axis, or of all elements; of booleans or integers NumPy's."""
        if not isinstance(x, RoundedArray):
            return np.sum(x, axis=axis, keepdims=keepdims)
        values = x.values if axis is not None else x.values.reshape(-1)
        y = sums.total(values, 0 if axis is None else axis, x.dtype, self.accumulation)
        if keepdims:
            y = np.expand_dims(y, tuple(range(x.ndim)) if axis is None else axis)
        return RoundedArray(y, x.dtype)

    def max(self, x: RoundedArray, axis: Axis = None, keepdims: bool = False) -> RoundedArray:
        """The maximum; NaN where there is one."""
        return RoundedArray(np.max(x.values, axis=axis, keepdims=keepdims), x.dtype)

    def min(self, x: RoundedArray, axis: Axis = None, keepdims: bool = False) -> RoundedArray:
        """The minimum; NaN where there is one."""
        return RoundedArray(np.min(x.values, axis=axis, keepdims=keepdims), x.dtype)

    def argmax(self, x: RoundedArray, axis: int | None = None, keepdims: bool = False) -> Any:
        """The first index of the maximum."""
        return np.argmax(x.values, axis=axis, keepdims=keepdims)

    def argmin(self, x: RoundedArray, axis: int | None = None, keepdims: bool = False) -> Any:
        """The first index of the minimum."""
        return np.argmin(x.values, axis=axis, keepdims=keepdims)

    def any(self, x: Bools, axis: Axis = None, keepdims: bool = False) -> Any:
        """Whether any is true."""
        return np.any(x, axis=axis, keepdims=keepdims)

    def all(self, x: Bools, axis: Axis = None, keepdims: bool = False) -> Any:
        """Whether all are true."""
        return np.all(x, axis=axis, keepdims=keepdims)

    # elementwise and exact

    def abs(self, x: RoundedArray) -> RoundedArray:
        """|x|."""
        return abs(x)

    def floor(self, x: RoundedArray) -> RoundedArray:
        """The largest integer that is at most x, which needs no more bits than x."""
        return RoundedArray(np.floor(x.values), x.dtype)

    def maximum(self, a: Any, b: Any) -> RoundedArray:
        """The larger one of a and b; NaN where one is."""
        f, a, b = together(a, b)
        return RoundedArray(np.maximum(a, b), f)

    def minimum(self, a: Any, b: Any) -> RoundedArray:
        """The smaller one of a and b; NaN where one is."""
        f, a, b = together(a, b)
        return RoundedArray(np.minimum(a, b), f)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """a where the condition holds, else b."""
        if not isinstance(a, RoundedArray) and not isinstance(b, RoundedArray):
            return np.where(condition, a, b)
        f, a, b = together(a, b)
        return RoundedArray(np.where(condition, a, b), f)

    def isfinite(self, x: RoundedArray) -> Bools:
        """Whether x is finite."""
        return np.isfinite(x.values)

    def isinf(self, x: RoundedArray) -> Bools:
        """Whether x is infinite."""
        return np.isinf(x.values)

    def isnan(self, x: RoundedArray) -> Bools:
        """Whether x is NaN."""
        return np.isnan(x.values)

    # new arrays

    def zeros_like(self, x: RoundedArray) -> RoundedArray:
        """Zeros in the shape of x."""
        return self.full_like(x, 0)

    def ones_like(self, x: RoundedArray) -> RoundedArray:
        """Ones in the shape of x."""
        return self.full_like(x, 1)

    def full_like(self, x: RoundedArray, value: float) -> RoundedArray:
        """One number in the shape of x."""
        return RoundedArray(np.full(x.shape, x.dtype.round(value)), x.dtype)

    def arange(self, *bounds: int) -> NDArray[np.int64]:
        """Integers from the first bound (or 0) up to the last, exclusive; NumPy's."""
        return np.arange(*bounds, dtype=np.int64)

    # shapes

    def squeeze(self, x: Any, axis: Axis) -> Any:
        """x without axes of length 1."""
        return _shaped(np.squeeze, x, axis=axis)

    def expand_dims(self, x: Any, axis: int = 0) -> Any:
        """x with a new axis of length 1."""
        return _shaped(np.expand_dims, x, axis=axis)

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        """x in another shape."""
        return _shaped(np.reshape, x, shape)

    def broadcast_to(self, x: Any, shape: tuple[int, ...]) -> Any:
        """x repeated along axes of length 1."""
        return _shaped(np.broadcast_to, x, shape)

    def moveaxis(self, x: Any, source: Any, destination: Any) -> Any:
        """x with axes in other places."""
        return _shaped(np.moveaxis, x, source, destination)

    def take(self, x: Any, indices: Any, axis: int) -> Any:
        """Elements of x at indices along the axis."""
        return _shaped(np.take, x, indices, axis=axis)

    def concat(self, arrays: Sequence[RoundedArray], axis: int = 0) -> RoundedArray:
        """Arrays one after another along an axis."""
        return _joined(np.concatenate, arrays, axis)

    def stack(self, arrays: Sequence[RoundedArray], axis: int = 0) -> RoundedArray:
        """Arrays of one shape along a new axis."""
        return _joined(np.stack, arrays, axis)


def _map(function: Callable[[Format, Floats], Floats], x: RoundedArray) -> RoundedArray:
    return RoundedArray(function(x.dtype, x.values), x.dtype)


def _shaped(function: Callable[..., Any], x: Any, *args: Any, **named: Any) -> Any:
    if isinstance(x, RoundedArray):
        return RoundedArray(function(x.values, *args, **named), x.dtype)
    return function(x, *args, **named)


def _joined(
    function: Callable[..., Any], arrays: Sequence[RoundedArray], axis: int
) -> RoundedArray:
    f = reduce(lambda f, x: together(RoundedArray(0.0, f), x)[0], arrays, arrays[0].dtype)
    return RoundedArray(function([x.values for x in arrays], axis=axis), f)
