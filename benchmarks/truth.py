"""Truth engines side by side: log-sum-exp and softmax of every row, to at least 80 bits.

(a) mpmath at 50 digits, (b) python-flint's Arb at 128 bits, each in a plain loop as a notebook has
it, and fpstudy's certified truth take turns on one core; what is compared is the time for each
logit. fpstudy works in batches, so it gets all --logits of them; the slow loops get a part of the
same rows, as the table says. Before anything is timed, all three must agree on the rows that all
three do.

    python -m benchmarks.truth --rounds 7 --n 8 64
"""

import argparse

import numpy as np

from benchmarks.engines import by_arb, by_fpstudy, by_mpmath, disagreements, undecided
from benchmarks.goals import Figure, Goal
from benchmarks.machine import one_core
from benchmarks.options import Result, carry_out, parser, positive
from benchmarks.tables import table
from benchmarks.turns import Contender, ratios, spread, take_turns
from fpstudy.environment.threads import one_thread

MPMATH_SHARE, ARB_SHARE = 16, 2  # mpmath gets a 16th of the logits, Arb half
MAGNITUDE, WIDE = 10.0, 1e4
SMALL_N = 8  # up to here a batch of short vectors
GOALS = {  # (against, n is small): the goal
    ("mpmath", False): Goal(150, 300),
    ("mpmath", True): Goal(100, 200),
    ("python-flint", False): Goal(12, 20),
    ("python-flint", True): Goal(8, 12),
}


class DisagreementError(Exception):
    """The engines do not give the same values: their times mean nothing."""


def measure(options: argparse.Namespace) -> Result:
    """Rounds of all settings: each n at magnitude 10, and the longest also at magnitude 1e4."""
    settings = [(n, MAGNITUDE) for n in options.n] + [(max(options.n), WIDE)]
    with one_core(), one_thread():
        found = [_one(n, magnitude, options) for n, magnitude in settings]
    return {"settings": found, "rounds": options.rounds}


def _one(n: int, magnitude: float, options: argparse.Namespace) -> Result:
    rows = max(1, options.logits // n)
    x = magnitude * np.random.default_rng(n).standard_normal((rows, n))
    parts = {
        "mpmath": x[: max(1, rows // MPMATH_SHARE)],
        "python-flint": x[: max(1, rows // ARB_SHARE)],
        "fpstudy": x,
    }
    truths = by_fpstudy(x)
    if found := disagreements(parts["mpmath"], truths):
        raise DisagreementError(f"{len(found)} values differ, the first: {found[0]}")
    works = {"mpmath": by_mpmath, "python-flint": by_arb, "fpstudy": by_fpstudy}
    contenders = [
        Contender(name, lambda name=name: works[name](parts[name]), parts[name].size)
        for name in works
    ]
    return {
        "n": n,
        "magnitude": magnitude,
        "logits": {name: part.size for name, part in parts.items()},
        "undecided": undecided(truths),
        "seconds": take_turns(contenders, options.rounds),
    }


def show(result: Result) -> str:
    """A row for each setting: time for each logit, and the ratios of the same round."""
    rows = []
    for one in result["settings"]:
        times = [f"{spread([1e9 * t for t in one['seconds'][name]])}" for name in one["seconds"]]
        versus = [spread(ratios(one["seconds"][name], one["seconds"]["fpstudy"]))
                  for name in ("mpmath", "python-flint")]  # fmt: skip
        sizes = " / ".join(f"{size:,}" for size in one["logits"].values())
        rows.append([one["n"], f"{one['magnitude']:g}", sizes, *times, *versus, one["undecided"]])
    header = [
        "n", "magnitude", "logits of a round: (a) / (b) / fpstudy", "(a) mpmath, ns",
        "(b) python-flint, ns", "fpstudy, ns", "(a) / fpstudy", "(b) / fpstudy", "undecided",
    ]  # fmt: skip
    return (
        "Nanoseconds for each logit, its softmax component and its share of the log-sum-exp;"
        f" interleaved rounds: {result['rounds']}.\n\n{table(header, rows)}"
    )


def goals(result: Result) -> list[Figure]:
    """The ratios with their goals; the wide range has those of its n."""
    found = []
    for (against, small), goal in GOALS.items():
        for one in result["settings"]:
            if (one["n"] <= SMALL_N) == small:
                values = ratios(one["seconds"][against], one["seconds"]["fpstudy"])
                wide = ", wide range" if one["magnitude"] == WIDE else ""
                found.append(Figure(f"truth against {against}, n = {one['n']}{wide}", values, goal))
    return found


def command_line() -> argparse.ArgumentParser:
    """The options."""
    found = parser(__doc__)
    found.add_argument(
        "--n", type=positive, nargs="+", default=[2, 8, 64, 1000], help="lengths of the vectors"
    )
    found.add_argument(
        "--logits", type=positive, default=2**17,
        help="logits that fpstudy gets in each round; default 131072",
    )  # fmt: skip
    return found


if __name__ == "__main__":
    carry_out(command_line().parse_args(), measure, show)
