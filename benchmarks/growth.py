"""What a sweep costs, and how much memory it takes, as vectors get longer and cases more.

Against n: one formula in one dtype at a fixed number of logits, as whole processes; beside them the
truth alone. Against the number of cases: 80 logits in each. All on one core; a peak of memory is
that of the whole process, Python and libraries included.

    python -m benchmarks.growth --rounds 3 --n 2 1024 1048576 --cases 10 1000
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.engines import by_fpstudy
from benchmarks.machine import Child, one_core, run_child
from benchmarks.options import Result, carry_out, parser, positive
from benchmarks.studies import (
    CASES_OF_A_MAGNITUDE,
    command,
    figures_drawn,
    many_cases,
    one_case,
)
from benchmarks.tables import table
from benchmarks.turns import Contender, spread, take_turns
from fpstudy.environment.threads import one_thread

LENGTHS = [2, 8, 64, 1024, 2**14, 2**17, 2**20]
CASES = [10, 100, 1000, 10_000]
MAGNITUDE = 10.0


def measure(options: argparse.Namespace) -> Result:
    """Rounds over all lengths, and over all numbers of cases."""
    with one_core(), one_thread(), tempfile.TemporaryDirectory() as folder:
        lengths = _against_n(options, Path(folder))
        cases = _against_cases(options, Path(folder))
    return {
        "rounds": options.rounds,
        "lengths": lengths,
        "cases": cases,
        "figures_drawn": figures_drawn(),
    }


def _against_n(options: argparse.Namespace, folder: Path) -> list[Result]:
    sizes = {n: max(1, options.logits // n) for n in options.n}
    logits = {
        n: MAGNITUDE * np.random.default_rng(n).standard_normal((rows, n))
        for n, rows in sizes.items()
    }
    truth = take_turns(
        [Contender(str(n), lambda x=x: by_fpstudy(x), x.size) for n, x in logits.items()],
        options.rounds,
    )
    del logits
    studies = {str(n): one_case(n, rows) for n, rows in sizes.items()}
    runs = _whole_runs(studies, options.rounds, folder)
    return [
        {"n": n, "logits": n * sizes[n], "truth": truth[str(n)], **runs[str(n)]} for n in options.n
    ]


def _against_cases(options: argparse.Namespace, folder: Path) -> list[Result]:
    magnitudes = {count: max(2, count // CASES_OF_A_MAGNITUDE) for count in options.cases}
    studies = {str(count): many_cases(number) for count, number in magnitudes.items()}
    runs = _whole_runs(studies, options.rounds, folder)
    return [
        {"cases": magnitudes[count] * CASES_OF_A_MAGNITUDE, **runs[str(count)]}
        for count in options.cases
    ]


def _whole_runs(studies: dict[str, str], rounds: int, folder: Path) -> dict[str, Result]:
    """Seconds and peak bytes of the studies as processes of their own, which take turns."""
    ended: dict[str, list[Child]] = {name: [] for name in studies}

    def run(name: str) -> None:
        path = folder / "study.toml"
        path.write_text(studies[name], encoding="utf-8")
        ended[name].append(run_child(command(path, folder / "out", 1)))

    contenders = [Contender(name, lambda name=name: run(name)) for name in studies]
    take_turns(contenders, rounds, warm=False)
    return {
        name: {"seconds": [c.seconds for c in children], "peak": [c.peak for c in children]}
        for name, children in ended.items()
    }


def show(result: Result) -> str:
    """Two tables: against n, and against the number of cases."""
    lengths = [
        [
            f"{one['n']:,}", f"{one['logits']:,}", spread([1e9 * t for t in one["truth"]]),
            spread(one["seconds"]),
            spread([1e9 * t / one["logits"] for t in one["seconds"]]), _megabytes(one["peak"]),
        ]
        for one in result["lengths"]
    ]  # fmt: skip
    cases = [
        [
            f"{one['cases']:,}", spread(one["seconds"]),
            spread([1e3 * t / one["cases"] for t in one["seconds"]]), _megabytes(one["peak"]),
        ]
        for one in result["cases"]
    ]  # fmt: skip
    figures = ", figures drawn" * bool(result["figures_drawn"])
    against_n = table(
        ["n", "logits", "truth, ns a logit", "whole process, s", "ns a logit", "peak, MB"], lengths
    )
    against_cases = table(["cases", "whole process, s", "ms a case", "peak, MB"], cases)
    return (
        f"Against n, one case; rounds: {result['rounds']}{figures}. The truth is that of"
        f" log-sum-exp and softmax, the run's that of softmax.\n\n{against_n}\n\n"
        f"Against the number of cases, 80 logits in each.\n\n{against_cases}"
    )


def _megabytes(peaks: list[int]) -> str:
    return spread([peak / 1e6 for peak in peaks])


def goals(result: Result) -> list:
    """None: nothing was promised."""
    return []


def command_line() -> argparse.ArgumentParser:
    """The options."""
    found = parser(__doc__, rounds=3)
    found.add_argument("--n", type=positive, nargs="+", default=LENGTHS, help="lengths")
    found.add_argument("--logits", type=positive, default=2**20, help="logits of each length")
    found.add_argument("--cases", type=positive, nargs="+", default=CASES, help="numbers of cases")
    return found


if __name__ == "__main__":
    carry_out(command_line().parse_args(), measure, show)
