"""What torch and jax have in common: blocks of whole samples, exact bits in, checked bits out.

Numbers cross as the bits of NumPy's and ml_dtypes' types, so a framework rounds nothing on the way.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpstudy.arithmetic.numpy import BLOCK, DTYPES
from fpstudy.arithmetic.outputs import BadOutputError
from fpstudy.formats import FORMATS, Floats, Format
from fpstudy.inputs import Inputs

Native = NDArray[Any]


def refusal(
    framework: str, modules: tuple[str, ...], formats: tuple[str, ...], f: Format, accumulation: str
) -> str | None:
    """Why a framework cannot carry out the format or the accumulation; None where it can.

    modules: what it imports; imported here, but for nothing that is refused anyway
    formats: those that it has arithmetic in
    """
    if FORMATS.get(f.name) != f:
        return f"{framework} has no dtype {f.name}; only rounded carries out a format of your own"
    if f.name not in formats:
        return f"{framework} has no arithmetic in {f.name}"
    if accumulation != "native":
        return f"{framework} sums in its own way only, not {accumulation}"
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            missing = (error.name or module).partition(".")[0]
            return f"{missing} is not installed: pip install 'fpstudy[{framework}]'"
        except (ImportError, OSError) as error:  # there, but a shared library of it is not
            return f"{module} cannot be imported: {first_line(error)}"
    return None


def first_line(error: Exception) -> str:
    """What an error says, without its traceback of a hundred lines."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def in_blocks(run: Callable[[Inputs], Native], inputs: Inputs, f: Format) -> Floats:
    """run(part) over fixed blocks of whole samples, each result checked; as float64.

    A kernel may treat the end of an array otherwise than its middle, so the blocks are part of the
    result and depend on nothing but the inputs' shape. Raises BadOutputError.
    """
    native = DTYPES[f.name]
    return np.concatenate([_checked(run(part), native) for part in _blocks(inputs)])


def _blocks(inputs: Inputs) -> Iterator[Inputs]:
    size = max(1, BLOCK // inputs.x[0].size)
    for start in range(0, len(inputs.x), size):
        yield inputs.take(slice(start, start + size))


def _checked(y: Native, native: np.dtype[Any]) -> Floats:
    if y.dtype != native:
        raise BadOutputError(f"returned {y.dtype}, not {native}")
    with np.errstate(invalid="ignore"):  # a framework's NaN may be a signalling one
        return y.astype(np.float64)
