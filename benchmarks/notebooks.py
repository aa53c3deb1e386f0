"""A sweep as notebooks have it: NumPy formulas, exact values from mpmath or Arb, a pandas table.

Which formula has which error, by dtype and magnitude? This is the code that fpstudy replaces, with
what its users know: formulas take whole arrays, exponentials are computed once for each vector and
serve all problems, and the error of a failure is infinite without more ado. It proves nothing: of
mpmath's digits one hopes that they suffice.
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
Exact = Callable[[list[float], int], dict[str, list[Any]]]
COLUMNS = ["problem", "formula", "dtype", "n", "magnitude"]


@dataclass(frozen=True)
class Question:
    """Samples of logits (samples, n) that all dtypes hold, and targets (samples,) of the loss."""

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


def softmax_divisionless(x, targets):
    """exp(x_j - logsumexp(x))."""
    return np.exp(x - logsumexp_shifted(x, targets)[:, None])


def logsumexp_naive(x, targets):
    """log(sum_i exp(x_i))."""
    return np.log(np.exp(x).sum(axis=-1))


def logsumexp_shifted(x, targets):
    """m + log(sum_i exp(x_i - m))."""
    m = x.max(axis=-1)
    return m + np.log(np.exp(x - m[:, None]).sum(axis=-1))


def logsumexp_log1p(x, targets):
    """m + log1p(sum of the other exp(x_i - m))."""
    m = x.max(axis=-1)
    e = np.exp(x - m[:, None])
    e[np.arange(len(x)), x.argmax(axis=-1)] = 0
    return m + np.log1p(e.sum(axis=-1))


def cross_entropy_naive(x, targets):
    """-log(softmax(x)_t)."""
    return -np.log(softmax_naive(x, targets)[np.arange(len(x)), targets])


def cross_entropy_log_of_shifted_softmax(x, targets):
    """-log(softmax(x - m)_t)."""
    return -np.log(softmax_shifted(x, targets)[np.arange(len(x)), targets])


def cross_entropy_shifted(x, targets):
    """log(sum_i exp(x_i - m)) - (x_t - m)."""
    d = x - x.max(axis=-1, keepdims=True)
    return np.log(np.exp(d).sum(axis=-1)) - d[np.arange(len(x)), targets]


FORMULAS = {
    "softmax": {
        "naive": softmax_naive,
        "shifted": softmax_shifted,
        "divisionless": softmax_divisionless,
    },
    "logsumexp": {
        "naive": logsumexp_naive,
        "shifted": logsumexp_shifted,
        "log1p": logsumexp_log1p,
    },
    "cross_entropy": {
        "naive": cross_entropy_naive,
        "log_of_shifted_softmax": cross_entropy_log_of_shifted_softmax,
        "shifted": cross_entropy_shifted,
    },
}


def exact_by_mpmath(row: list[float], target: int) -> dict[str, list[mpf]]:
    """The exact values of each problem at one vector, at the digits of mp.dps."""
    e = [mp.exp(v) for v in row]
    total, others = mp.fsum(e), mp.fsum(e[:target] + e[target + 1 :])
    return {
        "softmax": [v / total for v in e],
        "logsumexp": [mp.log(total)],
        "cross_entropy": [mp.log1p(others / e[target])],
    }


def exact_by_arb(row: list[float], target: int) -> dict[str, list[arb]]:
    """The exact values of each problem at one vector, at the bits of flint.ctx.prec."""
    e = [arb(v).exp() for v in row]
    total, others = sum(e, arb(0)), sum(e[:target] + e[target + 1 :], arb(0))
    return {
        "softmax": [v / total for v in e],
        "logsumexp": [total.log()],
        "cross_entropy": [(others / e[target]).log1p()],
    }


def error(y: float, t: Any) -> float:
    """|y - t| / |t|; infinite where y is."""
    return float(abs((y - t) / t)) if math.isfinite(y) else math.inf


def rows_of(question: Question, exact: Exact) -> list[dict[str, Any]]:
    """A row for each formula, dtype and sample: the largest error of the components."""
    truths = [
        exact(row, target)
        for row, target in zip(question.x.tolist(), question.targets.tolist(), strict=True)
    ]
    rows = []
    for dtype, native in DTYPES.items():
        x = question.x.astype(native)
        for problem, formulas in FORMULAS.items():
            for name, formula in formulas.items():
                y = formula(x, question.targets).astype(float).reshape(len(x), -1).tolist()
                for values, truth in zip(y, truths, strict=True):
                    rows.append(
                        {
                            "problem": problem,
                            "formula": name,
                            "dtype": dtype,
                            "n": question.n,
                            "magnitude": question.magnitude,
                            "error": max(map(error, values, truth[problem])),
                        }
                    )
    return rows


def summarized(questions: Iterable[Question], exact: Exact) -> pd.DataFrame:
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
