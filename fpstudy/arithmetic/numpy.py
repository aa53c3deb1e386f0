"""NumPy's own arithmetic, and ml_dtypes' for the formats that NumPy lacks: what code does today.

Sums are as NumPy makes them: along the last axis pairwise in blocks, for float16 in a float32
accumulator; ml_dtypes adds one by one in the format itself.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from fpstudy.arithmetic import scipy_functions
from fpstudy.arithmetic.outputs import BadOutputError, demand_rows, type_of
from fpstudy.formats import Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import Formula
from fpstudy.problems.cross_entropy import batch_loss
from fpstudy.reasons import reason_of

DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(native)
    for name, native in (
        ("float16", np.float16),
        ("bfloat16", ml_dtypes.bfloat16),
        ("float32", np.float32),
        ("float64", np.float64),
        ("float8_e4m3fn", ml_dtypes.float8_e4m3fn),
        ("float8_e5m2", ml_dtypes.float8_e5m2),
    )
}
# Samples are evaluated in blocks of about so many numbers, whatever else a run does: a kernel may
# treat the end of an array otherwise than its middle, so the blocks are part of the result.
BLOCK = 2**20
LIBRARY = scipy_functions.LIBRARY


def refusal(f: Format, accumulation: str, variant: str = "") -> str | None:
    """Why NumPy cannot carry out the format or the accumulation; None where it can."""
    if f.name not in DTYPES:
        return f"numpy has no dtype {f.name}; only rounded carries out a format of your own"
    if accumulation != "native":
        return f"numpy sums in its own way only, not {accumulation}"
    return None


def evaluate(
    formula: Formula, inputs: Inputs, f: Format, accumulation: str = "native", variant: str = ""
) -> Floats:
    """The formula's results as float64, one row for each sample.

    Raises BadOutputError for a wrong shape or dtype, and whatever the formula raises.
    """
    native = DTYPES[f.name]
    size = max(1, BLOCK // inputs.x[0].size)
    blocks = [slice(start, start + size) for start in range(0, len(inputs.x), size)]
    return np.concatenate([_block(formula, inputs.take(rows), native) for rows in blocks])


def _block(formula: Formula, inputs: Inputs, native: np.dtype[Any]) -> Floats:
    arguments = [part.astype(native) for part in inputs.arrays]
    parameters = {name: np.asarray(value, native) for name, value in inputs.parameters.items()}
    with _ignoring():  # what overflows is an outcome, not a warning
        y = _array(formula.around(formula.text, np, *arguments, **parameters), native)
        demand_rows(y.shape, inputs)
        if inputs.counted is not None:
            y = batch_loss(np, y, inputs.counted, inputs.reduction)
        return np.asarray(y).astype(np.float64)


def _ignoring() -> AbstractContextManager[Any]:
    """np.errstate, but for a caller that has it: one more would hide what a formula changed."""
    ignored = set(np.geterr().values()) == {"ignore"}
    return nullcontext() if ignored else np.errstate(all="ignore")


def _array(y: Any, native: np.dtype[Any]) -> NDArray[Any]:
    """What a formula returned as an array of the dtype; raises BadOutputError where it is none.

    A list of rows is as good as an array, but a mask would be lost.
    """
    if isinstance(y, np.ma.MaskedArray):
        raise BadOutputError("returned a masked array, whose mask would be lost")
    try:
        array = np.asarray(y)
    except Exception as error:  # rows of unlike lengths, or an object that refuses
        raise BadOutputError(f"returned {type_of(y)}, no array: {reason_of(error)}") from None
    if array.dtype != native:
        other = array.dtype if isinstance(y, np.ndarray | np.generic) else type_of(y)
        raise BadOutputError(f"returned {other}, not {native}")
    return array
