"""Certified values against an oracle that shares nothing with fpstudy (tests/oracle.py)."""

import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import oracle
import pytest

from fpstudy import exact
from fpstudy.formats import FORMATS
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.rounding import round_truth
from fpstudy.truth import State, Truth, enclose

inf = math.inf
EXPONENTIAL = ("softmax", "log_softmax", "logsumexp")
LABELLED = ("cross_entropy", "cross_entropy_gradient")
NARROW = [name for name in oracle.FORMATS if name != "float64"]


def same(a: float, b: float) -> bool:
    """Equal, or both NaN."""
    return a == b or (math.isnan(a) and math.isnan(b))


def assert_encloses(truth: Truth, answer: oracle.Answer, what: object) -> None:
    """One Truth holds the oracle's value, in the normal form that it documents."""
    if answer.digits == oracle.UNDEFINED:
        assert truth.state == State.UNDEFINED, what
        return
    assert truth.state == State.DECIDED, what
    if answer.lo is None:
        assert truth.hi == answer.digits, what
        return
    assert truth.hi == 0 or (0.5 <= abs(truth.hi) <= 1 and abs(truth.lo) <= 2.0**-54), what
    if truth.exponent < -20_000:  # beyond every format: 2**exponent is too long to write out
        middle = answer.lo + answer.hi
        assert (middle > 0) == (truth.hi > 0) and abs(middle) < Fraction(1, 2**2_000), what
        return
    unit = Fraction(2) ** int(truth.exponent)
    middle, radius = Fraction(float(truth.hi)) + Fraction(float(truth.lo)), float(truth.radius)
    assert (middle - Fraction(radius)) * unit <= answer.hi, what
    assert (middle + Fraction(radius)) * unit >= answer.lo, what


def assert_exact(problem: str, *arrays: Any, **options: Any) -> None:
    """exact() agrees with the oracle: 40 digits, all roundings, the enclosure."""
    what = (problem, arrays, options)
    value = exact(problem, *arrays, **options)
    inputs, parameters = value.inputs, dict(value.inputs.parameters)
    stored = [part[0].tolist() for part in inputs.arrays]
    if inputs.counted is not None:
        problem = "batch_loss"
        parameters = {"counted": inputs.counted[0].tolist(), "reduction": inputs.reduction}
    answers = oracle.oracle(problem, *stored, **parameters)
    decimals, rounded = value.decimal(40), value.rounded()
    decimals = decimals if isinstance(decimals, list) else [decimals]
    assert [oracle.parse_digits(text) for text in decimals] == [a.digits for a in answers], what
    for name in oracle.FORMATS:
        for got, answer in zip(rounded[name], answers, strict=True):
            assert same(got, answer.rounded[name]), (what, name, got, answer.rounded[name])
    for j, answer in enumerate(answers):
        assert_encloses(
            value.truth[0, j] if value.truth.hi.ndim > 1 else value.truth[0], answer, what
        )


def assert_batch(problem: str, x: np.ndarray, q: np.ndarray | None = None) -> None:
    """enclose() of a batch agrees with the oracle in every component."""
    truth = enclose(PROBLEMS[problem], Inputs(x, q))
    rounded = {name: round_truth(truth, f).nearest for name, f in FORMATS.items()}
    for i, row in enumerate(x.tolist()):
        labels = [] if q is None else [q[i].tolist()]
        for j, answer in enumerate(oracle.oracle(problem, row, *labels)):
            at = (i, j) if truth.hi.ndim > 1 else (i,)
            for name in oracle.FORMATS:
                assert same(float(rounded[name][at]), answer.rounded[name]), (problem, row, name)
            assert_encloses(truth[at], answer, (problem, row, labels))


def assert_all(x: list[float], dtype: str = "float64") -> None:
    """The five problems at these logits, every target."""
    for problem in EXPONENTIAL:
        assert_exact(problem, x, dtype=dtype)
    for problem, target in product(LABELLED, range(len(x))):
        assert_exact(problem, x, target=target, dtype=dtype)


def to_format(x: np.ndarray, dtype: str) -> np.ndarray:
    """Rounded by the oracle; 1 where the format overflows."""
    rounded = [oracle.to_format(Fraction(v), 0, dtype) for v in x.ravel().tolist()]
    return np.asarray([v if math.isfinite(v) else 1.0 for v in rounded]).reshape(x.shape)


def midpoints(dtype: str, count: int) -> list[float]:
    """Numbers halfway between two neighbours of the format, at various exponents."""
    precision, _, emin, _ = oracle.FORMATS[dtype]
    rng = np.random.default_rng(7)
    odd = 2**precision + 2 * rng.integers(2 ** (precision - 1), size=count) + 1
    exponents = rng.integers(max(emin, -20), 8, size=count) - precision
    return [float(k) * 2.0 ** int(e) for k, e in zip(odd, exponents, strict=True)]


# --------------------------------------------------------------------------------- random batches


@pytest.mark.parametrize("dtype", oracle.FORMATS)
@pytest.mark.parametrize("n", [1, 2, 3, 8, 100])
def test_random_logits_at_all_scales(n: int, dtype: str) -> None:
    rng = np.random.default_rng([n, len(dtype), 1])
    for scale in 10.0 ** np.arange(-6, 6):
        samples = 1 if n == 100 else 4
        x = to_format(rng.normal(size=(samples, n)) * scale, dtype)
        soft = to_format(rng.dirichlet(np.ones(n), size=samples), dtype)
        hard = np.eye(n)[rng.integers(n, size=samples)]
        for problem in EXPONENTIAL:
            assert_batch(problem, x)
        for problem, q in product(LABELLED, (soft, hard)):
            assert_batch(problem, x, q)


def test_random_parameters() -> None:
    rng = np.random.default_rng(3)
    for _ in range(100):
        x = (rng.normal(size=rng.integers(1, 6)) * 10.0 ** rng.integers(-5, 5)).tolist()
        beta = float(rng.normal() * 10.0 ** rng.integers(-9, 9))
        assert_exact("softmax", x, beta=beta)
        assert_exact("softmax", x, base=abs(beta))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_random_batch_losses(reduction: str) -> None:
    rng = np.random.default_rng(4)
    for k in range(60):
        rows, n = int(rng.integers(1, 6)), int(rng.integers(1, 5))
        x = (rng.normal(size=(rows, n)) * 10.0 ** rng.integers(-3, 4)).tolist()
        targets = rng.integers(-1, n, size=rows).tolist()
        assert_exact("cross_entropy", x, target=targets, ignore_index=-1, reduction=reduction)
        q = rng.random((rows, n)).tolist()
        assert_exact("cross_entropy", x, labels=q, reduction=reduction, dtype=NARROW[k % 3])


# ---------------------------------------------------------------------------- what is hard to round


@pytest.mark.parametrize("m", [0.0, 1.0, 100.25, 2049.0, -1e10])
def test_gaps(m: float) -> None:
    for g in (0.0, 5e-324, 1e-310, 2.0**-60, 1e-16, 1.0, 17.0, 36.7, 745.2, 2e4, 1e5, 1e15, 1e300):
        assert_all([m, m - g])
    for g in (1e-16, 40.0, 745.0, 3e4):
        assert_all([m - g, m, m])
        assert_all([m, m - g, -inf])


@pytest.mark.parametrize("dtype", NARROW)
def test_midpoint_and_a_tiny_tail(dtype: str) -> None:
    for m in midpoints(dtype, 8):
        for sign, g in product((1, -1), (1e-3, 30.0, 744.0, 3e4, 1e300)):
            assert_exact("logsumexp", [sign * m, sign * m - g])
        assert_exact("logsumexp", [m])
        assert_exact("log_softmax", [m, 0.0])
        assert_exact("cross_entropy", [m + 16, 16.0, -1e5], target=1)
        assert_exact("cross_entropy", [2 * m, 0.0], labels=[0.5, 0.5])


@pytest.mark.parametrize("dtype", oracle.FORMATS)
def test_log_sum_exp_near_zero(dtype: str) -> None:
    for n, k in product((2, 3, 10, 100), range(-2, 3)):
        x = to_format(np.asarray([-math.log(n)]), dtype)
        ulp = 2.0 ** (oracle.power_below(Fraction(-x[0]), 2) - oracle.FORMATS[dtype][0] + 1)
        assert_exact("logsumexp", [x[0] + k * ulp] * n)
        assert_exact("logsumexp", [x[0] + k * ulp] * (n - 1) + [x[0]])


@pytest.mark.parametrize("dtype", oracle.FORMATS)
def test_the_ends_of_a_format(dtype: str) -> None:
    precision, largest, emin, _ = oracle.FORMATS[dtype]
    big, least, eta = float(largest), 2.0**emin, 2.0 ** (emin - precision + 1)
    for x in ([big, big], [big, -big], [eta, 0.0], [least - eta, least], [big, 0.0, eta], [-eta]):
        assert_all(x, dtype)
        for beta in (-1.0, 0.0, eta, big):
            assert_exact("softmax", x, beta=beta, dtype=dtype)
    step = 2.0 ** (oracle.power_below(largest, 2) - precision + 1)
    if dtype == "float64":
        edges = [-(2.0**970), -(2.0**969), -math.nextafter(2.0**970, 0)]
        rows = [[big, edge] for edge in edges]
    else:
        edges = [big + step / 2, big + step / 2 * (1 - 2.0**-8), big + step / 2 * (1 + 2.0**-8)]
        rows = [[edge, 0.0] for edge in edges]
        for edge, g in product(edges, (1.0, 5e3, 1e300)):
            assert_exact("logsumexp", [edge, edge - g])
    for row in rows:
        assert_exact("cross_entropy", row, target=1)
        assert_exact("log_softmax", row)


@pytest.mark.parametrize("dtype", oracle.FORMATS)
def test_results_at_the_least_numbers(dtype: str) -> None:
    precision, _, emin, _ = oracle.FORMATS[dtype]
    for share in (Fraction(1, 2), Fraction(5, 8), Fraction(1), Fraction(5, 2)):
        log = (emin - precision + 1) * math.log(2) + math.log(share)
        for k in range(-2, 3):
            assert_all([0.0, log + k * math.ulp(log)])
    assert_exact("softmax", [0, 0], beta=0, dtype=dtype)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 16, 512, 1024, 1536])
def test_equal_logits(n: int) -> None:
    for problem in EXPONENTIAL:
        assert_exact(problem, [0.5] * n, dtype="float8_e4m3fn")
    assert_exact("cross_entropy_gradient", [1.0] * n, labels=[1 / n] * n)
    assert_exact("cross_entropy", [1.0] * n, target=n - 1)


# ------------------------------------------------------------------------ what algebra must decide

BASES = [2, 4, 3, 0.5, 2.25, 1, 10, 9, 16, 0.1, 1.0625, 1e-300, "0x1.0000000000001p0"]


@pytest.mark.parametrize("base", BASES)
def test_bases(base: float | str) -> None:
    rng = np.random.default_rng(5)
    for k in range(20):
        x = rng.integers(-(4**k % 97) - 1, 5, size=rng.integers(1, 6)) / (1, 1, 2, 4)[k % 4]
        assert_exact("softmax", x.tolist(), base=base)


@pytest.mark.parametrize(
    ("base", "x"),
    [
        (3, [3, 1, 0, 0]),  # 27/32: a tie in float8_e4m3fn
        (3, [3, 1, 0, 0, -20000]),  # 27/32 less a power of 3
        (3, [3, 1, 0, 0, -300.5]),
        (9, [1.5, 0.5, 0, 0]),
        (2, [0, -9, *range(-1, -9, -1), -9]),  # 1/2 and the least numbers of float8_e4m3fn
        (2, [0, -9, *range(-1, -9, -1), -9, -30000]),
        (2, [0, -1e300]),
        (2, [1e15, 1e15 + 1]),
        (1, [1e300, -1e300]),
        (16, [0.125, 0]),
        (4, [0.5, 0, 0, 0.5]),
        (10, [308, -308]),
    ],
)
def test_rational_powers(base: float, x: list[float]) -> None:
    assert_exact("softmax", x, base=base)


def test_small_powers_that_tie() -> None:
    for base, x in product((3, 5, 7, 15), product(range(3), repeat=3)):
        assert_exact("softmax", [float(v) for v in x], base=base)


@pytest.mark.parametrize("scale", [1.0, 0.25, 3.0, 1e-310, 2.0**1000])
def test_labels_that_leave_no_gradient(scale: float) -> None:
    rng = np.random.default_rng(6)
    for n in (2, 3, 5):
        x = rng.normal(size=n)
        p = np.exp(x - x.max()) / np.exp(x - x.max()).sum() * scale
        for q in (p, np.nextafter(p, inf)):
            assert_exact("cross_entropy_gradient", x.tolist(), labels=q.tolist())
            assert_exact("cross_entropy", x.tolist(), labels=q.tolist())
        equal, q = [-7.25] * n, [scale] * n
        assert_exact("cross_entropy_gradient", equal, labels=q)
        assert_exact("cross_entropy_gradient", [*equal, -inf], labels=[*q, 0.0])
        assert_exact("cross_entropy_gradient", [*equal, -2000.0], labels=[*q, 0.0])
        assert_exact("cross_entropy_gradient", equal, labels=[*q[1:], 0.0])
        assert_exact("cross_entropy", [1.0, -1e300], labels=[0.0, scale])


# -------------------------------------------------------------------------------------- infinities


@pytest.mark.parametrize("n", [1, 2, 3])
def test_infinite_logits(n: int) -> None:
    parameters = [{"beta": v} for v in (0, -2, inf, -inf)] + [{"base": 1}]
    for x in map(list, product([inf, -inf, 0.0, -700.0], repeat=n)):
        for problem in EXPONENTIAL:
            assert_exact(problem, x)
        for given in parameters:
            assert_exact("softmax", x, **given)
        if any(map(math.isfinite, x)):  # without a finite one: HARD below
            assert_exact("softmax", x, base=0.5)
            assert_exact("softmax", x, base=10)
        for problem in LABELLED:
            for q in ([1, 0, 0], [0, 1, 0], [0.5, 0, 0.5], [0, 0, 0]):
                assert_exact(problem, x, labels=q[:n])


def test_batches_with_rows_that_have_no_value() -> None:
    for reduction in ("mean", "sum"):
        for rows, targets in (
            ([[1, 2], [inf, inf]], [0, -100]),
            ([[1, 2], [inf, inf]], [0, 1]),
            ([[1, -inf], [2, 3]], [1, 0]),
            ([[1, -inf], [2, 3]], [0, 1]),
            ([[1, 2], [2, 3]], [-100, -100]),
            ([[2049, 0], [0, -1e300]], [1, 0]),
        ):
            assert_exact("cross_entropy", rows, target=targets, reduction=reduction)


# ----------------------------------------------------------------------------------- text of inputs


@pytest.mark.parametrize("dtype", oracle.FORMATS)
def test_decimal_inputs_are_rounded_once(dtype: str) -> None:
    for m in midpoints(dtype, 20):
        text = f"{int(Fraction(m) * 10**200)}"
        for tail in ("", "0" * 50 + "1", "9"):  # the midpoint, a little more, more
            written = f"-{text}{tail}e{-200 - len(tail)}"
            want = oracle.to_format(Fraction(written), 0, dtype)
            assert exact("logsumexp", [written], dtype=dtype).inputs.x[0, 0] == want


@pytest.mark.parametrize("dtype", oracle.FORMATS)
def test_short_hex_inputs_are_exact(dtype: str) -> None:
    for m in midpoints(dtype, 20):
        stored = oracle.to_format(Fraction(m), 0, dtype)
        assert exact("logsumexp", [m.hex()], dtype=dtype).inputs.x[0, 0] == stored


# ------------------------------------------------------------------------- what once went wrong

HARD = [
    # a dyadic softmax less a tail below 2**-131072, which no precision up to the cap shows
    ("softmax", [0.0, 0.0, -1e5], {}),
    ("softmax", [0.0, 0.0, -1e9], {"dtype": "float32"}),
    ("softmax", [-69632.0, 140288.0, 140288.0], {"dtype": "bfloat16"}),
    ("softmax", [-2.0, -2.0, -3.0], {"beta": 1e300}),
    ("softmax", [3.0, 1.0, 0.0, 0.0, -1e5], {"base": 3}),
    ("cross_entropy_gradient", [1.0, 1.0, -1e300], {"target": 0}),
    ("cross_entropy_gradient", [1.0, 1.0, -1e300], {"labels": [1.0, 1.0, 0.0]}),
    # a decimal tie after 40 digits, broken by the tail exp(-257.7)
    ("log_softmax", [9231.230842710167, 8973.497970985856], {}),
    ("log_softmax", [0.0, -744.7277539938332], {}),
    # vectors without a finite entry, to a base
    ("softmax", [-inf, -inf], {"base": 2}),
    ("softmax", [inf], {"base": 2}),
    ("softmax", [inf, -inf], {"base": 0.5}),
]


@pytest.mark.parametrize(("problem", "x", "options"), HARD)
def test_what_balls_alone_cannot_decide(
    problem: str, x: list[float], options: dict[str, Any]
) -> None:
    assert_exact(problem, x, **options)


@pytest.mark.parametrize(
    ("text", "dtype", "stored"),
    [
        ("0x1.0100000000000001p0", "bfloat16", 1 + 2.0**-7),
        ("0x1.00200000000000000001p0", "float16", 1 + 2.0**-10),
        ("-0x1.1000000000000000001p0", "float8_e4m3fn", -1.125),
    ],
)
def test_long_hex_inputs_are_rounded_once(text: str, dtype: str, stored: float) -> None:
    assert exact("logsumexp", [text], dtype=dtype).inputs.x[0, 0] == stored


@pytest.mark.parametrize(
    ("problem", "logits", "options"),
    [
        ("logsumexp", ["0x1.fffffffffffff8p1023"], {}),
        ("logsumexp", [None], {}),
        ("logsumexp", 1.0, {}),
        ("logsumexp", "12", {}),
        ("logsumexp", [1j], {}),
        ("logsumexp", [1, [2]], {}),
        ("logsumexp", ["1__0"], {}),
        ("logsumexp", [True], {}),
        ("cross_entropy", [1.0, 2.0], {"target": 10**30}),
        ("cross_entropy", [1.0, 2.0], {"target": 1.5}),
        ("cross_entropy", [1.0, 2.0], {"target": "1"}),
        ("cross_entropy", [1.0, 2.0], {"labels": 5}),
    ],
)
def test_wrong_arguments_are_refused(problem: str, logits: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"logits|target|labels"):
        exact(problem, logits, **options)
