"""The engines of the truth side by side: double-double's enclosures hold Arb's, and round alike."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fpstudy import truth as truths
from fpstudy.arithmetic.decision import WIDEST
from fpstudy.dyadic import BITS, LEAST_EXPONENT
from fpstudy.formats import FORMATS, Floats
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS, Problem
from fpstudy.rounding import round_truth
from fpstudy.samples import stored
from fpstudy.truth import State, Truth, enclose

SCALES = (1e-3, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4)
STORED = ("float8_e4m3fn", "float16", "float32", "float64")


def logits(kind: str, scale: float, shape: tuple[int, int], dtype: str) -> Floats:
    """Logits of a kind, rounded to a dtype without its range."""
    rng = np.random.default_rng([len(kind), int(1e3 * scale), *shape, len(dtype)])
    x = rng.normal(size=shape) * scale
    if kind == "offset":
        x += 1000
    if kind == "peaked":
        x[:, 0] += 20 * scale
    if kind == "ties":
        x = np.rint(x / scale) * scale
    x = stored(x, (FORMATS[dtype],))
    if kind == "masked":
        x[rng.random(shape) < 0.4] = -np.inf
        x[:, 0] = 1.0
    return x


def labels(problem: Problem, shape: tuple[int, int], kind: str) -> Floats | None:
    """Hard, soft or smoothed labels, or None for a problem that takes none."""
    if not problem.labels:
        return None
    rng = np.random.default_rng(5)
    hard = np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    if kind == "hard":
        return hard
    return rng.dirichlet(np.ones(shape[1]), shape[0]) if kind == "soft" else 0.9 * hard + 0.1 / 8


def assert_alike(found: Truth, proven: Truth) -> None:
    """The same states, overlapping enclosures, and the same roundings to every format."""
    np.testing.assert_array_equal(found.state, proven.state)
    finite = np.isfinite(found.hi)
    parts = (found.hi, found.lo, found.exponent, found.radius)
    others = (proven.hi, proven.lo, proven.exponent, proven.radius)
    rows = zip(*(part[finite].tolist() for part in (*parts, *others)), strict=True)
    for hi, lo, exponent, radius, *other in rows:
        assert radius <= 2 * WIDEST or exponent == LEAST_EXPONENT + BITS  # of 1/2 <= hi
        scale = Fraction(2) ** (other[2] - exponent) if abs(other[2] - exponent) < 4 else None
        assert scale is not None or hi == 0
        if scale is not None:
            gap = (Fraction(other[0]) + Fraction(other[1])) * scale - Fraction(hi) - Fraction(lo)
            assert abs(gap) <= Fraction(radius) + Fraction(other[3]) * scale
    for f in FORMATS.values():
        for side in ("nearest", "down", "up", "exact", "quantum"):
            ours, theirs = (getattr(round_truth(t, f), side) for t in (found, proven))
            np.testing.assert_array_equal(ours[finite], theirs[finite], err_msg=f"{f.name} {side}")


def both(problem: Problem, inputs: Inputs) -> tuple[Truth, Truth]:
    return enclose(problem, inputs), enclose(problem, inputs, "arb")


@pytest.mark.parametrize("kind", ["normal", "offset", "peaked", "ties", "masked"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_double_double_agrees_with_arb(name: str, kind: str) -> None:
    problem = PROBLEMS[name]
    for dtype in STORED:
        for scale in SCALES:
            for shape in ((6, 2), (3, 9), (1, 70)):
                x = logits(kind, scale, shape, dtype)
                for q in ("hard", "soft", "smoothed") if problem.labels else ("",):
                    if kind == "masked" and q != "hard":
                        continue
                    assert_alike(*both(problem, Inputs(x, labels(problem, shape, q))))


@pytest.mark.parametrize(
    "parameters", [{"beta": 3.0}, {"beta": -0.7}, {"base": 10.0}, {"base": 0.3}, {"beta": 1e-290}]
)
def test_double_double_agrees_with_arb_of_a_base_or_beta(parameters: dict[str, float]) -> None:
    for scale in (1e-3, 1.0, 30.0):
        x = logits("normal", scale, (10, 7), "float64")
        assert_alike(*both(PROBLEMS["softmax"], Inputs(x, parameters=parameters)))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_double_double_agrees_with_arb_of_a_batch(reduction: str) -> None:
    rng = np.random.default_rng(8)
    for scale in (0.1, 10.0, 1e4):
        x = rng.normal(size=(4, 6, 5)) * scale
        q = np.eye(5)[rng.integers(5, size=(4, 6))]
        counted = rng.random((4, 6)) < 0.8
        inputs = Inputs(x, q, {}, counted, reduction)
        assert_alike(*both(PROBLEMS["cross_entropy"], inputs))


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-200, 1e200, 1.7e308])
def test_logits_of_every_size_are_enclosed(size: float) -> None:
    x = np.array([[size, -size, 0.0], [size, size, 0.0], [size / 2, size, -size]])
    for name in ("softmax", "logsumexp", "log_softmax"):
        assert_alike(*both(PROBLEMS[name], Inputs(x)))


def climbs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows went to Arb in each block that had any."""
    rows: list[int] = []

    def climb(problem: Problem, inputs: Inputs, chosen: Any, engine: Any, truth: Truth) -> None:
        rows.append(len(chosen))
        original(problem, inputs, chosen, engine, truth)

    original = truths._climb
    monkeypatch.setattr(truths, "_climb", climb)
    return rows


def test_ordinary_logits_need_no_arb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the speed would be Arb's: every problem at every scale, 92,400 logits each."""
    rows = climbs(monkeypatch)
    for name, problem in PROBLEMS.items():
        for dtype in ("float16", "float64"):
            for scale in SCALES:
                x = logits("normal", scale, (66, 100), dtype)
                q = labels(problem, x.shape, "hard")
                assert (enclose(problem, Inputs(x, q)).state == State.DECIDED).all(), name
    assert sum(rows) <= 3


def test_what_double_double_cannot_decide_goes_to_arb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where m and log1p(s) cancel: all but their last bits, or 20 of them."""
    rows = climbs(monkeypatch)
    x = np.array([[-np.log(2)] * 2, [-np.log(2) + 1e-6] * 2, [1.0, 2.0]])
    t = enclose(PROBLEMS["logsumexp"], Inputs(x))
    assert rows == [2]
    assert (t.state == State.DECIDED).all()
    assert abs(np.ldexp(t.hi[0], t.exponent[0])) < 1e-16
    assert_alike(t, enclose(PROBLEMS["logsumexp"], Inputs(x), "arb"))


@pytest.mark.parametrize("n", [2, 10, 1000])
def test_no_wide_range_cross_entropy_is_undecided(n: int) -> None:
    rows = max(4, 2000 // n)
    for dtype in FORMATS:
        for scale in SCALES:
            x = logits("normal", scale, (rows, n), dtype)
            for kind in ("hard", "soft"):
                q = labels(PROBLEMS["cross_entropy"], x.shape, kind)
                assert (enclose(PROBLEMS["cross_entropy"], Inputs(x, q)).state == 0).all()
