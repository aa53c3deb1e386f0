"""Divergences of computed distributions, against fractions and mpmath, and by what they obey."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rounding import truth_of

from fpstudy.divergences import NEAR, SERIES, SIZES, SPLIT, Divergences, diverge, targets
from fpstudy.formats import FORMATS, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.truth import State, Truth, enclose
from fpstudy.yardstick import BLOCK

NAMES = ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn")
SHAPES = ("flat", "peaked", "tied", "masked", "tiny", "one_hot")
DIGITS = 1e-7
# Beside DIGITS: a probability's truth has 106 bits, and a term of the KL divergence is about the
# square of a difference; a sum's rests, of up to 2**-49, are added in float64.
UNKNOWN = {
    "sum_error": 2.0**-90,
    "total_variation": 2.0**-104,
    "kl_divergence": 2.0**-180,
    "mass_lost": 300 * 2.0**-1074,
}
formats = st.sampled_from([FORMATS[name] for name in NAMES])
lengths = st.one_of(st.integers(1, 12), st.integers(13, 300))


def distribution(rng: np.random.Generator, n: int, shape: str) -> list[Fraction]:
    """Probabilities that sum to 1: small whole numbers over their sum, or powers of two too."""
    weights = [Fraction(int(k)) for k in rng.integers(1, 1000, n)]
    depth = {"peaked": 60, "tiny": 3000}.get(shape, 0)
    weights = [w / 2 ** int(k) for w, k in zip(weights, rng.integers(0, depth + 1, n), strict=True)]
    if shape == "tied":
        weights = [min(w, Fraction(500)) for w in weights]
    if shape == "masked":
        weights = [w * int(k) for w, k in zip(weights, rng.integers(0, 2, n), strict=True)]
    if shape == "one_hot" or not any(weights):
        weights = [Fraction(0)] * n
        weights[int(rng.integers(n))] = Fraction(1)
    total = sum(weights)
    return [w / total for w in weights]


def computed(rng: np.random.Generator, t: list[Fraction], f: Format) -> np.ndarray:
    """Numbers of the format: rounded probabilities, some off by a little or a lot, some lost."""
    right = np.array([f.round_fraction(p) for p in t])
    little = right * (1 + rng.integers(-8, 9, len(t)) * f.unit_roundoff)
    much = right * rng.random(len(t)) * 3
    kind = rng.integers(0, 8, len(t)) if rng.random() < 0.7 else np.zeros(len(t), int)
    other = rng.choice([0.0, f.least_subnormal, 2.0**-5], len(t))
    y = np.select([kind == 1, kind == 2, kind == 3], [little, much, other], default=right)
    return np.asarray(f.round(y))


def exact(y: np.ndarray, t: list[Fraction]) -> dict[str, object]:
    """The same from the definitions, in fractions, and the logarithms in 600 bits."""
    q = [Fraction(float(v)) for v in y]
    first = max(range(len(q)), key=lambda j: (q[j], -j))
    with mpmath.workprec(600):
        terms = [_term(v, p) for v, p in zip(q, t, strict=True)]
        divergence = float(mpmath.fsum(terms))
    return {
        "sum_error": abs(sum(q) - 1),
        "total_variation": sum(abs(v - p) for v, p in zip(q, t, strict=True)) / 2,
        "kl_divergence": divergence,
        "mass_lost": sum(p for v, p in zip(q, t, strict=True) if v == 0),
        "top1_flip": t[first] < max(t),
    }


def _term(y: Fraction, t: Fraction) -> mpmath.mpf:
    def mpf(v: Fraction) -> mpmath.mpf:
        return mpmath.mpf(v.numerator) / v.denominator

    if y < 0 or (y > 0 and t == 0):
        return mpmath.inf
    return (mpf(y) * mpmath.log(mpf(y) / mpf(t)) if y else mpmath.mpf(0)) - mpf(y) + mpf(t)


def whole(*rows: Truth) -> Truth:
    """Truths of one vector each as samples."""
    names = ("hi", "lo", "exponent", "radius", "state")
    return Truth(*(np.stack([getattr(row, name) for row in rows]) for name in names))


def found(y: np.ndarray, *t: list[Fraction]) -> Divergences:
    return diverge(np.atleast_2d(y), targets(whole(*(truth_of(*row) for row in t))))


def assert_alike(got: Divergences, i: int, expected: dict[str, object]) -> None:
    for name in SIZES:
        size = float(expected[name])
        assert getattr(got, name)[i] == pytest.approx(size, rel=DIGITS, abs=UNKNOWN[name]), name
    assert got.top1_flip[i] == expected["top1_flip"]


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32), formats, lengths, st.sampled_from(SHAPES))
def test_divergences_are_those_of_the_definitions(seed: int, f: Format, n: int, shape: str) -> None:
    rng = np.random.default_rng(seed)
    t = distribution(rng, n, shape)
    y = computed(rng, t, f)
    assert_alike(found(y, t), 0, exact(y, t))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), formats, st.integers(2, 30), st.sampled_from([0.1, 10, 200]))
def test_and_so_they_are_of_softmaxes_of_logits(seed: int, f: Format, n: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    x = FORMATS["float16"].round(rng.standard_normal((3, n)) * size)
    got_t = enclose(PROBLEMS["softmax"], Inputs(x))
    rows = []
    with mpmath.workprec(2600):  # exp(-1600) is 2**-2308
        for row in x.tolist():
            e = [mpmath.exp(v - max(row)) for v in row]
            total = mpmath.fsum(e)
            rows.append([Fraction(*_ratio(v / total)) for v in e])
    y = np.stack([computed(rng, row, f) for row in rows])
    got = diverge(y, targets(got_t))
    for i, row in enumerate(rows):
        assert_alike(got, i, exact(y[i], row))


def _ratio(v: mpmath.mpf) -> tuple[int, int]:
    man, exponent = v.man_exp
    return int(man) << max(int(exponent), 0), 1 << max(-int(exponent), 0)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(2, 52))
def test_what_holds_between_divergences_of_distributions(seed: int, n: int, bits: int) -> None:
    """y sums to 1: it cannot be further than 1, lost mass is distance, and Pinsker's inequality."""
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, 2**bits + 1, n - 1))
    y = np.diff(cuts, prepend=0, append=2**bits) / 2.0**bits
    t = distribution(rng, n, str(rng.choice(SHAPES[:3])))
    got = found(y, t)
    assert got.sum_error[0] == 0
    slack = 1 + DIGITS
    assert got.mass_lost[0] <= got.total_variation[0] * slack <= slack**2
    assert 2 * got.total_variation[0] ** 2 <= got.kl_divergence[0] * slack
    back = rng.permutation(n)
    moved = found(y[back], [t[j] for j in back])
    for name in SIZES:
        assert getattr(moved, name)[0] == pytest.approx(getattr(got, name)[0], rel=DIGITS)


@settings(deadline=None)
@given(st.integers(0, 2**32), formats, lengths, st.sampled_from(SHAPES))
def test_what_holds_between_divergences_of_any_results(
    seed: int, f: Format, n: int, shape: str
) -> None:
    rng = np.random.default_rng(seed)
    t = distribution(rng, n, shape)
    got = found(computed(rng, t, f), t)
    for name in SIZES:
        assert getattr(got, name)[0] >= 0
    for name in ("sum_error", "mass_lost"):
        least = getattr(got, name)[0] / 2 * (1 - DIGITS) - UNKNOWN[name]
        assert got.total_variation[0] >= least


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(0, 52))
def test_an_exact_result_diverges_by_nothing(seed: int, n: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, 2**bits + 1, n - 1))
    k = np.diff(cuts, prepend=0, append=2**bits)
    got = found(k / 2.0**bits, [Fraction(int(v), 2**bits) for v in k])
    assert [float(getattr(got, name)[0]) for name in SIZES] == [0, 0, 0, 0]
    assert not got.top1_flip[0]


HALF, THIRD, EPSILON = Fraction(1, 2), Fraction(1, 3), Fraction(1, 10**400)


@pytest.mark.parametrize(
    ("y", "t", "flips"),
    [
        ([0.5, 0.5], [HALF, HALF], False),
        ([0.25, 0.75], [HALF, HALF], False),
        ([0.5, 0.5], [HALF + EPSILON, HALF - EPSILON], False),
        ([0.5, 0.5], [HALF - EPSILON, HALF + EPSILON], True),
        ([0.25, 0.75], [HALF + EPSILON, HALF - EPSILON], True),
        ([0.375] * 3, [Fraction(1, 5), Fraction(2, 5), Fraction(2, 5)], True),
        ([0.25, 0.375, 0.375], [Fraction(1, 5), Fraction(2, 5), Fraction(2, 5)], False),
        ([0.0, 0.0, 0.0], [Fraction(0), HALF, HALF], True),
        ([0.25, 0.5, 0.25], [1 - EPSILON, EPSILON, Fraction(0)], True),
        ([1.0], [Fraction(1)], False),
    ],
)
def test_the_top_class_is_compared_exactly(y: list[float], t: list[Fraction], flips: bool) -> None:
    assert found(np.array(y), t).top1_flip.tolist() == [flips]


@pytest.mark.parametrize("j", range(3))
def test_classes_that_the_truth_cannot_tell_apart_are_all_the_top(j: int) -> None:
    """Thirds that differ by 1e-280 of them: 106 bits say nothing of it."""
    x = np.array([[1e-280, 2e-280, 0.0]])
    y = np.where(np.arange(3) == j, 0.5, 0.25)[None]
    assert not diverge(y, targets(enclose(PROBLEMS["softmax"], Inputs(x)))).top1_flip[0]
    x = np.array([[1e-20, 2e-20, 0.0]])  # of which they do
    told = diverge(y, targets(enclose(PROBLEMS["softmax"], Inputs(x)))).top1_flip[0]
    assert told == (j != 1)


@pytest.mark.parametrize(("radius", "known"), [(2.0**-101, True), (2.0**-99, False)])
def test_an_order_is_known_beside_the_radii(radius: float, known: bool) -> None:
    """Of two halves less 2**-61 and less 2**-61 - 2**-98, enclosed so widely."""
    lo = np.array([[-(2.0**-60), -(2.0**-60) + 2.0**-97]])
    hi, exponent = np.ones((1, 2)), np.full((1, 2), -1)
    t = Truth(hi, lo, exponent, np.full((1, 2), radius * 2), np.zeros((1, 2), np.uint8))
    assert diverge(np.array([[0.5, 0.5]]), targets(t)).top1_flip.tolist() == [known]


def test_an_honest_zero_costs_its_probability_and_a_probability_for_nothing_infinitely() -> None:
    """Of t = 2**-40 in float16, and of a masked class."""
    p = Fraction(1, 2**40)
    got = found(np.array([1.0, 0.0]), [1 - p, p])
    assert got.mass_lost[0] == 2.0**-40
    assert got.kl_divergence[0] == pytest.approx(2.0**-40, rel=1e-9)
    got = found(np.array([1.0, 2.0**-24]), [Fraction(1), Fraction(0)])
    assert got.kl_divergence[0] == np.inf
    assert got.total_variation[0] == 2.0**-25


def test_a_negative_probability_diverges_infinitely() -> None:
    got = found(np.array([1.25, -0.25]), [HALF, HALF])
    assert (got.sum_error[0], got.total_variation[0]) == (0, 0.75)
    assert got.kl_divergence[0] == np.inf
    assert got.mass_lost[0] == 0
    assert not np.signbit(found(np.array([1.0, -0.0]), [Fraction(1), Fraction(0)]).kl_divergence[0])


def test_tiny_probabilities_are_taken_at_their_size() -> None:
    """2**-2000, which no float64 holds, computed as 2**-40: y log(y / t) is 1960 log(2) y."""
    t = Fraction(1, 2**2000)
    got = found(np.array([1.0, 2.0**-40]), [1 - t, t])
    assert got.kl_divergence[0] == pytest.approx(2.0**-40 * (1960 * np.log(2) - 1), rel=1e-12)


def three() -> tuple[np.ndarray, list[list[Fraction]]]:
    rng = np.random.default_rng(5)
    t = [distribution(rng, 6, shape) for shape in ("flat", "peaked", "tied")]
    return np.stack([computed(rng, row, FORMATS["float16"]) for row in t]), t


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_result_that_is_no_number_diverges_infinitely_and_flips(value: float) -> None:
    y, t = three()
    before = found(y, *t)
    y[1, 4] = value
    got = found(y, *t)
    for name in SIZES:
        sizes = getattr(before, name).copy()
        sizes[1] = np.inf
        np.testing.assert_array_equal(getattr(got, name), sizes)
    flips = before.top1_flip.copy()
    flips[1] = True
    np.testing.assert_array_equal(got.top1_flip, flips)


@pytest.mark.parametrize("value", [0.25, np.nan])
@pytest.mark.parametrize("state", [State.UNDECIDED, State.UNDEFINED])
def test_where_a_probability_is_not_known_nothing_is_measured(state: State, value: float) -> None:
    y, t = three()
    before, truth = found(y, *t), whole(*(truth_of(*row) for row in t))
    truth.state[2, 0], truth.hi[2, 0] = state, np.nan
    y[2] = value
    got = diverge(y, targets(truth))
    for name in SIZES:
        sizes = getattr(before, name).copy()
        sizes[2] = np.nan
        np.testing.assert_array_equal(getattr(got, name), sizes)
    assert got.top1_flip.tolist() == [*before.top1_flip[:2], False]


@pytest.mark.parametrize("n", [1000, BLOCK + 1])
def test_samples_in_blocks_diverge_as_they_do_alone(n: int) -> None:
    rng = np.random.default_rng(n)
    x = rng.standard_normal((20 if n == 1000 else 2, n)) * 5
    truth = enclose(PROBLEMS["softmax"], Inputs(x))
    y = FORMATS["bfloat16"].round(np.exp(x) / np.exp(x).sum(axis=1, keepdims=True))
    y[1, 7] = np.nan
    assert len(targets(truth)) == 2
    got = diverge(y, targets(truth))
    for i in range(len(x)):
        alone = diverge(y[i : i + 1], targets(truth[i : i + 1]))
        for name in (*SIZES, "top1_flip"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(got, name)[i : i + 1])


def test_a_sum_of_exactly_one_has_no_error_and_a_tail_beside_one_shows() -> None:
    y = np.array([[1.0, 0.0, 0.0], [0.75, 0.25, 2.0**-149], [1.0, 0.0, 1e-300]])
    t = [[Fraction(1), Fraction(0), Fraction(0)]] * 3
    assert found(y, *t).sum_error.tolist() == [0, 2.0**-149, 1e-300]


def test_the_constants_are_those_of_their_derivation() -> None:
    assert np.spacing(SPLIT) == np.spacing(SPLIT - 8) == np.spacing(np.nextafter(32, 0)) == 2.0**-48
    assert list(SERIES[::-1]) == [(-1) ** k / (k * (k - 1)) for k in range(2, 6)]
    with mpmath.workprec(200):
        for d in (mpmath.mpf(NEAR), -mpmath.mpf(NEAR)):
            h = (1 + d) * mpmath.log(1 + d) - d
            series = sum((-d) ** k / (k * (k - 1)) for k in range(2, 6))
            assert h > 2.0**-14
            assert abs(series / h - 1) < 2.0**-27
