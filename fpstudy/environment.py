"""The machine and the packages that a result was measured with; they are part of the result."""

import importlib
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import fpstudy

PACKAGES = ("numpy", "ml_dtypes", "mpmath", "python-flint", "pandas", "pyarrow", "matplotlib")


def environment() -> dict[str, Any]:
    """Versions, processor and its SIMD features as NumPy sees them, platform and commit."""
    return {
        "versions": versions(),
        "cpu": {"model": _cpu_model(), "features": _cpu_features()},
        "platform": platform.platform(),
        "commit": _commit(),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of every package that takes part in a result."""
    found = {"python": platform.python_version(), "fpstudy": fpstudy.__version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _cpu_features() -> list[str]:
    """SIMD features that NumPy found and may dispatch to."""
    try:
        umath = importlib.import_module("numpy._core._multiarray_umath")
        features = umath.__cpu_features__  # what numpy.show_config() prints
    except (ImportError, AttributeError):
        return []
    return sorted(name for name, found in features.items() if found)


def _commit() -> str:
    """The commit of the checkout that fpstudy runs from, marked when it has local changes."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        run = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10
        )
        return run.stdout.strip() if run.returncode == 0 else ""

    try:
        if not git("ls-files", "--error-unmatch", "--", "environment.py"):
            return "not a checkout"
        dirty = "+" if git("status", "--porcelain", "--untracked-files=no", "--", ".") else ""
        return git("rev-parse", "--short=12", "HEAD") + dirty
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"


def command_line() -> str:
    """The fpstudy command as typed, without the path of the program."""
    return " ".join(["fpstudy", *sys.argv[1:]])
