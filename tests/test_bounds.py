"""max(x) <= LSE(x) <= max(x) + log n: held by truths, broken by planted values."""

from dataclasses import replace

import numpy as np
import pytest

from fpstudy import bounds
from fpstudy.arithmetic.numpy import evaluate
from fpstudy.formats import FORMATS
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.rounding import round_truth
from fpstudy.truth import enclose

LSE = PROBLEMS["logsumexp"]


@pytest.mark.parametrize("n", [1, 2, 17, 1000])
@pytest.mark.parametrize("scale", [0.0, 1e-300, 1.0, 1e4, 1e300])
@pytest.mark.parametrize("offset", [0.0, -100.0])
def test_truths_hold_it(n: int, scale: float, offset: float) -> None:
    x = offset + scale * np.random.default_rng(1).standard_normal((3, n))
    assert not bounds.violations(x, enclose(LSE, Inputs(x))).any()


def test_a_truth_below_or_above_is_seen() -> None:
    x = np.array([[1.0, 1.0], [3.0, 0.0]])
    t = enclose(LSE, Inputs(x))
    assert bounds.violations(x, replace(t, hi=t.hi * (1 + 2.0**-40))).tolist() == [True, False]
    assert bounds.violations(x, replace(t, hi=t.hi * 0.9)).tolist() == [False, True]


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_correctly_rounded_values_are_never_counted(name: str) -> None:
    f, rng = FORMATS[name], np.random.default_rng(4)
    x = f.round(np.concatenate([rng.standard_normal((50, 3)), np.full((50, 3), 2.5)]))
    y = round_truth(enclose(LSE, Inputs(x)), f).nearest
    assert not bounds.broken(y, x, f).any()


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("n", [2, 3, 5, 10, 100, 1000])
def test_near_zero_too_correct_rounding_is_never_counted(name: str, n: int) -> None:
    """At n equal logits of -log n the bounds cancel to almost nothing."""
    f = FORMATS[name]
    start = float(f.round(-np.log(n)))
    step = 2.0 ** float(f.quantum(start))
    x = np.repeat((start + step * np.arange(-3, 4))[:, None], n, axis=1)
    y = round_truth(enclose(LSE, Inputs(x)), f).nearest
    assert not bounds.broken(y, x, f).any()
    above = np.where(y == 0, f.least_subnormal, y + 4 * 2.0 ** f.quantum(y))
    assert bounds.broken(above, x, f).all()  # equal logits: log-sum-exp is at the upper bound


def test_computed_values_outside_are_counted() -> None:
    f = FORMATS["bfloat16"]
    x = np.ones((1, 1024))
    y = evaluate(
        LSE.formulas["shifted"], Inputs(x), FORMATS["bfloat16"]
    )  # its sum stands still at 256
    assert y[0] < 1 + np.log(1024)
    assert not bounds.broken(y, x, f).any()
    assert bounds.broken(np.array([0.99]), x, f).all()
    assert bounds.broken(np.array([8.1]), x, f).all()
    assert bounds.broken(np.array([np.inf]), x, f).all()
    assert not bounds.broken(np.array([np.nan]), x, f).any()
