"""State of the process that computing depends on, and that anybody's code can change.

Each is read and put back by name; a library is looked at where it is loaded, and never loaded for
it. The names of Python itself are the canary's, which needs them. Not watched, as it is no one
setting, or nothing here depends on it: what code replaces in any module but NumPy or leaves running
in a thread, random generators (fpstudy has its own), how NumPy and torch print, torch's default
device and jax's (an arithmetic names its own), signal handlers, sys.path and sys.stdout, and the
settings of a library that was first loaded meanwhile. Open files are a worker's (execution/).
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
    by_imports: whether a module that is imported may well change them
    """

    name: str
    read: Callable[[], Values]
    put_back: Callable[[Values], None]
    by_imports: bool = False


# --- NumPy, Python and the C library --------------------------------------------------------------


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


def _digits() -> Values:
    return {"of an integer": sys.get_int_max_str_digits()}


def _put_back_digits(values: Values) -> None:
    sys.set_int_max_str_digits(values["of an integer"])


def _folder() -> Values:
    with suppress(OSError):  # it may have been removed
        return {"folder": os.getcwd()}
    return {}


def _put_back_folder(values: Values) -> None:
    if values:
        os.chdir(values["folder"])


_LIMITS = ("RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_AS", "RLIMIT_STACK", "RLIMIT_CPU")


def limits() -> Values:
    """What the system lets this process take, where it tells; but for its data, which varies."""
    try:
        import resource
    except ImportError:  # not of Windows
        return {}
    numbers = {name: getattr(resource, name) for name in _LIMITS if hasattr(resource, name)}
    return {name: resource.getrlimit(number) for name, number in numbers.items()}


def _put_back_limits(values: Values) -> None:
    import resource

    for name, value in values.items():
        resource.setrlimit(getattr(resource, name), value)


def _numpy_names() -> Values:
    return vars(np).copy()


def _put_back_numpy_names(values: Values) -> None:
    vars(np).update(values)


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

# Where torch.backends has a precision of float32, from torch 2.9 on; these are looked up in what is
# behind it, as its own doors take 2 microseconds.
_OF_TORCH = {
    "backends": ("generic", "all"),
    "cuda.matmul": ("cuda", "matmul"),
    "mkldnn.matmul": ("mkldnn", "matmul"),
}


def _torch() -> Values:
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    found = {
        "default dtype": str(torch.get_default_dtype()),
        "gradients": torch.is_grad_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
    }
    with suppress(RuntimeError):  # backends differ: then the precisions below tell
        found["float32 in products"] = torch.get_float32_matmul_precision()
    if (precision := getattr(torch._C, "_get_fp32_precision_getter", None)) is not None:
        found |= {name: precision(*of) for name, of in _OF_TORCH.items()}
    return found


def _put_back_torch(values: Values) -> None:
    torch = sys.modules["torch"]
    torch.set_default_dtype(getattr(torch, values["default dtype"].removeprefix("torch.")))
    torch.set_grad_enabled(values["gradients"])
    torch.use_deterministic_algorithms(values["deterministic algorithms"])
    if "float32 in products" in values:  # first: it sets those of the backends too
        torch.set_float32_matmul_precision(values["float32 in products"])
    for name in _OF_TORCH.keys() & values.keys():
        torch._C._set_fp32_precision_setter(*_OF_TORCH[name], values[name])


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


# --- all of them ----------------------------------------------------------------------------------

STATES = (
    State("how NumPy treats what overflows", _numpy_errors, _put_back_numpy_errors),
    State("the filters of warnings", _warnings, _put_back_warnings, by_imports=True),
    State("the locale", _locale, _put_back_locale),
    State("the precision of a library", _precisions, _put_back_precisions),
    State("how many threads compute", threads.limits, threads.put_back),
    State("the context of the module decimal", _decimal, _put_back_decimal),
    State("how many digits Python reads", _digits, _put_back_digits),
    State("the working directory", _folder, _put_back_folder),
    State("limits of the process", limits, _put_back_limits),
    State("functions of NumPy", _numpy_names, _put_back_numpy_names, by_imports=True),
    State("environment variables", _variables, _put_back_variables),
    State("settings of torch", _torch, _put_back_torch),
    State("settings of jax", _jax, _put_back_jax),
)
