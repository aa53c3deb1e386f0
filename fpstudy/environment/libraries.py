"""Packages, BLAS, libm, GPU libraries, and the settings by which a user steers them."""

import os
import platform
import subprocess
from collections.abc import Collection, Sequence
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

import fpstudy
from fpstudy.environment.uses import on_gpu, packages

PACKAGES = ("numpy", "ml_dtypes", "mpmath", "python-flint", "pandas", "pyarrow", "matplotlib")
OF_USE = {
    "scipy": ("scipy",),
    "torch": ("torch", "array-api-compat"),
    "jax": ("jax", "jaxlib"),
}
# Environment variables that choose kernels.
SETTINGS = {
    "numpy": (
        "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "GLIBC_TUNABLES",
        "OPENBLAS_CORETYPE",
    ),
    "torch": (
        "ATEN_CPU_CAPABILITY", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA",
        "ONEDNN_DEFAULT_FPMATH_MODE", "NVIDIA_TF32_OVERRIDE",
    ),
    "jax": ("XLA_FLAGS", "JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION"),
}  # fmt: skip
GPU_PACKAGES = ("nvidia-", "jax-cuda", "triton")  # beginnings of their names


def versions(uses: Collection[str] = ()) -> dict[str, str]:
    """Versions of Python and of every package that takes part in a result."""
    used = packages(uses)
    optional = [name for package, names in OF_USE.items() if package in used for name in names]
    found = {"python": platform.python_version(), "fpstudy": fpstudy.__version__}
    for name in (*PACKAGES, *optional):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def blas() -> dict[str, str]:
    """NumPy's BLAS: library and version that it was built with, and the kernels it runs here."""
    built = np.show_config(mode="dicts") or {}
    found = built.get("Build Dependencies", {}).get("blas", {})
    loaded = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    # A wheel brings its own in numpy.libs (numpy/.dylibs); else all share the system's.
    own = [pool for pool in loaded if "numpy" in str(Path(pool["filepath"]).parent)] or loaded
    return {
        "library": str(found.get("name", "unknown")),
        "version": str(found.get("version", "")),
        "architecture": str(own[0].get("architecture") or "") if own else "",
    }


def libm() -> str:
    """The C library that log1p and others come from where NumPy has no kernel of its own."""
    name = " ".join(filter(None, platform.libc_ver()))
    mac = platform.mac_ver()[0]
    return name or (f"macOS {mac}" if mac else f"{platform.system()} {platform.release()}")


def settings(uses: Collection[str] = ()) -> dict[str, str]:
    """Environment variables that are set and choose kernels of what is used."""
    used = {"numpy"} | packages(uses)
    names = [name for package, names in SETTINGS.items() if package in used for name in names]
    return {name: os.environ[name] for name in names if name in os.environ}


def gpu(uses: Collection[str] = ()) -> dict[str, list[str] | dict[str, str]]:
    """Devices with their driver, and the packages with their kernels; empty where none is used."""
    if not on_gpu(uses):
        return {}
    query = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    installed = {d.metadata["Name"]: d.version for d in distributions()}
    return {
        "devices": sorted(set(_output(query).splitlines())),
        "packages": {
            name: number
            for name, number in sorted(installed.items())
            if name.startswith(GPU_PACKAGES)
        },
    }


def compiler(uses: Collection[str] = ()) -> str:
    """The C++ compiler that torch.compile calls, "" where it is not used."""
    if not any(name.startswith("torch.compile") for name in uses):
        return ""
    found = _output((os.environ.get("CXX", "g++"), "--version")).splitlines()
    return found[0] if found else "none"


def _output(command: Sequence[str]) -> str:
    """What a program prints; "" where it fails or there is none."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
