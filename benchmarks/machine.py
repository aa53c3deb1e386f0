"""The machine of a benchmark: one core to measure on, a child process, and what to call it all."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fpstudy.environment import environment

# Starts a program and tells its time and memory. A process of its own, because the peak of a child
# counts what its parent held when it was started, and this one holds next to nothing.
_LAUNCHER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"code": done.returncode, "seconds": seconds, "peak": peak}))
"""
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of one unit of ru_maxrss


@dataclass(frozen=True)
class Child:
    """A process that has ended well: wall-clock seconds, and the peak of its memory in bytes.

    Of a process with workers the peak is that of the largest of them.
    """

    seconds: float
    peak: int


class ChildError(Exception):
    """A process that was to be measured has failed."""


@contextmanager
def one_core() -> Iterator[None]:
    """The process, and those that it starts, on one core; afterwards as before.

    Where the system cannot do that, on whichever it likes.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_child(arguments: Sequence[str]) -> Child:
    """Run Python with the arguments to its end; raises ChildError where it fails."""
    launcher = [sys.executable, "-S", "-c", _LAUNCHER]
    done = subprocess.run(
        [*launcher, sys.executable, *arguments], capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout or '{"code": 1, "seconds": 0, "peak": 0}')
    if told["code"] != 0:
        raise ChildError(f"python {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
    return Child(told["seconds"], told["peak"] * PEAK_UNIT)


def described() -> dict[str, str]:
    """What the times depend on; no host, no path."""
    where = environment()
    kernels = where["simd"]["numpy"]["kernels"].values()
    versions = {name: number for name, number in where["versions"].items() if name != "python"}
    return {
        "processor": f"{where['cpu']['model']} ({where['cpu']['machine']})",
        "cores": str(cores()),
        "SIMD of NumPy": " ".join(where["simd"]["numpy"]["enabled"]),
        "NumPy's exp and log run as": ", ".join(sorted(set(kernels))),
        "system": f"{platform.system()}, {where['libm']}",
        "Python": where["versions"]["python"],
        "packages": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "commit": where["commit"],
        "environment": where["environment"],
    }
