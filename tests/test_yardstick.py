"""Blocks of samples, powers of two, and samples scored as their components are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpstudy import measurement
from fpstudy.errors import SampleErrors, score, score_samples
from fpstudy.formats import FORMATS, Format
from fpstudy.inputs import Inputs
from fpstudy.outcomes import NAMES
from fpstudy.rounding import power_of_two, round_truth
from fpstudy.truth import State, Truth
from fpstudy.yardstick import BLOCK, Yardsticks

formats = st.sampled_from(list(FORMATS.values()))


def truth(rng: np.random.Generator, shape: tuple[int, ...], f: Format, width: int) -> Truth:
    """Values around 1, or over the format's whole range and beyond, with zeros and non-numbers."""
    hi = np.ldexp(rng.integers(2**8, 2**9, shape), -9) * rng.choice([-1.0, 1.0], shape)
    lo = rng.choice([0.0, 2.0**-54, -(2.0**-54), 2.0**-107], shape)
    exponent = (
        rng.integers(f.emin - width, f.emax + width, shape) if width else np.zeros(shape, int)
    )
    hi, state = np.where(rng.random(shape) < 0.1, 0.0, hi), np.zeros(shape, dtype=np.uint8)
    lo = np.where(hi == 0, 0.0, lo)
    if rng.random() < 0.5:
        hi = np.where(rng.random(shape) < 0.1, np.inf, hi)
        state = rng.choice(np.array([0, 0, 0, 1, 2], dtype=np.uint8), shape)
        hi = np.where(state == State.DECIDED, hi, np.nan)
    return Truth(hi, lo, exponent.astype(np.int64), np.zeros(shape), state)


def computed(rng: np.random.Generator, t: Truth, f: Format) -> np.ndarray:
    """Results that are right, beside, wrong, zero, infinite or NaN."""
    r = round_truth(t, f)
    others = [
        r.down,
        r.up,
        -r.nearest,
        np.zeros(t.hi.shape),
        f.round(rng.standard_normal(t.hi.shape)),
    ]
    if rng.random() < 0.5:
        others += [np.full(t.hi.shape, value) for value in (np.nan, np.inf, -np.inf)]
    kind = rng.integers(0, 2 * len(others), t.hi.shape)
    return np.select([kind == k for k in range(len(others))], others, default=r.nearest)


SHAPES = [(7,), (5, 8), (3, 1000), (40, 1000), (2, BLOCK + 1)]


@settings(deadline=None)  # a loaded machine is no failure
@given(st.integers(0, 2**32), formats, st.sampled_from(SHAPES), st.sampled_from([0, 5, 400]))
def test_a_sample_scores_as_its_worst_component(
    seed: int, f: Format, shape: tuple[int, ...], width: int
) -> None:
    rng = np.random.default_rng(seed)
    t = truth(rng, shape, f, width)
    y, infinite = computed(rng, t, f), rng.random(shape[0]) < 0.3
    errors, samples = score(y, t, f, infinite), score_samples(y, Yardsticks(t, f), infinite)
    ulps, relative, bits, outcome, flushed = (
        part.reshape(shape[0], -1)
        for part in (errors.ulps, errors.relative, errors.bits, errors.outcome, errors.flushed)
    )
    for i in range(shape[0]):
        known = ~np.isnan(ulps[i])
        j = int(samples.component[i])
        assert samples.outcome[i] == outcome[i, j]
        for name, parts in (("ulps", ulps), ("relative", relative), ("bits", -bits)):
            largest = parts[i, known].max() if known.any() else np.nan
            value = getattr(samples, name)[i] * (-1 if name == "bits" else 1)
            np.testing.assert_array_equal(value, largest)
        if known.any():
            assert j == np.flatnonzero(ulps[i] == samples.ulps[i])[0]
        assert samples.counts[i].tolist() == np.bincount(outcome[i], minlength=len(NAMES)).tolist()
        assert samples.flushed[i] == flushed[i].sum()
    np.testing.assert_array_equal(samples.normwise, errors.normwise)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.integers(0, 2**32), formats, st.sampled_from([0, 5, 400]))
def test_a_block_scores_as_its_samples_do_alone(seed: int, f: Format, width: int) -> None:
    """Whether a block holds anything unusual decides how it is scored, never what it scores."""
    rng = np.random.default_rng(seed)
    t = truth(rng, (30, 5), f, width)
    y, infinite = computed(rng, t, f), rng.random(30) < 0.3
    together = score(y, t, f, infinite)
    alone = [score(y[i : i + 1], t[i : i + 1], f, infinite[i : i + 1]) for i in range(30)]
    for name in ("relative", "ulps", "bits", "outcome", "flushed", "normwise"):
        parts = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_array_equal(getattr(together, name), parts)


def test_yardsticks_are_made_once_and_hold_whole_samples() -> None:
    t = truth(np.random.default_rng(0), (40, 1000), FORMATS["float32"], 0)
    sticks = Yardsticks(t, FORMATS["float32"])
    first, second = list(sticks), list(sticks)
    assert all(a is b for a, b in zip(first, second, strict=True))
    assert [len(block.hi) for block in first] == [16, 16, 8]


def test_of_a_large_truth_the_yardsticks_of_one_format_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    t = truth(np.random.default_rng(0), (3, 4), FORMATS["float32"], 0)
    f, g = FORMATS["float32"], FORMATS["float16"]
    answer = measurement.Answer(Inputs(np.zeros((3, 4))), t)
    first = answer.yardsticks(f)
    assert (first.format, answer.yardsticks(g).format) == (f, g)
    assert answer.yardsticks(f) is first
    monkeypatch.setattr(measurement, "KEPT_NUMBERS", 11)
    answer = measurement.Answer(Inputs(np.zeros((3, 4))), t)
    first = answer.yardsticks(f)
    assert answer.yardsticks(f) is first
    answer.yardsticks(g)
    assert answer.yardsticks(f) is not first


def test_an_overflow_of_a_format_that_saturates_is_never_exact() -> None:
    f = Format("saturating", precision=4, emax=8, emin=-6, infinity=False, saturate=True)
    t = Truth(np.array([0.5]), np.zeros(1), np.array([11]), np.zeros(1), np.zeros(1, np.uint8))
    rounded = round_truth(t, f)  # 1024, a multiple of its ulp, beyond the largest, 448
    assert (rounded.nearest[0], rounded.exact[0]) == (448.0, False)


@pytest.mark.parametrize("low", [-1200, -1074, -1022, -1, 0, 900])
def test_power_of_two_is_that_of_ldexp(low: int) -> None:
    k = np.arange(low, low + 150)
    with np.errstate(over="ignore"):
        expected = np.ldexp(1.0, k)
    np.testing.assert_array_equal(power_of_two(k), expected)


def test_samples_are_refused_in_another_shape() -> None:
    t = truth(np.random.default_rng(0), (3, 4), FORMATS["float32"], 0)
    sticks = Yardsticks(t, FORMATS["float32"])
    with pytest.raises(ValueError, match="against a truth of"):
        score_samples(np.zeros((3, 5)), sticks, np.zeros(3, dtype=bool))
    scored = score_samples(np.zeros((3, 4)), sticks, np.zeros(3, dtype=bool))
    assert isinstance(scored, SampleErrors)
    assert scored.counts.sum() == 12
