"""An array namespace over NumPy arrays of Python numbers: balls of Arb or mpf of mpmath.

It holds what the definitions and references of the problems use, in the spelling of the Python
array API standard; +, -, *, / and ** are the numbers' own.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Objects = NDArray[np.object_]
Function = Callable[..., Any]


class ObjectArrays:
    """The namespace for one kind of number.

    number: makes a number from a float, exactly
    exp, log, log1p: the elementary functions of one number

    max, min, argmax and argmin compare: with balls that is sound on exact inputs only, never on
    computed ones.
    """

    def __init__(self, number: Function, exp: Function, log: Function, log1p: Function) -> None:
        """The namespace that lifts these functions to arrays."""
        self._zero, self._one = number(0.0), number(1.0)
        self._number = np.frompyfunc(lambda value: number(float(value)), 1, 1)
        self.exp = np.frompyfunc(exp, 1, 1)
        self.log = np.frompyfunc(log, 1, 1)
        self.log1p = np.frompyfunc(log1p, 1, 1)

    def asarray(self, x: Any) -> Objects:
        """The float64 array x as numbers, exactly."""
        x = np.asarray(x, dtype=np.float64)
        result = np.empty(x.shape, dtype=object)  # a 0-d input stays an array
        result[...] = self._number(x)
        return result

    def once(self, text: Function, *arguments: Any) -> Any:
        """text(xp, *arguments); the namespace of whole batches remembers it."""
        return text(self, *arguments)

    def pow(self, b: Any, x: Any) -> Any:
        """b**x."""
        return b**x

    def zeros_like(self, x: Objects) -> Objects:
        """Exact zeros in the shape of x."""
        return np.full(x.shape, self._zero, dtype=object)

    def ones_like(self, x: Objects) -> Objects:
        """Exact ones in the shape of x."""
        return np.full(x.shape, self._one, dtype=object)

    def where(self, condition: Any, a: Any, b: Any) -> Objects:
        """Elements of a where the condition holds, else of b."""
        chosen: Objects = np.where(condition, a, b)
        return chosen

    def sum(self, x: Objects, axis: int = -1, keepdims: bool = False) -> Any:
        """Sum along the axis."""
        return np.sum(x, axis=axis, keepdims=keepdims)

    def max(self, x: Objects, axis: int = -1, keepdims: bool = False) -> Any:
        """Maximum along the axis, of inputs."""
        return np.max(x, axis=axis, keepdims=keepdims)

    def min(self, x: Objects, axis: int = -1, keepdims: bool = False) -> Any:
        """Minimum along the axis, of inputs."""
        return np.min(x, axis=axis, keepdims=keepdims)

    def argmax(self, x: Objects, axis: int = -1, keepdims: bool = False) -> Any:
        """First index of the maximum along the axis, of inputs."""
        return np.argmax(x, axis=axis, keepdims=keepdims)

    def argmin(self, x: Objects, axis: int = -1, keepdims: bool = False) -> Any:
        """First index of the minimum along the axis, of inputs."""
        return np.argmin(x, axis=axis, keepdims=keepdims)

    def squeeze(self, x: Any, axis: int) -> Any:
        """The array without its axis of length 1."""
        return np.squeeze(x, axis=axis)

    def expand_dims(self, x: Any, axis: int) -> Any:
        """The array with a new axis of length 1."""
        return np.expand_dims(x, axis=axis)

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        """The array in another shape."""
        return np.reshape(x, shape)

    def arange(self, n: int) -> Any:
        """The indices 0, ..., n - 1."""
        return np.arange(n)
