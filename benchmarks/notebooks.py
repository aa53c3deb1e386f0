"""A sweep as notebooks have it: NumPy formulas, exact values from mpmath or Arb, a pandas table.

Which formula has which error, by dtype and magnitude? This is the code that fpstudy replaces, with
what its users know: formulas take whole arrays, the exact values are computed once for each sample,
exponentials once for each vector, and the error of a failure is infinite without more ado. It
proves nothing: of mpmath's digits one hopes that they suffice.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import flint
import ml_dtypes
import numpy as np
import pandas as pd
from flint import arb
from mpmath import mp, mpf

DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32}
COLUMNS = ["problem", "formula", "dtype", "n", "magnitude"]


@dataclass(frozen=True)
class Question:
    """Samples of logits (samples, n) that all dtypes hold, and targets (samples,) of a loss."""

    problem: str
    n: int
    magnitude: float
    x: np.ndarray
    targets: np.ndarray


def softmax_naive(x, targets):
    """exp(x_j) / sum_i exp(x_i)."""
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def softmax_shifted(x, targets):
    """exp(x_j - m) / sum_i exp(x_i - m)."""
    return softmax_naive(x - x.max(axis=-1, keepdims=True), targets)


def logsumexp_naive(x, targets):
    """log(sum_i exp(x_i))."""
    return np.log(np.exp(x).sum(axis=-1))


def logsumexp_shifted(x, targets):
    """m + log(sum_i exp(x_i - m))."""
    m = x.max(axis=-1)
    return m + np.log(np.exp(x - m[:, None]).sum(axis=-1))


def cross_entropy_naive(x, targets):
    """-log(softmax(x)_t)."""
    return -np.log(softmax_naive(x, targets)[np.arange(len(x)), targets])


def cross_entropy_shifted(x, targets):
    """log(sum_i exp(x_i - m)) - (x_t - m)."""
    d = x - x.max(axis=-1, keepdims=True)
    return np.log(np.exp(d).sum(axis=-1)) - d[np.arange(len(x)), targets]


FORMULAS = {
    "softmax": {"naive": softmax_naive, "shifted": softmax_shifted},
    "logsumexp": {"naive": logsumexp_naive, "shifted": logsumexp_shifted},
    "cross_entropy": {"naive": cross_entropy_naive, "shifted": cross_entropy_shifted},
}


def exact_by_mpmath(problem: str, row: list[float], target: int) -> list[mpf]:
    """The exact values at one vector, at the digits of mp.dps."""
    e = [mp.exp(v) for v in row]
    if problem == "softmax":
        total = mp.fsum(e)
        return [v / total for v in e]
    if problem == "logsumexp":
        return [mp.log(mp.fsum(e))]
    return [mp.log1p(mp.fsum(e[:target] + e[target + 1 :]) / e[target])]


def exact_by_arb(problem: str, row: list[float], target: int) -> list[arb]:
    """The exact values at one vector, at the bits of flint.ctx.prec."""
    e = [arb(v).exp() for v in row]
    if problem == "softmax":
        total = sum(e, arb(0))
        return [v / total for v in e]
    if problem == "logsumexp":
        return [sum(e, arb(0)).log()]
    return [(sum(e[:target] + e[target + 1 :], arb(0)) / e[target]).log1p()]


def error(y: float, t: Any) -> float:
    """|y - t| / |t|; infinite where y is."""
    return float(abs((y - t) / t)) if math.isfinite(y) else math.inf


def rows_of(question: Question, exact: Callable[..., list[Any]]) -> list[dict[str, Any]]:
    """A row for each formula, dtype and sample: the largest error of the components."""
    truths = [
        exact(question.problem, row, target)
        for row, target in zip(question.x.tolist(), question.targets.tolist(), strict=True)
    ]
    rows = []
    for dtype, native in DTYPES.items():
        x = question.x.astype(native)
        for name, formula in FORMULAS[question.problem].items():
            y = formula(x, question.targets).astype(float).reshape(len(x), -1).tolist()
            for sample, (values, truth) in enumerate(zip(y, truths, strict=True)):
                rows.append(
                    {
                        "problem": question.problem,
                        "formula": name,
                        "dtype": dtype,
                        "n": question.n,
                        "magnitude": question.magnitude,
                        "sample": sample,
                        "error": max(error(v, t) for v, t in zip(values, truth, strict=True)),
                    }
                )
    return rows


def summarized(questions: Iterable[Question], exact: Callable[..., list[Any]]) -> pd.DataFrame:
    """Largest and median error of each formula, by dtype, n and magnitude."""
    with np.errstate(all="ignore"):
        rows = [row for question in questions for row in rows_of(question, exact)]
    return pd.DataFrame(rows).groupby(COLUMNS)["error"].agg(["max", "median"])


def mpmath_notebook(questions: Iterable[Question]) -> pd.DataFrame:
    """The sweep with exact values at 50 digits of mpmath."""
    mp.dps = 50
    return summarized(questions, exact_by_mpmath)


def arb_notebook(questions: Iterable[Question]) -> pd.DataFrame:
    """The sweep with exact values in Arb balls of 128 bits."""
    flint.ctx.prec = 128
    return summarized(questions, exact_by_arb)
