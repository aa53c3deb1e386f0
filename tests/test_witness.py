"""The witness recomputes truths from the definition, and sees a wrong one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.truth import enclose
from fpstudy.witness import BUDGET_BITS, recompute


def inputs_of(name: str, scale: float = 3.0, **parameters: float) -> Inputs:
    rng = np.random.default_rng(2)
    q = rng.random((4, 5)) if PROBLEMS[name].labels else None
    return Inputs(scale * rng.standard_normal((4, 5)), q, parameters)


CASES = [(name, {}) for name in PROBLEMS] + [("softmax", {"base": 0.3}), ("softmax", {"beta": 7.0})]


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=str)
@pytest.mark.parametrize("scale", [1e-3, 3.0, 300.0])
def test_truths_are_witnessed(name: str, parameters: dict, scale: float) -> None:
    inputs = inputs_of(name, scale, **parameters)
    t = enclose(PROBLEMS[name], inputs)
    seen = recompute(PROBLEMS[name], inputs, t, [0, 1, 2, 3])
    assert seen.disagreements == []
    assert seen.checked == t.hi.size


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=str)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_truth_that_is_off_by_four_radii_is_seen(name: str, parameters: dict, sign: int) -> None:
    inputs = inputs_of(name, **parameters)
    t = enclose(PROBLEMS[name], inputs)
    wrong = replace(t, lo=t.lo + sign * (4 * t.radius + 2.0**-103))
    seen = recompute(PROBLEMS[name], inputs, wrong, [0, 1])
    assert len(seen.disagreements) == seen.checked == wrong[:2].hi.size
    assert name in seen.disagreements[0]


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_reference_that_is_another_function_is_seen(name: str) -> None:
    """A mistake in the text that the truth is made of, carried out without any error."""

    def mistaken(xp: Any, *arguments: Any, **parameters: Any) -> tuple[Any, Any]:
        head, tail = PROBLEMS[name].reference(xp, *arguments, **parameters)
        return head, tail + tail

    problem, inputs = replace(PROBLEMS[name], reference=mistaken), inputs_of(name)
    seen = recompute(problem, inputs, enclose(problem, inputs), [0, 1, 2, 3])
    assert seen.checked > 0
    assert len(seen.disagreements) == seen.checked


def test_a_radius_that_is_too_small_is_seen() -> None:
    inputs = inputs_of("logsumexp")
    t = enclose(PROBLEMS["logsumexp"], inputs)
    claimed = replace(t, radius=t.radius * 1e-6)
    assert recompute(PROBLEMS["logsumexp"], inputs, claimed, [0, 1, 2, 3]).disagreements


def test_what_the_definition_cannot_reach_is_counted() -> None:
    problem, inputs = PROBLEMS["log_softmax"], Inputs(np.array([[20_000.0, 0.0]]))
    seen = recompute(problem, inputs, enclose(problem, inputs), [0])
    assert (seen.checked, seen.beyond_budget) == (1, 1)
    assert 20_000 / np.log(2) > BUDGET_BITS


def test_limits_and_undecided_truths_are_counted_apart() -> None:
    problem, inputs = PROBLEMS["softmax"], Inputs(np.array([[np.inf, 0.0], [0.0, 1.0]]))
    seen = recompute(problem, inputs, enclose(problem, inputs), [0, 1])
    assert (seen.limits, seen.checked, seen.undecided) == (2, 2, 0)
    seen = recompute(problem, inputs, enclose(problem, inputs, "arb", cap_bits=64), [1])
    assert (seen.checked, seen.undecided) == (0, 2)


def test_masked_entries_and_batches_are_witnessed() -> None:
    x = np.array([[[0.0, -np.inf, 2.0], [1.0, 1.0, -np.inf]]])
    q = np.array([[[0.5, 0.0, 0.5], [1.0, 0.0, 0.0]]])
    inputs = Inputs(x, q, {}, np.array([[True, True]]), "mean")
    problem = PROBLEMS["cross_entropy"]
    seen = recompute(problem, inputs, enclose(problem, inputs), [0])
    assert (seen.checked, seen.disagreements) == (1, [])


def batch_of_rows() -> Inputs:
    rng = np.random.default_rng(9)
    q = rng.random((2, 6, 4))
    counted = np.array([[True] * 6, [True, False, True, True, False, True]])
    return Inputs(3 * rng.standard_normal((2, 6, 4)), q, {}, counted, "mean")


def test_batches_of_many_rows_are_witnessed_and_wrong_ones_seen() -> None:
    problem, inputs = PROBLEMS["cross_entropy"], batch_of_rows()
    for reduction in ("mean", "sum"):
        chosen = replace(inputs, reduction=reduction)
        t = enclose(problem, chosen)
        assert recompute(problem, chosen, t, [0, 1]).disagreements == []
        wrong = replace(t, lo=t.lo + 4 * t.radius + 2.0**-103)
        assert len(recompute(problem, chosen, wrong, [0, 1]).disagreements) == 2


def test_counts_of_the_witness_add_up() -> None:
    """Masked, undefined, infinite and out of reach: every truth is in one count."""
    problem = PROBLEMS["log_softmax"]
    x = np.array([[1.0, -np.inf], [-np.inf, -np.inf], [np.inf, 0.0], [2e4, 0.0]])
    inputs = Inputs(x)
    t = enclose(problem, inputs)
    seen = recompute(problem, inputs, t, [0, 1, 2, 3])
    assert seen.witnessed == t.hi.size
    assert (seen.checked, seen.undefined, seen.limits, seen.beyond_budget) == (3, 2, 2, 1)


def test_masked_entries_with_a_positive_beta_are_recomputed() -> None:
    problem, inputs = PROBLEMS["softmax"], Inputs(np.array([[1.0, -np.inf]]), None, {"beta": 2.0})
    seen = recompute(problem, inputs, enclose(problem, inputs), [0])
    assert (seen.checked, seen.limits) == (2, 0)
    falling = replace(inputs, parameters={"beta": -2.0})
    seen = recompute(problem, falling, enclose(problem, falling), [0])
    assert (seen.checked, seen.limits) == (0, 2)
