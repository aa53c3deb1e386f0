"""Whether advice survives a check on fresh samples, and how long it takes.

Each question is asked on some samples; what is recommended is then tried on four times as many that
no part of the advice has seen: of another seed, or for the classifier's logits the other half of
the rows. It survives if it meets the same limit there without a failure.

    python -m benchmarks.advice --samples 64
"""

import argparse
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import fpstudy
from benchmarks.goals import GOALS_HEADER, Figure, Goal
from benchmarks.options import Result, carry_out, parser, positive
from benchmarks.tables import table
from fpstudy.advice import Advice

PROBLEMS = ("softmax", "log_softmax", "logsumexp", "cross_entropy", "cross_entropy_gradient")
LIMITS = ({"tolerance": 1e-2}, {"tolerance": 1e-3}, {"tolerance": 1e-5}, {"ulp": 2.0})
DIGITS = Path(__file__).parent.parent / "experiments" / "digits_logits.npy"
UNSEEN = 10**6  # added to the seed
CHECKED = 4  # times as many samples
SURVIVES = Goal(0.9, 1.0)

Question = dict[str, Any]


def drawn(options: argparse.Namespace) -> Iterator[tuple[Question, Question]]:
    """Questions on drawn logits, and the same on fresh ones."""
    axes = product(PROBLEMS, options.n, options.magnitude, LIMITS, ("float64", "bfloat16"))
    for problem, n, magnitude, limit, arrives_in in axes:
        question: Question = {
            "problem": problem, "n": n, "magnitude": magnitude, "arrives_in": arrives_in,
            "samples": options.samples, **limit,
        }  # fmt: skip
        yield question, question | {"seed": UNSEEN, "samples": CHECKED * options.samples}


def given() -> Iterator[tuple[Question, Question]]:
    """Questions on a fifth of the rows of a trained classifier's logits, and on the others."""
    rows = np.load(DIGITS, allow_pickle=False).astype(np.float64)
    asked = np.arange(len(rows)) % (1 + CHECKED) == 0
    for problem, limit in product(PROBLEMS, LIMITS):
        question: Question = {"problem": problem, **limit}
        yield question | {"logits": rows[asked]}, question | {"logits": rows[~asked]}


def measure(options: argparse.Namespace) -> Result:
    """Counts of questions by what became of the advice, and the seconds that each took."""
    sources = {"drawn logits": drawn(options), "a classifier's logits": given()}
    return {source: _asked(list(questions)) for source, questions in sources.items()}


def _asked(questions: list[tuple[Question, Question]]) -> Result:
    seconds, found = [], {"questions": len(questions), "advised": 0, "passed over": 0, "failed": []}
    for question, unseen in questions:
        start = time.perf_counter()
        advice = fpstudy.advise(**question)
        seconds.append(time.perf_counter() - start)
        found["passed over"] += bool(advice.passed_over)
        if advice.recommended is not None:
            found["advised"] += 1
            if not survives(advice, unseen):
                told = {k: v for k, v in question.items() if k != "logits"}
                found["failed"].append(told | {"formula": advice.recommended.candidate.formula})
    return found | {"seconds": seconds}


def survives(advice: Advice, unseen: Question) -> bool:
    """Whether what was recommended meets the limits on other samples too."""
    assert advice.recommended is not None
    of = advice.recommended.candidate
    alone = {"dtypes": of.dtype, "formula": of.formula, "compute": "same"}
    return fpstudy.advise(**(unseen | alone)).trial.findings[0].meets


def show(result: Result) -> str:
    """A line for each source of logits, and those that did not survive."""
    header = ["logits", "questions", "advised", "passed over", "survived", "seconds (median, most)"]
    rows, failed = [], []
    for source, found in result.items():
        took = f"{median(found['seconds']):.2f}, {max(found['seconds']):.2f}"
        survived = found["advised"] - len(found["failed"])
        counts = [found[name] for name in ("questions", "advised", "passed over")]
        rows.append([source, *counts, survived, took])
        failed += [f"* {source}: {one}" for one in found["failed"]]
    said = (
        "Advised: something met the limit. Passed over: a cheaper choice failed on fresh samples."
    )
    parts = [table(header, rows), said, table(GOALS_HEADER, [f.row for f in goals(result)])]
    return "\n\n".join(parts + (["Not survived:", "\n".join(failed)] if failed else []))


def goals(result: Result) -> list[Figure]:
    """The share of the advice that survives."""
    return [
        Figure(
            f"advice on {source} that survives {CHECKED} times as many unseen samples",
            [(found["advised"] - len(found["failed"])) / max(1, found["advised"])],
            SURVIVES,
        )
        for source, found in result.items()
    ]


def command_line() -> argparse.ArgumentParser:
    """The options."""
    found = parser(__doc__, rounds=1)
    found.add_argument("--samples", type=positive, default=64, help="vectors a question")
    found.add_argument("--n", type=positive, nargs="+", default=[10, 1000])
    found.add_argument("--magnitude", type=float, nargs="+", default=[1.0, 10.0])
    return found


if __name__ == "__main__":
    carry_out(command_line().parse_args(), measure, show)
