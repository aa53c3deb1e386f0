"""Every operation correctly rounded to the format: the arithmetic that theorems speak of.

Each +, -, *, /, **, exp, log, log1p and expm1 is the exact result rounded once, to nearest with
ties to even, and so is every addition of a sum, in the order and the width that are asked for; any
`Format` will do that `correct_rounding.unsupported` lets pass. Nothing depends on a processor or a
library: float64's + - * / are the same everywhere, and its functions are checked.
"""

import numpy as np

from fpstudy.arithmetic import correct_rounding, sums
from fpstudy.arithmetic.numpy import BLOCK
from fpstudy.arithmetic.outputs import BadOutputError, demand_rows, type_of
from fpstudy.arithmetic.rounded_arrays import RoundedArray
from fpstudy.arithmetic.rounded_namespace import Namespace
from fpstudy.formats import Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import Formula
from fpstudy.problems.cross_entropy import batch_loss

LIBRARY: dict[str, dict[str, Formula]] = {}  # nobody's library rounds correctly throughout


def refusal(f: Format, accumulation: str, variant: str = "") -> str | None:
    """Why the format or the accumulation cannot be carried out; None where they can.

    ValueError for an accumulation that there is not.
    """
    if variant:
        return f"rounded has no variant {variant!r}"
    if accumulation == "native":
        orders = ", ".join(sums.ACCUMULATIONS)
        return f"rounded has no native sum, only sums in a stated order: {orders}"
    return correct_rounding.unsupported(f) or sums.refusal(f, accumulation)


def evaluate(
    formula: Formula, inputs: Inputs, f: Format, accumulation: str = "sequential", variant: str = ""
) -> Floats:
    """The formula's results as float64, one row for each sample.

    Inputs and parameters that f does not hold are rounded to it. Raises BadOutputError for a wrong
    shape or type, ValueError for what `refusal` refuses, and whatever the formula raises.
    """
    reason = refusal(f, accumulation, variant)
    if reason is not None:
        raise ValueError(reason)
    size = max(1, BLOCK // inputs.x[0].size)
    blocks = [slice(start, start + size) for start in range(0, len(inputs.x), size)]
    xp = Namespace(f, accumulation)
    return np.concatenate([_block(formula, inputs.take(rows), xp) for rows in blocks])


def _block(formula: Formula, inputs: Inputs, xp: Namespace) -> Floats:
    arguments = [xp.asarray(part) for part in inputs.arrays]
    parameters = {name: xp.asarray(value) for name, value in inputs.parameters.items()}
    y = formula.around(formula.text, xp, *arguments, **parameters)
    if not isinstance(y, RoundedArray):
        raise BadOutputError(f"returned {type_of(y)}, not an array in {xp.format.name}")
    if y.dtype != xp.format:
        raise BadOutputError(f"returned {getattr(y.dtype, 'name', y.dtype)}, not {xp.format.name}")
    demand_rows(y.shape, inputs)
    if inputs.counted is not None:
        y = batch_loss(xp, y, inputs.counted, inputs.reduction)
    return np.array(y.values)  # a formula may give the same array again, for the next block
