"""JAX's arithmetic: the formula texts through jax.numpy, as XLA carries it out on a CPU or a GPU.

Variants: "" runs each operation by itself, "jit" the whole text through jax.jit, which may fuse
operations; ":cuda" behind either takes a GPU. On a CPU XLA takes subnormal numbers for 0, operands
and results alike; float16 and float8, computed in wider types, keep theirs.

Source: https://docs.jax.dev.
"""

from contextlib import nullcontext
from functools import lru_cache, partial
from typing import Any

import numpy as np

from fpstudy.arithmetic import framework, jax_functions
from fpstudy.arithmetic.framework import Native
from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.arithmetic.outputs import BadOutputError, demand_rows, type_of
from fpstudy.formats import Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import Formula
from fpstudy.problems.cross_entropy import batch_loss
from fpstudy.problems.problem import Text

LIBRARY = jax_functions.LIBRARY
FORMATS = tuple(DTYPES)  # XLA computes float8 in a wider type and rounds each result


def refusal(f: Format, accumulation: str, variant: str = "") -> str | None:
    """Why jax cannot carry out the format, accumulation or variant here; None where it can."""
    _, device = _split(variant)
    reason = framework.refusal("jax", ("jax",), FORMATS, f, accumulation)
    return reason or _no_device(device)


def evaluate(
    formula: Formula, inputs: Inputs, f: Format, accumulation: str = "native", variant: str = ""
) -> Floats:
    """The formula's results as float64, one row for each sample.

    Raises BadOutputError for a wrong shape or dtype, and whatever the formula raises.
    """
    import jax
    import jax.numpy as xp

    jitted, device = _split(variant)
    text = _jit(formula.text) if jitted else partial(formula.text, xp)
    wide = jax.enable_x64(True) if f.name == "float64" else nullcontext()
    with wide, jax.default_device(jax.devices(device)[0]):
        call = partial(formula.around, text)
        return framework.in_blocks(partial(_block, call, DTYPES[f.name]), inputs, f)


def _split(variant: str) -> tuple[bool, str]:
    """Whether to compile, and the device: "jit:cuda" is (True, "cuda")."""
    mode, _, device = variant.partition(":")
    if mode not in ("", "jit") or device not in ("", "cuda"):
        raise ValueError(f"jax has no variant {variant!r}; known: jit, :cuda, jit:cuda")
    return mode == "jit", device or "cpu"


def _block(text: Text, native: np.dtype[Any], inputs: Inputs) -> Native:
    import jax
    import jax.numpy as xp

    arguments = [xp.asarray(part.astype(native)) for part in inputs.arrays]
    parameters = {
        name: xp.asarray(np.asarray(value, native)) for name, value in inputs.parameters.items()
    }
    y = text(*arguments, **parameters)
    if not isinstance(y, jax.Array):
        raise BadOutputError(f"returned {type_of(y)}, not an array of jax")
    demand_rows(y.shape, inputs)
    if inputs.counted is not None:
        y = batch_loss(xp, y, xp.asarray(inputs.counted), inputs.reduction)
    return np.asarray(y)


@lru_cache(maxsize=256)  # a text is traced once for each shape
def _jit(text: Text) -> Text:
    import jax
    import jax.numpy as xp

    jitted: Text = jax.jit(partial(text, xp))
    return jitted


def _no_device(device: str) -> str | None:
    import jax

    try:
        jax.devices(device)
    except RuntimeError:  # its many lines list the backends there are
        return "jax finds no CUDA device" if device == "cuda" else f"jax finds no {device}"
    return None
