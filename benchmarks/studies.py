"""The studies that are measured, and how fpstudy is made to run one without drawing figures."""

import inspect
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import fpstudy
from fpstudy.cases import expand
from fpstudy.study import from_keys

SHIPPED = Path(__file__).resolve().parent.parent / "experiments" / "magnitude_sweep.toml"

_LARGE = """\
schema = 1
name = "large_sweep"
question = "Which formula keeps how many bits in which dtype, up to which magnitude?"

[defaults]
dtype = ["float16", "bfloat16", "float32"]
n = {n}
magnitude = {{ scale = "log10", start = -2, stop = 3, num = {magnitudes} }}
samples = {samples}

[[sweep]]
problem = "softmax"
formula = ["naive", "shifted", "divisionless"]

[[sweep]]
problem = "logsumexp"
formula = ["naive", "shifted", "log1p"]

[[sweep]]
problem = "cross_entropy"
formula = ["naive", "log_of_shifted_softmax", "shifted"]
target = "random"
"""

_ONE_CASE = """\
schema = 1
name = "one_case"
question = "What does one formula cost?"

[[sweep]]
problem = "softmax"
formula = "shifted"
dtype = "float32"
n = {n}
magnitude = 10
samples = {samples}
"""

_MANY_CASES = """\
schema = 1
name = "many_cases"
question = "What does a case cost?"

[[sweep]]
problem = "softmax"
formula = ["naive", "shifted", "reciprocal", "divisionless", "exp_log_softmax"]
dtype = ["bfloat16", "float32"]
n = 10
magnitude = {{ scale = "log10", start = -2, stop = 3, num = {magnitudes} }}
samples = 8
"""
CASES_OF_A_MAGNITUDE = 10

_WIDE = """\
schema = 1
name = "wide_cross_entropy"
question = "Is every truth decided?"

[[sweep]]
problem = "cross_entropy"
formula = "shifted"
dtype = ["float16", "bfloat16", "float32", "float64"]
inputs = "per_dtype"
n = [2, 10, 100, 1000]
magnitude = {{ scale = "log10", start = -3, stop = 4, num = 15 }}
target = ["random", "argmax", "argmin"]
samples = {samples}
"""


def large(n: int, logits: int, magnitudes: int = 11) -> str:
    """Three problems, three formulas of each, three dtypes, on at least so many drawn logits."""
    return _LARGE.format(n=n, magnitudes=magnitudes, samples=-(-logits // (magnitudes * n)))


def drawn_logits(text: str) -> int:
    """How many logits a study draws; each serves all problems, formulas and dtypes."""
    draws = {case.demand.draw for case in expand(from_keys(tomllib.loads(text)))}
    return sum(draw.samples * draw.rows * draw.n for draw in draws)


def one_case(n: int, samples: int) -> str:
    """One formula in one dtype."""
    return _ONE_CASE.format(n=n, samples=samples)


def many_cases(magnitudes: int) -> str:
    """Ten cases for each magnitude, of 8 vectors of 10 logits."""
    return _MANY_CASES.format(magnitudes=magnitudes)


def mixed(n: Sequence[int], magnitudes: int, samples: int) -> dict[str, Any]:
    """Keys of a study with the problems, formulas, dtypes and targets of the shipped one."""
    losses = ["cross_entropy", "cross_entropy_gradient"]
    return {
        "name": "mixed",
        "defaults": {
            "dtype": ["float16", "bfloat16", "float32", "float64"],
            "n": list(n),
            "magnitude": {"scale": "log10", "start": -2, "stop": 3, "num": magnitudes},
            "samples": samples,
        },
        "sweep": [
            {"problem": ["softmax", "log_softmax", "logsumexp"]},
            {"problem": losses, "target": ["random", "argmax"]},
        ],
    }


def wide(samples: int) -> str:
    """Cross-entropy at scales of 1e-3 to 1e4 in all dtypes, each with its own logits."""
    return _WIDE.format(samples=samples)


def without_figures() -> dict[str, Any]:
    """The argument of fpstudy.run that leaves figures out; none where there is no such."""
    return {"figures": False} if "figures" in inspect.signature(fpstudy.run).parameters else {}


def command(study: Path, out: Path, jobs: int | None) -> list[str]:
    """Arguments of Python that run the study anew without figures, where that can be said."""
    chosen = [] if jobs is None else ["--jobs", str(jobs)]
    return [
        "-m", "fpstudy", "run", str(study), "--out", str(out), "--fresh", *chosen, *_no_figures(),
    ]  # fmt: skip


@cache
def _no_figures() -> tuple[str, ...]:
    told = subprocess.run(
        [sys.executable, "-m", "fpstudy", "run", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    return ("--no-figures",) if "--no-figures" in told.stdout else ()


def figures_drawn() -> bool:
    """Whether the runs that are measured draw figures, for want of a way to leave them out."""
    return not without_figures()
