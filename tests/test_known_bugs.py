"""Public bug reports of softmax and its kin: the certified truth, and the formula that fails."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest

from fpstudy import exact
from fpstudy.arithmetic.numpy import evaluate
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS

CASES = json.loads(Path(__file__).with_name("known_bugs.json").read_text(encoding="utf-8"))


def certified(case: dict[str, Any]) -> Any:
    """The public interface's value of a case."""
    logits = case["logits"] * case.get("repeat", 1)
    labels, target = case.get("labels"), case.get("target")
    return exact(case["problem"], logits, labels=labels, target=target, dtype=case["dtype"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_certified_truth_is_the_one_expected(case: dict[str, Any]) -> None:
    decimal = certified(case).decimal(40)
    texts = decimal if isinstance(decimal, list) else [decimal]
    want = [oracle.parse_digits(text) for text in case["truth"]]
    if len(texts) > len(want):  # equal logits: one truth for all
        want *= len(texts)
    assert [oracle.parse_digits(text) for text in texts] == want


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["formula"]], ids=lambda case: case["id"]
)
def test_the_formula_fails_as_reported(case: dict[str, Any]) -> None:
    value = certified(case)
    formula = PROBLEMS[case["problem"]].formulas[case["formula"]]
    computed = evaluate(formula, value.inputs, FORMATS[case["dtype"]]).ravel()
    want = np.asarray([float.fromhex(text) for text in case["failing"]])
    assert np.array_equal(computed, np.broadcast_to(want, computed.shape), equal_nan=True)
    truth = value.rounded()[case["dtype"]]
    if not all(map(math.isnan, truth)):  # undefined: NaN is right
        assert not np.array_equal(computed, truth)


def test_every_case_names_its_public_source() -> None:
    assert all(case["source"].startswith("https://github.com/") for case in CASES)
    assert len({case["id"] for case in CASES}) == len(CASES)
