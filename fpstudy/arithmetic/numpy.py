"""NumPy's own arithmetic, and ml_dtypes' for the formats that NumPy lacks: what code does today.

Sums are as NumPy makes them: along the last axis pairwise in blocks, for float16 in a float32
accumulator; ml_dtypes adds one by one in the format itself.
"""

from typing import Any

import ml_dtypes
import numpy as np

from fpstudy.arithmetic import scipy_functions
from fpstudy.arithmetic.outputs import BadOutputError
from fpstudy.formats import Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import Formula
from fpstudy.problems.cross_entropy import batch_loss

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
    with np.errstate(all="ignore"):  # what overflows is an outcome, not a warning
        y = formula.text(np, *arguments, **parameters)
        if inputs.counted is not None:
            y = batch_loss(np, y, inputs.counted, inputs.reduction)
        y = np.asarray(y)
        if y.dtype != native:
            raise BadOutputError(f"returned {y.dtype}, not {native}")
        if y.shape[:1] != arguments[0].shape[:1]:
            raise BadOutputError(f"returned shape {y.shape} for logits {arguments[0].shape}")
        return y.astype(np.float64)
