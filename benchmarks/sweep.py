"""Whole sweeps: the same question answered by (c) an mpmath notebook, (d) an Arb one, and fpstudy.

Three problems, three formulas of each, three dtypes, eleven magnitudes, once with long vectors and
once with short ones. fpstudy runs its study end to end with default settings in one process on one
core: inputs, truths, witness, formulas, scores, record, summary, pages. The notebooks, those of
notebooks.py, are given their inputs; they get the first samples of each draw, one of --share, and
their time is scaled to the logits of the study. Before anything is timed, their errors must be
fpstudy's. A logit is one that is drawn: it serves all three problems.

    python -m benchmarks.sweep --rounds 7
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import fpstudy
from benchmarks.goals import Figure, Goal
from benchmarks.machine import one_core, run_child
from benchmarks.notebooks import COLUMNS, Question, arb_notebook, mpmath_notebook
from benchmarks.options import Result, carry_out, parser, positive
from benchmarks.studies import (
    command,
    drawn_logits,
    figures_drawn,
    large,
    without_figures,
)
from benchmarks.tables import table
from benchmarks.turns import Contender, ratios, spread, take_turns
from fpstudy.cases import expand
from fpstudy.flow import Run
from fpstudy.samples import logits, prepare
from fpstudy.study import Study

GOALS = {"mpmath notebook": Goal(150, 300), "Arb notebook": Goal(15, 25)}
NOTEBOOKS = {"mpmath notebook": mpmath_notebook, "Arb notebook": arb_notebook}
IMPORTS = {
    "mpmath notebook": "import ml_dtypes, mpmath, numpy, pandas",
    "Arb notebook": "import flint, ml_dtypes, numpy, pandas",
}

RESOLVED = 2.0**-33  # 2**-25 ulp of bfloat16: a truth of 80 bits tells no smaller errors apart


class DisagreementError(Exception):
    """Notebook and fpstudy find other errors: their times mean nothing."""


def measure(options: argparse.Namespace) -> Result:
    """Rounds for each n."""
    with one_core(), tempfile.TemporaryDirectory() as folder:
        found = [_one(n, options, Path(folder)) for n in options.n]
    return {"studies": found, "rounds": options.rounds, "figures_drawn": figures_drawn()}


def _one(n: int, options: argparse.Namespace, folder: Path) -> Result:
    text = large(n, options.logits)
    path, out = folder / f"large_{n}.toml", folder / "out"
    path.write_text(text, encoding="utf-8")
    questions = questions_of(fpstudy.load(path), options.share)
    drawn, asked = drawn_logits(text), sum(question.x.size for question in questions)

    def run() -> Run:
        return fpstudy.run(path, out, jobs=1, fresh=True, **without_figures())

    check(questions, run().record)
    contenders = [
        *(Contender(name, lambda f=f: f(questions), asked)
          for name, f in NOTEBOOKS.items()),
        Contender("fpstudy", run, drawn),
        *(Contender(f"{name}, imports", lambda text=text: run_child(["-c", text]))
          for name, text in IMPORTS.items()),
        Contender("fpstudy, whole process", lambda: run_child(command(path, out, 1))),
    ]  # fmt: skip
    return {
        "n": n,
        "logits": drawn,
        "notebook_logits": asked,
        "seconds": take_turns(contenders, options.rounds, warm=False),
    }


def questions_of(study: Study, share: int) -> list[Question]:
    """What the study asks, of the first samples of each draw: one of `share`, at least one."""
    questions = []
    for demand in dict.fromkeys(case.demand for case in expand(study)):
        if demand.problem == "cross_entropy":  # on the logits of the others, and with targets
            draw = demand.draw
            inputs = prepare(demand, logits(draw)).take(slice(max(1, draw.samples // share)))
            targets = inputs.q.argmax(axis=-1)
            questions.append(Question(draw.n, draw.magnitude, inputs.x, targets))
    return questions


def check(questions: list[Question], record: pd.DataFrame) -> None:
    """Raises DisagreementError where the errors of log-sum-exp are not alike to six digits.

    Its values are far above the least normal number of every dtype, below which fpstudy's relative
    error is taken relative to that number, and the notebooks' is not.
    """
    same = record[record["sample"] < len(questions[0].x)]
    ours = same.groupby(COLUMNS)["relative_error"].agg(["max", "median"])
    for name, notebook in NOTEBOOKS.items():
        theirs = notebook(questions)
        if not theirs.index.equals(ours.index):
            raise DisagreementError(f"the {name} has other cases")
        pair = theirs.loc["logsumexp"], ours.loc["logsumexp"]
        if not np.allclose(*pair, rtol=1e-6, atol=RESOLVED):
            raise DisagreementError(f"the {name} finds other errors")


def show(result: Result) -> str:
    """A row for each n and notebook: times, and how many times faster fpstudy is."""
    rows = []
    for one in result["studies"]:
        seconds = one["seconds"]
        for name in NOTEBOOKS:
            rows.append([
                one["n"], f"{one['logits']:,}", name, f"{one['notebook_logits']:,}",
                spread([t * one["logits"] for t in seconds[name]]),
                spread([t * one["logits"] for t in seconds["fpstudy"]]),
                spread(ratios(seconds[name], seconds["fpstudy"])),
                spread(_whole_processes(one, name)),
            ])  # fmt: skip
    header = [
        "n", "logits", "against", "of which it did", "its seconds, scaled", "fpstudy, seconds",
        "ratio", "ratio of whole processes",
    ]  # fmt: skip
    figures = " fpstudy draws its figures, too, for want of a way to leave them out." * bool(
        result["figures_drawn"]
    )
    return (
        f"Interleaved rounds on one core: {result['rounds']}. A notebook did the first samples of"
        " each draw, and its seconds are scaled to all logits. The last column has imports and"
        f" start-up on both sides.{figures}\n\n{table(header, rows)}"
    )


def _whole_processes(one: Result, name: str) -> list[float]:
    """Ratios with the imports of the notebook, and fpstudy as a command."""
    seconds = one["seconds"]
    theirs = [
        each * one["logits"] + imports
        for each, imports in zip(seconds[name], seconds[f"{name}, imports"], strict=True)
    ]
    return ratios(theirs, seconds["fpstudy, whole process"])


def goals(result: Result) -> list[Figure]:
    """The ratios with their goals."""
    return [
        Figure(
            f"whole sweep of {one['logits']:,} logits against the {name}, n = {one['n']}",
            ratios(one["seconds"][name], one["seconds"]["fpstudy"]),
            goal,
        )
        for name, goal in GOALS.items()
        for one in result["studies"]
    ]


def command_line() -> argparse.ArgumentParser:
    """The options."""
    found = parser(__doc__)
    found.add_argument(
        "--n", type=positive, nargs="+", default=[1000, 10], help="lengths of the vectors"
    )
    found.add_argument(
        "--logits", type=positive, default=500_000, help="logits of a study, at least; default 500k"
    )
    found.add_argument(
        "--share", type=positive, default=16, help="a notebook does one sample of so many"
    )
    return found


if __name__ == "__main__":
    carry_out(command_line().parse_args(), measure, show)
