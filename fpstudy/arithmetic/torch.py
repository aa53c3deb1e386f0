"""PyTorch's kernels: the formula texts through array_api_compat.torch, on a CPU or a GPU.

Variants: "" runs each operation by itself, "compile" the whole text through torch.compile, which
fuses operations and may keep float32 between them; ":cuda" behind either takes a GPU.

Source: https://pytorch.org; https://data-apis.org/array-api-compat.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from typing import Any

import numpy as np

from fpstudy.arithmetic import framework, torch_functions
from fpstudy.arithmetic.framework import Native
from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.arithmetic.outputs import BadOutputError, demand_rows, type_of
from fpstudy.formats import Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import Formula
from fpstudy.problems.cross_entropy import batch_loss
from fpstudy.problems.problem import Text

FORMATS = ("float16", "bfloat16", "float32", "float64")  # in float8 torch stores, but never adds
LIBRARY = torch_functions.LIBRARY
# torch.compile keeps so many shapes and dtypes of one text (config.recompile_limit).
COMPILED_AT_ONCE = 8

Tensor = Any
_compiled: dict[Any, set[tuple[Any, ...]]] = {}  # by code: what of it has been compiled


def refusal(f: Format, accumulation: str, variant: str = "") -> str | None:
    """Why torch cannot carry out the format, accumulation or variant here; None where it can."""
    compiled, device = _split(variant)
    reason = framework.refusal(
        "torch", ("torch", "array_api_compat.torch"), FORMATS, f, accumulation
    )
    return reason or _no_device(device) or (_no_compiler(device) if compiled else None)


def evaluate(
    formula: Formula, inputs: Inputs, f: Format, accumulation: str = "native", variant: str = ""
) -> Floats:
    """The formula's results as float64, one row for each sample.

    Raises BadOutputError for a wrong shape or dtype, and whatever the formula raises. A text that
    torch.compile cannot take as a whole raises: part of it would run in the other kernels.
    """
    import torch

    compiled, device = _split(variant)
    quiet = _compiler_warnings_ignored() if compiled else nullcontext()
    with torch.no_grad(), torch.device(device), quiet:
        return framework.in_blocks(partial(_block, formula, f, compiled, device), inputs, f)


def _split(variant: str) -> tuple[bool, str]:
    """Whether to compile, and the device: "compile:cuda" is (True, "cuda")."""
    mode, _, device = variant.partition(":")
    if mode not in ("", "compile") or device not in ("", "cuda"):
        raise ValueError(f"torch has no variant {variant!r}; known: compile, :cuda, compile:cuda")
    return mode == "compile", device or "cpu"


def _block(formula: Formula, f: Format, compiled: bool, device: str, inputs: Inputs) -> Native:
    import array_api_compat.torch as xp
    import torch

    arguments = [tensor(part, f, device) for part in inputs.arrays]
    parameters = {
        name: tensor(np.asarray(value), f, device) for name, value in inputs.parameters.items()
    }
    text = formula.text
    if compiled:
        text = _compile(text, (text, inputs.x.shape, *parameters, f.name, device))
    y = formula.around(text, xp, *arguments, **parameters)
    if not isinstance(y, torch.Tensor):
        raise BadOutputError(f"returned {type_of(y)}, not a tensor")
    demand_rows(tuple(y.shape), inputs)
    if inputs.counted is not None:
        counted = torch.from_numpy(np.ascontiguousarray(inputs.counted)).to(device)
        y = batch_loss(xp, y, counted, inputs.reduction)
    if str(y.dtype) != f"torch.{f.name}":
        raise BadOutputError(f"returned {y.dtype}, not torch.{f.name}")
    return numbers(y, f)


def tensor(x: Floats, f: Format, device: str) -> Tensor:
    """The float64 values x of a format as torch's own type, their bits handed over unrounded."""
    import torch

    bits = np.array(x, DTYPES[f.name], order="C").view(_bits(f))
    return torch.from_numpy(bits).view(getattr(torch, f.name)).to(device)


def numbers(y: Tensor, f: Format) -> Native:
    """A tensor's bits as NumPy's or ml_dtypes' type of the format."""
    import torch

    bits = y.detach().cpu().contiguous().view(getattr(torch, _bits(f)))
    native: Native = bits.numpy().view(DTYPES[f.name])
    return native


def _bits(f: Format) -> str:
    """The integer type as wide as the format, which torch and NumPy call alike."""
    return f"int{8 * DTYPES[f.name].itemsize}"


def _compile(text: Text, signature: tuple[Any, ...]) -> Text:
    """The text compiled as a whole and for its exact shapes, so that no earlier call matters.

    All that is compiled is forgotten before one code exceeds torch's limit: beyond it torch would
    compile it no more. Closures of one function share its code, and all that is no function (a
    formula with options chosen is a partial) the code of torch's own wrapper.
    """
    import torch

    code = getattr(text, "__code__", None)
    if len(_compiled.get(code, set()) | {signature}) > COMPILED_AT_ONCE:
        torch.compiler.reset()
        _compiled.clear()
    _compiled.setdefault(code, set()).add(signature)
    whole: Text = torch.compile(text, fullgraph=True, dynamic=False)
    return whole


def _no_device(device: str) -> str | None:
    import torch

    missing = device == "cuda" and not torch.cuda.is_available()
    return "torch finds no CUDA device" if missing else None


@cache
def _no_compiler(device: str) -> str | None:
    """Why torch.compile does not work here, tried once: it needs a C++ compiler, or Triton."""
    import torch

    try:
        with _compiler_warnings_ignored():
            torch.compile(_successor, fullgraph=True)(torch.zeros(2, device=device))
    except Exception as error:  # of the many types, those of torch._dynamo are not public
        return f"torch.compile does not work here: {framework.first_line(error)}"
    return None


def _successor(x: Tensor) -> Tensor:
    return x + 1


@contextmanager
def _compiler_warnings_ignored() -> Iterator[None]:
    """Torch's compiler, when first used, imports parts of torch that torch itself deprecates."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"torch\.")
        yield
