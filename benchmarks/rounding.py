"""What it costs to round every operation: fpstudy's + - * / beside NumPy's own in float32.

    python benchmarks/rounding.py [--rounds 15] [--size 1000000]

Native and rounded operations take turns, so that whatever else the machine does falls on both; a
row gives the medians over the rounds, their ratio and the smallest and largest ratio of one round.
The goal is a ratio of at most 30 on 10**6 numbers. The functions are compared with NumPy's in
float32 too; there is no goal for those.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from fpstudy.arithmetic.correct_rounding import add, divide, multiply, subtract
from fpstudy.arithmetic.transcendental import exp, log
from fpstudy.formats import FORMATS, Format

GOAL = 30
OPERATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "+": (add, np.add),
    "-": (subtract, np.subtract),
    "*": (multiply, np.multiply),
    "/": (divide, np.divide),
}
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "exp": (exp, np.exp),
    "log": (log, np.log),
}


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(rounded: Callable[[], object], native: Callable[[], object], rounds: int) -> str:
    """Medians in milliseconds, and ratios, of turns taken."""
    rounded(), native()  # once for the caches
    turns = [(seconds(rounded), seconds(native)) for _ in range(rounds)]
    ours, theirs = (median(part) * 1e3 for part in zip(*turns, strict=True))
    ratios = [a / b for a, b in turns]
    return (
        f"{ours:8.2f} {theirs:8.2f} {ours / theirs:7.1f}   {min(ratios):.1f} .. {max(ratios):.1f}"
    )


def main() -> None:
    """Print a row for each format and operation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--size", type=int, default=10**6)
    options = parser.parse_args()
    np.seterr(all="ignore")
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(options.size).astype(np.float32) for _ in range(2))
    print(f"{options.size} numbers, NumPy {np.__version__}; goal for + - * /: {GOAL}")
    print(f"{'format':14} {'':4} {'ms':>8} {'float32':>8} {'ratio':>7}   of one round")
    for f in (*FORMATS.values(), Format("tf32", precision=11, emax=127, emin=-126)):
        x, y = f.round(a), f.round(b)
        y = np.where(y == 0, f.least_normal, y)
        for sign, (operation, native) in OPERATIONS.items():
            row = compare(
                lambda: operation(f, x, y),  # noqa: B023
                lambda: native(a, b),  # noqa: B023
                options.rounds,
            )
            print(f"{f.name:14} {sign:4} {row}")
        if f.precision < 53:
            for name, (function, own) in FUNCTIONS.items():
                row = compare(
                    lambda: function(f, np.abs(x)),  # noqa: B023
                    lambda: own(np.abs(a)),  # noqa: B023
                    min(5, options.rounds),
                )
                print(f"{f.name:14} {name:4} {row}")


if __name__ == "__main__":
    main()
