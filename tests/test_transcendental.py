"""exp, log, log2, log1p, expm1 and powers rounded once, against mpmath at hundreds of bits."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from rational_rounding import ALL, assert_same, edges, numbers, of_infinite, of_mpf, rn

from fpstudy.arithmetic import transcendental
from fpstudy.arithmetic.transcendental import exp, expm1, log, log1p, log2, power
from fpstudy.formats import DOUBLE, FORMATS, Floats, Format

CONTEXT = mpmath.MPContext()
FUNCTIONS: dict[str, tuple[Callable[..., Floats], Callable[..., Any], np.ufunc]] = {
    "exp": (exp, CONTEXT.exp, np.exp),
    "log": (log, CONTEXT.log, np.log),
    "log2": (log2, lambda x: CONTEXT.log(x) / CONTEXT.log(2), np.log2),
    "log1p": (log1p, CONTEXT.log1p, np.log1p),
    "expm1": (expm1, CONTEXT.expm1, np.expm1),
}
EACH = pytest.mark.parametrize("name", FUNCTIONS)
EACH_FORMAT = pytest.mark.parametrize("f", ALL, ids=lambda f: f.name)
RANDOM = 10_000
FEW = 1_500  # where every number takes Arb, and for each format of our own


def arguments(f: Format, name: str) -> np.ndarray:
    """Numbers of the format all over the domain, most of them where the result is in range."""
    rng = np.random.default_rng(1)
    count = RANDOM if f.name in FORMATS and f.precision < DOUBLE else FEW
    x = numbers(f, count, rng)
    if name in ("exp", "expm1"):
        top = min(math.log(f.largest), 700)
        low = max(math.log(f.least_subnormal) - 2, -745)
        x[: 3 * count // 4] = f.round(rng.uniform(low, top, 3 * count // 4))
    else:
        x[: 7 * count // 8] = np.abs(x[: 7 * count // 8])
        x[: count // 4] = f.round(1 + 16 * f.unit_roundoff * rng.integers(-9, 9, count // 4))
    return np.concatenate([x, edges(f), -np.ldexp(1.0, np.arange(f.emin, 2))])


def exactly(f: Format, name: str, x: float) -> float:
    """RN(f(x)) from mpmath: 400 bits, or as many as show what a tiny x adds."""
    _, function, ieee = FUNCTIONS[name]
    with np.errstate(all="ignore"):
        y = float(ieee(x))
    pole = not math.isfinite(y) and not name.startswith("exp")
    if not math.isfinite(x) or pole or (x == 0 and y == 0):
        return of_infinite(f, y)
    if name.startswith("exp") and abs(x) > 1500:  # far beyond both ends
        return rn(f, Fraction(2) ** 5000) if x > 0 else (rn(f, Fraction(-1)) if y else 0.0)
    tiny = name in ("log1p", "expm1", "exp") and abs(x) < 2.0**-60
    with CONTEXT.workprec(2600 if tiny or (name == "expm1" and x < -60) else 400):
        return rn(f, of_mpf(function(CONTEXT.mpf(x))))


@EACH
@EACH_FORMAT
def test_a_function_is_the_real_one_rounded_once(f: Format, name: str) -> None:
    x = arguments(f, name)
    x = x[f.holds(x)]
    ours = FUNCTIONS[name][0](f, x)
    assert_same(ours, np.asarray([exactly(f, name, v) for v in x.tolist()]), x)


@EACH
@pytest.mark.parametrize("f", [f for f in ALL if f.precision <= 11], ids=lambda f: f.name)
def test_without_any_trust_in_float64_the_bits_are_the_same(
    f: Format, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error taken for 2**-10 sends a part of the values to Arb, and a larger one all of them."""
    x = arguments(f, name)[-3000:]
    x = x[f.holds(x)]
    ours = FUNCTIONS[name][0](f, x)
    monkeypatch.setattr(transcendental, "RELATIVE", 2.0**-f.precision)
    assert_same(FUNCTIONS[name][0](f, x), ours, x)


@pytest.mark.parametrize(("name", "low", "high"), [("exp", 1.0, 2.0), ("log", 2.0, 4.0)])
def test_the_float32_results_next_to_a_midpoint_are_right(
    name: str, low: float, high: float
) -> None:
    """All 2**23 arguments of a binade: the 40 results closest to a midpoint, against mpmath."""
    f = FORMATS["float32"]
    x = np.arange(2**23) * np.ldexp(low, -23) + low
    y = FUNCTIONS[name][2](x)
    step = np.ldexp(1.0, f.quantum(y))
    distance = np.abs(np.mod(y / step, 1) - 0.5)
    closest = np.argsort(distance)[:40]
    assert distance[closest[0]] < 2.0**-20
    x = x[closest]
    assert_same(FUNCTIONS[name][0](f, x), [exactly(f, name, v) for v in x.tolist()], x)


@EACH
def test_a_library_that_is_wrong_by_its_allowance_changes_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Float64's function moved by 60 units in the last place, as no library is."""
    f = FORMATS["float32"]
    x = np.abs(numbers(f, 300_000, np.random.default_rng(3)))
    ours = FUNCTIONS[name][0](f, x)
    function = getattr(np, name)

    def worse(x: Floats) -> Floats:
        return np.asarray(function(x) * (1 + 60 * 2.0**-52))

    monkeypatch.setattr(np, name, worse)
    assert_same(FUNCTIONS[name][0](f, x), ours, x)


@EACH
def test_float64s_function_is_well_within_the_error_allowed_for(name: str) -> None:
    """Half a unit of correct rounding and at most 4 of the library, of 128 allowed."""
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.uniform(0, 40, 2000), 2.0 ** rng.uniform(-60, 9, 2000)])
    y = FUNCTIONS[name][2](x)
    with CONTEXT.workprec(200):
        exact = [of_mpf(FUNCTIONS[name][1](CONTEXT.mpf(v))) for v in x.tolist()]
    worst = max(
        abs(Fraction(v) - t) / abs(t) for v, t in zip(y.tolist(), exact, strict=True) if t != 0
    )
    assert worst * 32 < transcendental.RELATIVE


@pytest.mark.parametrize(
    ("name", "text", "zeros"),
    [
        ("exp", "0x1.83d4bcdebb3f4p+2", 57),
        ("exp", "0x1.9e9cbbfd6080bp-31", 57),
        ("exp", "-0x1.ed318efb627eap-27", 59),
        ("log", "0x1.98a04e0833091p-1", 49),
        ("expm1", "0x1.fffffffffffffp-54", 52),
        ("log1p", "0x1.fffffffffffffp-54", 51),
        ("expm1", "0x1p-1022", 53),
        ("log1p", "-0x1p-1074", 53),
    ],
)
def test_float64_results_that_nearly_tie_are_decided(name: str, text: str, zeros: int) -> None:
    """Within 2**-zeros half units of a number or midpoint: over 53 + zeros bits are needed."""
    f, x = FORMATS["float64"], np.asarray([float.fromhex(text)])
    with CONTEXT.workprec(2600):
        exact = of_mpf(FUNCTIONS[name][1](CONTEXT.mpf(x[0])))
    halves = abs(exact) / (Fraction(2) ** (int(f.quantum(float(exact))) - 1))
    assert 0 < abs(halves - round(halves)) < Fraction(1, 2**zeros)
    assert FUNCTIONS[name][0](f, x) == rn(f, exact)


def test_exact_values_are_exact() -> None:
    for f in ALL:
        one, zero = np.ones(1), np.asarray([0.0, -0.0])
        assert_same(exp(f, zero), np.ones(2))
        assert_same(log(f, one), np.zeros(1))
        assert_same(expm1(f, zero), zero)
        assert_same(log1p(f, zero), zero)
        k = np.arange(f.emin, f.emax + 1)
        powers = np.ldexp(1.0, k)
        held = f.holds(k.astype(float))
        assert_same(log2(f, powers), [rn(f, Fraction(int(i))) for i in k])
        assert_same(power(f, np.full(held.sum(), 2.0), k[held].astype(float)), powers[held])


# ---------------------------------------------------------------- powers


def exact_power(f: Format, b: float, e: float) -> float:
    """RN(b**e) from rationals where e is a small integer, else from mpmath at 500 bits."""
    with np.errstate(all="ignore"):
        y = float(np.power(b, e))
    if not (math.isfinite(b) and math.isfinite(e)) or b == 0 or e == 0 or math.isnan(y):
        return of_infinite(f, y)
    if e.is_integer() and abs(e) <= 64:
        return rn(f, Fraction(b) ** int(e))
    log2_size = e * math.log2(abs(b))
    sign = -1 if b < 0 and e % 2 else 1
    if abs(log2_size) > 3000:
        return rn(f, sign * Fraction(2) ** (3000 if log2_size > 0 else -3000))
    with CONTEXT.workprec(2600 if abs(log2_size) < 2.0**-60 else 500):
        return rn(f, sign * of_mpf(CONTEXT.power(abs(CONTEXT.mpf(b)), CONTEXT.mpf(e))))


@EACH_FORMAT
def test_a_power_is_the_real_one_rounded_once(f: Format) -> None:
    rng = np.random.default_rng(5)
    count = RANDOM if f.name in FORMATS and f.precision < DOUBLE else FEW
    b, e = numbers(f, count, rng), numbers(f, count, rng)
    b[: count // 2] = np.abs(b[: count // 2])
    with np.errstate(all="ignore"):
        wanted = rng.uniform(f.emin - f.precision, f.emax + 1, count) / np.log2(np.abs(b))
    e = np.where(rng.random(count) < 0.6, f.round(np.clip(wanted, -f.largest, f.largest)), e)
    whole = rng.random(count) < 0.3
    e = np.where(whole, f.round(rng.integers(-5, 6, count).astype(float)), e)
    quarter = rng.random(count) < 0.1
    e = np.where(quarter, f.round(rng.integers(-20, 20, count) / 4), e)
    at = edges(f)
    b, e = np.concatenate([b, np.repeat(at, at.size)]), np.concatenate([e, np.tile(at, at.size)])
    ours = power(f, b, e)
    theirs = [exact_power(f, u, v) for u, v in zip(b.tolist(), e.tolist(), strict=True)]
    assert_same(ours, np.asarray(theirs), b, e)


@pytest.mark.parametrize(
    ("b", "e", "value"),
    [
        (3.0, 2.0, 8.0),  # 9 lies midway between 8 and 10
        (-3.0, 3.0, -28.0),  # -27 lies between -24 and -28
        (6.25, 0.5, 2.5),
        (16.0, 0.25, 2.0),
        (0.0625, -0.75, 8.0),
        (16.0, 1.25, 32.0),
    ],
)
def test_rational_powers_are_taken_from_integers(b: float, e: float, value: float) -> None:
    f = Format("e5m2_wide", precision=3, emax=15, emin=-14)
    assert power(f, np.asarray([b]), np.asarray([e])) == value


@pytest.mark.parametrize(
    ("b", "e", "ball"),
    [
        (2.25, 1.5, (27, -3)),
        (2.25, -1.5, None),
        (2.0, 0.5, None),
        (2.0**-1074, 0.5, (1, -537)),
        (3.0, 33.0, (3**33, 0)),
        (3.0, 200.0, None),
        (1.0, 7.0, (1, 0)),
    ],
)
def test_dyadic_powers_are_recognised(b: float, e: float, ball: tuple[int, int] | None) -> None:
    found = transcendental._dyadic_power(b, e)
    assert (found and tuple(found[:2])) == ball
    if ball is not None:
        assert ball[0] * Fraction(2) ** ball[1] == Fraction(b) ** Fraction(e) or not e.is_integer()
