"""The processor, and which of its vector instructions NumPy and torch use."""

import platform
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from fpstudy.environment.uses import torch


def described() -> dict[str, Any]:
    """Model, architecture and the features that NumPy found and was not told to leave alone."""
    return {
        "model": _model(),
        "machine": platform.machine(),
        "features": sorted(name for name, found in _numpy("__cpu_features__", {}).items() if found),
    }


def simd(uses: Collection[str] = ()) -> dict[str, Any]:
    """Vector instructions in use.

    numpy.enabled: the baseline that its wheel is built for, and above it what its kernels may
                   dispatch to here; NPY_DISABLE_CPU_FEATURES takes from it
    numpy.kernels: what the elementary functions did dispatch to, as {"float32 exp": "X86_V4"}
    torch:         its CPU capability, where torch is used
    """
    found = _numpy("__cpu_features__", {})
    baseline = list(_numpy("__cpu_baseline__", []))
    above = [name for name in _numpy("__cpu_dispatch__", []) if found.get(name)]
    use: dict[str, Any] = {"numpy": {"enabled": [*baseline, *above], "kernels": _dispatched()}}
    if (framework := torch(uses)) is not None:
        use["torch"] = framework.backends.cpu.get_cpu_capability()
    return use


def _dispatched() -> dict[str, str]:
    """The dispatch target of NumPy's elementary functions, by dtype."""
    introspect = import_module("numpy.lib.introspect")
    targets = introspect.opt_func_info(func_name="^(exp|expm1|log|log1p)$")
    return {
        f"{np.dtype(code)} {function}": target["current"]
        for code in "efd"
        for function, loops in sorted(targets.items())
        for signature, target in loops.items()
        if signature == 2 * code
    }


def _numpy(name: str, default: Any) -> Any:
    """What numpy.show_config() prints, from where it has it."""
    try:
        return getattr(import_module("numpy._core._multiarray_umath"), name, default)
    except ImportError:
        return default


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
