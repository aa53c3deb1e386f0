"""The format that a text computes in, where it is another than that of its inputs and result.

Source: every framework's softmax kernel for half precision, and autocast: float32 within.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def dtype(xp: Any, name: str) -> Any:
    """The namespace's dtype of that name; NumPy knows float8 and bfloat16 through ml_dtypes."""
    native = getattr(xp, name, None)
    return np.dtype(name) if native is None else native


def computed_in(text: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The text on arguments cast to the format `name`, its result cast back to that of x.

    Where the format is wider, the first cast is exact and the last rounds once (ml_dtypes casts
    float64 by way of float32, and rounds twice). A batch is reduced after the cast back.
    """

    def cast(xp: Any, x: Any, *labels: Any, **keywords: Any) -> Any:
        inside = dtype(xp, name)

        def into(value: Any) -> Any:  # a parameter is an array too; an axis is none
            return xp.astype(value, inside) if hasattr(value, "dtype") else value

        arguments = [into(array) for array in (x, *labels)]
        y = text(xp, *arguments, **{key: into(value) for key, value in keywords.items()})
        return xp.astype(y, x.dtype)

    of = getattr(text, "func", text)  # a text with options is a partial
    cast.__doc__, cast.__module__ = of.__doc__, of.__module__
    return cast
