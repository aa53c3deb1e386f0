"""Code that is not fpstudy's gets copies of its inputs: changing them is seen, and changes nothing.

Compared are shape, dtype and bits, so that a NaN equals itself and 0 is not -0. jax's arrays cannot
be changed, and go in as they are.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from fpstudy.arithmetic.outputs import BadOutputError
from fpstudy.arithmetic.rounded_arrays import RoundedArray
from fpstudy.arithmetic.rounded_namespace import Namespace
from fpstudy.formats import Format

POSITIONAL = ("logits", "labels")


def on_copies(text: Callable[..., Any], /, *arguments: Any, **parameters: Any) -> Any:
    """text(*arguments, **parameters), the arrays among them copied.

    Raises BadOutputError where the text changed one in place, or gave a rounded array of numbers
    that its format does not hold.
    """
    given = [_copy(argument) for argument in arguments]
    named = {name: _copy(value) for name, value in parameters.items()}
    y = text(*given, **named)
    pairs = [pair for pair in zip(given, arguments, strict=True) if not _is_namespace(pair[1])]
    pairs += zip(named.values(), parameters.values(), strict=True)
    names = (*POSITIONAL[: len(pairs) - len(named)], *named)
    changed = [name for name, pair in zip(names, pairs, strict=True) if not _alike(*pair)]
    if changed:
        raise BadOutputError(f"changed its input in place: {' and '.join(changed)}")
    if isinstance(y, RoundedArray) and isinstance(y.dtype, Format):
        held = np.asarray(y.dtype.round(y.values))
        if not np.array_equal(held, y.values, equal_nan=True):
            raise BadOutputError(f"returned numbers that {y.dtype.name} does not hold")
    return y


def _is_namespace(x: Any) -> bool:
    return isinstance(x, ModuleType | Namespace)


def _is_tensor(x: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def _copy(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, RoundedArray):
        return RoundedArray(x.values.copy(), x.dtype)
    return x.clone() if _is_tensor(x) else x


def _alike(copy: Any, x: Any) -> bool:
    try:
        return copy is x or _bits(copy) == _bits(x)
    except (MemoryError, RecursionError):
        raise
    except Exception:  # whatever became of the copy, it is no such array any more
        return False


def _bits(x: Any) -> tuple[Any, ...]:
    if isinstance(x, RoundedArray):
        return (x.dtype, *_bits(x.values))
    if _is_tensor(x):
        import torch

        plain = x.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        return (tuple(x.shape), x.dtype, plain.tobytes())
    return (x.shape, x.dtype, x.tobytes())
