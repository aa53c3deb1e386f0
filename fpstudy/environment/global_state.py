"""State of the process that computing depends on, and that anybody's code can change.

Each is read and put back by name; a library is looked at where it is loaded, and never loaded for
it. Not watched, as it is no one setting, or nothing here depends on it: what code replaces in
another module or leaves running in a thread, random generators (fpstudy has its own), how NumPy and
torch print, torch's default device and jax's (an arithmetic names its own), signal handlers, open
files, sys.path and sys.stdout, and the settings of a library that was first loaded meanwhile.
"""

import decimal
import locale
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpstudy.environment import threads
from fpstudy.environment.libraries import SETTINGS

Values = dict[str, Any]


@dataclass(frozen=True)
class State:
    """Settings that belong together.

    name:     what they are, as the end of "changed ..."
    read:     their values by name; those that are not there now are left out
    put_back: gives them values that `read` gave
    """

    name: str
    read: Callable[[], Values]
    put_back: Callable[[Values], None]


# --- NumPy, Python's warnings: what an arithmetic sets for itself while a formula runs -----------


def _numpy_errors() -> Values:
    return {**np.geterr(), "call": np.geterrcall(), "buffer": np.getbufsize()}


def _put_back_numpy_errors(values: Values) -> None:
    np.seterr(**{name: values[name] for name in ("divide", "over", "under", "invalid")})
    np.seterrcall(values["call"])
    np.setbufsize(values["buffer"])


def _filters() -> list[Any]:
    """The list of filters in force: from Python 3.14 on a context may have its own."""
    in_force = getattr(warnings, "_get_filters", None)
    found: list[Any] = warnings.filters if in_force is None else in_force()  # type: ignore[assignment]
    return found


def _warnings() -> Values:
    return {"filters": tuple(_filters()), "showwarning": warnings.showwarning}


def _put_back_warnings(values: Values) -> None:
    _filters()[:] = values["filters"]
    warnings.showwarning = values["showwarning"]
    with warnings.catch_warnings():  # entering it makes Python forget what it decided by the others
        pass


# --- Python and the C library --------------------------------------------------------------------


def _locale() -> Values:
    numbers, everything = locale.LC_NUMERIC, locale.LC_ALL
    return {"LC_NUMERIC": locale.setlocale(numbers), "all": locale.setlocale(everything)}


def _put_back_locale(values: Values) -> None:
    locale.setlocale(locale.LC_ALL, values["all"])


_OF_DECIMAL = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")  # its flags change always


def _decimal() -> Values:
    context = decimal.getcontext()
    values = {name: getattr(context, name) for name in _OF_DECIMAL}
    return {**values, "traps": context.traps.copy()}


def _put_back_decimal(values: Values) -> None:
    context = decimal.getcontext()
    for name, value in values.items():
        setattr(context, name, value)


def _python() -> Values:
    return {
        "recursion limit": sys.getrecursionlimit(),
        "digits of an integer": sys.get_int_max_str_digits(),
    }


def _put_back_python(values: Values) -> None:
    sys.setrecursionlimit(values["recursion limit"])
    sys.set_int_max_str_digits(values["digits of an integer"])


def _folder() -> Values:
    with suppress(OSError):  # it may have been removed
        return {"folder": os.getcwd()}
    return {}


def _put_back_folder(values: Values) -> None:
    if values:
        os.chdir(values["folder"])


# Those that a library reads when it is loaded or first computes, in this process or a new one.
_VARIABLES = (
    *(name for names in SETTINGS.values() for name in names),
    *(f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB")),
    threads.XLA_THREADS, "JAX_PLATFORMS", "CUDA_VISIBLE_DEVICES", "LC_ALL", "LC_NUMERIC", "LANG",
)  # fmt: skip
_KEYS = {name: os.environ.encodekey(name) for name in _VARIABLES}
# What is behind os.environ; through its own door one look at all of them takes 15 microseconds.
_ENVIRON = getattr(os.environ, "_data", {})


def _variables() -> Values:
    return {name: _ENVIRON.get(key) for name, key in _KEYS.items()}


def _put_back_variables(values: Values) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = os.environ.decodevalue(value)


# --- libraries of high precision -----------------------------------------------------------------


def _precisions() -> Values:
    found = {}
    if (mpmath := sys.modules.get("mpmath")) is not None:
        mp, iv = mpmath.mp, mpmath.iv
        found = {"mp.prec": mp.prec, "iv.prec": iv.prec, "mp.trap_complex": mp.trap_complex}
    if (flint := sys.modules.get("flint")) is not None:
        found |= {"flint.ctx.prec": flint.ctx.prec, "flint.ctx.threads": flint.ctx.threads}
    return found


def _put_back_precisions(values: Values) -> None:
    for name, value in values.items():
        module = sys.modules["flint" if name.startswith("flint") else "mpmath"]
        *path, last = name.removeprefix("flint.").split(".")
        setattr(getattr(module, path[0]), last, value)


# --- frameworks ----------------------------------------------------------------------------------

_TORCH_PRECISIONS = ("", "cuda.matmul", "mkldnn.matmul")  # of torch.backends, from torch 2.9 on


def _torch() -> Values:
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    found = {
        "default dtype": str(torch.get_default_dtype()),
        "gradients": torch.is_grad_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
    }
    with suppress(RuntimeError):  # set by backend: then the names below tell more
        found["float32 in products"] = torch.get_float32_matmul_precision()
    for name in _TORCH_PRECISIONS:
        value = getattr(_backend(torch, name), "fp32_precision", None)
        if value is not None:
            found[f"float32 in {name or 'all backends'}"] = value
    return found


def _backend(torch: Any, name: str) -> Any:
    found = torch.backends
    for part in filter(None, name.split(".")):
        found = getattr(found, part, None)
    return found


def _put_back_torch(values: Values) -> None:
    torch = sys.modules["torch"]
    torch.set_default_dtype(getattr(torch, values["default dtype"].removeprefix("torch.")))
    torch.set_grad_enabled(values["gradients"])
    torch.use_deterministic_algorithms(values["deterministic algorithms"])
    if "float32 in products" in values:  # it sets the backends too, which have their own value then
        torch.set_float32_matmul_precision(values["float32 in products"])
    for name in _TORCH_PRECISIONS:
        if (value := values.get(f"float32 in {name or 'all backends'}")) is not None:
            _backend(torch, name).fp32_precision = value


_OF_JAX = (
    "jax_enable_x64", "jax_default_matmul_precision", "jax_numpy_dtype_promotion",
    "jax_debug_nans", "jax_debug_infs", "jax_disable_jit",
)  # fmt: skip


def _jax() -> Values:
    config = getattr(sys.modules.get("jax"), "config", None)
    return {} if config is None else {name: getattr(config, name) for name in _OF_JAX}


def _put_back_jax(values: Values) -> None:
    for name, value in values.items():
        sys.modules["jax"].config.update(name, value)


# --- the lists ------------------------------------------------------------------------------------

FILTERS = "the filters of warnings"
# An arithmetic may set these around a formula, and so put back unseen what the formula changed.
AROUND_A_TEXT = (
    State("how NumPy treats what overflows", _numpy_errors, _put_back_numpy_errors),
    State(FILTERS, _warnings, _put_back_warnings),
)
OF_THE_PROCESS = (
    State("the locale", _locale, _put_back_locale),
    State("the context of the module decimal", _decimal, _put_back_decimal),
    State("the limits of Python", _python, _put_back_python),
    State("the working directory", _folder, _put_back_folder),
    State("environment variables", _variables, _put_back_variables),
    State("the precision of a library", _precisions, _put_back_precisions),
    State("how many threads compute", threads.limits, threads.put_back),
    State("settings of torch", _torch, _put_back_torch),
    State("settings of jax", _jax, _put_back_jax),
)
