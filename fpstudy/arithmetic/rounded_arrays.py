"""Arrays of numbers of a format: every operation is correctly rounded to it."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpstudy.arithmetic import correct_rounding, transcendental
from fpstudy.formats import Floats, Format

Bools = NDArray[np.bool_]
Operation = Callable[[Format, Floats, Floats], Floats]


class RoundedArray:
    """Float64 values that belong to a format; each operation rounds once.

    values: the numbers
    dtype:  the format

    Of two formats the result has the one that holds the other; a Python number enters as NumPy's
    do: rounded to the array's format, so that small integers are exact. Anything else (a NumPy
    array, formats of which neither holds the other) is a TypeError: nothing is computed behind the
    format's back. Comparisons give NumPy's boolean arrays.
    """

    __array_ufunc__ = None  # a NumPy array or function leaves the operation to this class
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: Any, dtype: Format) -> None:
        """The values, which are taken as numbers of the format."""
        self.values: Floats = np.asarray(values, dtype=np.float64)
        self.dtype = dtype

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a rounded array takes the functions of its own namespace, not NumPy's")

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.values.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.values.size

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> "RoundedArray":
        return self._like(self.values[index])

    def __float__(self) -> float:
        return float(self.values)

    def __bool__(self) -> bool:
        return bool(self.values)

    def __repr__(self) -> str:
        return f"{self.dtype.name} {self.values!r}"

    def __neg__(self) -> "RoundedArray":
        return self._like(-self.values)

    def __pos__(self) -> "RoundedArray":
        return self

    def __abs__(self) -> "RoundedArray":
        return self._like(np.abs(self.values))

    def __add__(self, other: Any) -> "RoundedArray":
        return self._do(correct_rounding.add, other)

    def __radd__(self, other: Any) -> "RoundedArray":
        return self._do(correct_rounding.add, other, swapped=True)

    def __sub__(self, other: Any) -> "RoundedArray":
        return self._do(correct_rounding.subtract, other)

    def __rsub__(self, other: Any) -> "RoundedArray":
        return self._do(correct_rounding.subtract, other, swapped=True)

    def __mul__(self, other: Any) -> "RoundedArray":
        return self._do(correct_rounding.multiply, other)

    def __rmul__(self, other: Any) -> "RoundedArray":
        return self._do(correct_rounding.multiply, other, swapped=True)

    def __truediv__(self, other: Any) -> "RoundedArray":
        return self._do(correct_rounding.divide, other)

    def __rtruediv__(self, other: Any) -> "RoundedArray":
        return self._do(correct_rounding.divide, other, swapped=True)

    def __pow__(self, other: Any) -> "RoundedArray":
        return self._do(transcendental.power, other)

    def __rpow__(self, other: Any) -> "RoundedArray":
        return self._do(transcendental.power, other, swapped=True)

    def __eq__(self, other: object) -> Bools:  # type: ignore[override]
        return self._compare(np.equal, other)

    def __ne__(self, other: object) -> Bools:  # type: ignore[override]
        return self._compare(np.not_equal, other)

    def __lt__(self, other: Any) -> Bools:
        return self._compare(np.less, other)

    def __le__(self, other: Any) -> Bools:
        return self._compare(np.less_equal, other)

    def __gt__(self, other: Any) -> Bools:
        return self._compare(np.greater, other)

    def __ge__(self, other: Any) -> Bools:
        return self._compare(np.greater_equal, other)

    def _like(self, values: Any) -> "RoundedArray":
        return RoundedArray(values, self.dtype)

    def _do(self, operation: Operation, other: Any, swapped: bool = False) -> "RoundedArray":
        f, a, b = together(other, self) if swapped else together(self, other)
        return RoundedArray(operation(f, a, b), f)

    def _compare(self, comparison: Callable[[Floats, Floats], Any], other: Any) -> Bools:
        _, a, b = together(self, other)
        return np.asarray(comparison(a, b))


def together(a: Any, b: Any) -> tuple[Format, Floats, Floats]:
    """The format of a result of a and b, and their values in it: one at least is an array.

    TypeError where there is no such format.
    """
    formats = [part.dtype for part in (a, b) if isinstance(part, RoundedArray)]
    if not formats:
        raise TypeError("want an array in a format")
    f, g = formats[0], formats[-1]
    if not correct_rounding.contains(f, g):
        f, g = g, f
    return f, _values(a, f), _values(b, f)


def _values(x: Any, f: Format) -> Floats:
    """The values of an array whose format f holds, or of a Python number, in f."""
    if isinstance(x, RoundedArray):
        if not correct_rounding.contains(f, x.dtype):
            raise TypeError(f"neither of {f.name} and {x.dtype.name} holds the other's numbers")
        return x.values
    if isinstance(x, int) and not isinstance(x, bool):
        return np.asarray(f.round_fraction(Fraction(x)))
    if type(x) is float:
        return f.round(x)
    raise TypeError(f"want an array in {f.name} or a Python number, got {type(x).__name__}")
