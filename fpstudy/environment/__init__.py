"""The environment is part of a result: what can change its bits, by name, and an id of it all.

    environment(uses)   versions, processor, SIMD, BLAS, libm, threads, settings, bits
    environment_id(e)   twelve hex digits of everything in e that can change the bits of a result
    differences(a, b)   by name, what of that differs: empty exactly where the ids are equal

`uses` names what carries out the formulas, as a study does ("numpy", "torch.compile:cuda"), and
"scipy" where its functions do; a framework that is not used is neither imported nor part of the id.
"""

import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from fpstudy.environment import fingerprints, floating_point, libraries, processor, threads

# Packages whose kernels give a result its bits; the others read, write and draw.
DECIDING = ("numpy", "ml_dtypes", "scipy", "torch", "array-api-compat", "jax", "jaxlib")


def environment(uses: Collection[str] = ("numpy",)) -> dict[str, Any]:
    """All that a result's bits may depend on, and what else a reader wants to know."""
    with threads.one_thread(uses):
        where: dict[str, Any] = {
            "versions": libraries.versions(uses),
            "cpu": processor.described(),
            "simd": processor.simd(uses),
            "blas": libraries.blas(),
            "libm": libraries.libm(),
            "settings": libraries.settings(uses),
            "gpu": libraries.gpu(uses),
            "compiler": libraries.compiler(uses),
            "threads": threads.counts(uses),
            "floating_point": floating_point.mode(),
            "fingerprints": fingerprints.taken(),
            "platform": platform.platform(),
            "commit": _commit(),
        }
    return {"environment": environment_id(where), **where}


def environment_id(where: Mapping[str, Any]) -> str:
    """Twelve hex digits of a SHA-256 over all that can change bits; equal where nothing differs."""
    text = json.dumps(_identity(where), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """What of all that can change bits differs from environment a to b, as "numpy 2.3 -> 2.4"."""
    if "environment" not in a:
        return ["not recorded which"]
    old, new = _identity(a), _identity(b)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    bits = [name for name in names if name.startswith("bits of ")]
    told = [
        f"{name} {old.get(name, 'none')} -> {new.get(name, 'none')}"
        for name in names
        if name not in bits
    ]
    if bits:
        told.append(f"other bits of {', '.join(name.removeprefix('bits of ') for name in bits)}")
    return told


def _identity(where: Mapping[str, Any]) -> dict[str, str]:
    """All that can change the bits of a result, by name."""
    found = {name: where["versions"].get(name, "") for name in DECIDING}
    found["processor"] = f"{where['cpu']['model']} ({where['cpu']['machine']})"
    found["SIMD of NumPy"] = " ".join(where["simd"]["numpy"]["enabled"])
    found["SIMD of torch"] = where["simd"].get("torch", "")
    found["BLAS"] = " ".join(filter(None, where["blas"].values()))
    found["libm"] = where["libm"]
    found["compiler"] = where["compiler"]
    found["GPU"] = ", ".join(where["gpu"].get("devices", []))
    found["threads of jax"] = where["threads"].get("jax", "")
    found |= where["settings"] | where["gpu"].get("packages", {})
    found |= {f"arithmetic of {name}": how for name, how in where["floating_point"].items()}
    found |= {f"bits of {name}": digest for name, digest in where["fingerprints"].items()}
    return {name: str(value) for name, value in found.items() if value != ""}


def _commit() -> str:
    """The commit of the checkout that fpstudy runs from, marked when it has local changes."""
    folder = Path(__file__).parent.parent

    def git(*arguments: str) -> str:
        run = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10
        )
        return run.stdout.strip() if run.returncode == 0 else ""

    try:
        if not git("ls-files", "--error-unmatch", "--", "__init__.py"):
            return "not a checkout"
        dirty = "+" if git("status", "--porcelain", "--untracked-files=no", "--", ".") else ""
        return git("rev-parse", "--short=12", "HEAD") + dirty
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"


def command_line() -> str:
    r"""The fpstudy command, as a shell takes it, without its path; "" in any other program.

    A byte of a file's name that is no UTF-8 is written as \xff.
    """
    program = Path(sys.argv[0])
    ours = program.parent.name if program.name == "__main__.py" else program.stem
    if ours != "fpstudy":
        return ""
    return os.fsencode(shlex.join(["fpstudy", *sys.argv[1:]])).decode("utf-8", "backslashreplace")
