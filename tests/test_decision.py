"""What double-double decides: no number within its enclosure would round otherwise."""

from fractions import Fraction

import numpy as np
import pytest

from fpstudy.arithmetic.decision import WIDEST, Decided, decide
from fpstudy.arithmetic.double_double import DoubleDouble

U = 2.0**-53
Part = tuple[float, float, int, float]  # hi, lo, exponent, radius


def number(hi: float, lo: float = 0.0, exponent: int = 0, radius: float = 0.0) -> DoubleDouble:
    return DoubleDouble(np.array([hi]), np.array([lo]), np.array([exponent]), np.array([radius]))


def exactly(hi: float, lo: float, exponent: int) -> Fraction:
    return (Fraction(hi) + Fraction(lo)) * Fraction(2) ** exponent


def value(d: Decided) -> Fraction:
    return exactly(float(d.hi[0]), float(d.lo[0]), int(d.exponent[0]))


CASES: dict[str, tuple[Part, Part, bool]] = {
    "a midpoint below 1 within the error": ((1, 0, 0, 0), (-1, 0, -54, 2.0**-60), False),
    "beside a midpoint below 1": ((1, 0, 0, 0), (-1 - 2.0**-20, 0, -54, 2.0**-60), True),
    "a midpoint below 1 itself": ((1, 0, 0, 0), (-1, 0, -54, 0), True),
    "a midpoint above 1 within the error": ((1, 0, 0, 0), (1, 0, -53, 2.0**-60), False),
    "a number within the error": ((1, 0, 0, 0), (1, 0, -52, 2.0**-60), False),
    "a tail that shows in the low word": ((1, 0, 0, 0), (0.7, 0, -80, 2.0**-60), True),
    "a tail that does not": ((1, U, 0, 0), (0.7, 0, -200, 2.0**-60), True),
    "a negative one": ((1, U, 0, 0), (-0.7, 0, -200, 2.0**-60), True),
    "of unknown sign": ((1, U, 0, 0), (0.7, 0, -200, 2.0), False),
    "a tail beyond float64": ((1, 0, 0, 0), (0.7, 0, -3000, 0.4), True),
    "beyond float64, of unknown sign": ((1, 0, 0, 0), (0.7, 0, -3000, 0.6), False),
    "an inexact head beside it": ((1, 0, 0, 2.0**-100), (0.7, 0, -3000, 0.1), False),
    "a head of a third": ((1 / 3, 2.0**-56 / 3, 0, 2.0**-100), (0.7, 0, -90, 0.1), True),
    "no head": ((0, 0, 0, 0), (0.7, U / 7, -500, 2.0**-95), True),
    "no head, a number": ((0, 0, 0, 0), (0.75, 0, -500, 2.0**-95), False),
    "no tail": ((0.75, 0, 3, 0), (0, 0, 0, 0), True),
    "nothing": ((0, 0, 0, 0), (0, 0, 0, 0), True),
    "too wide": ((0, 0, 0, 0), (0.7, U / 7, 0, 2 * WIDEST), False),
    "not known": ((0, 0, 0, 0), (0.7, U / 7, 0, np.inf), False),
    "cancelled": ((1, 0, 0, 0), (-1, U / 5, 0, 2.0**-100), False),
    "beyond the exponents": ((0, 0, 0, 0), (0.7, U / 7, -(2**41), 2.0**-95), False),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_decided_and_what_is_not(name: str) -> None:
    head, tail, known = CASES[name]
    d = decide(number(*head), number(*tail))
    assert bool(d.known[0]) == known
    if known:
        t = exactly(*head[:3]) + exactly(*tail[:3])
        assert abs(value(d) - t) <= Fraction(float(d.radius[0])) * Fraction(2) ** int(d.exponent[0])
        assert d.hi[0] == 0 or 0.5 <= abs(d.hi[0]) <= 1
        assert abs(d.lo[0]) <= 2.0**-54


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("place", [U, -U / 2, 0.0])
def test_a_tiny_tail_lies_on_its_side_of_a_breakpoint(place: float, sign: int) -> None:
    """Of 1 + place, which float64's numbers and midpoints are."""
    for exponent in (-70, -107, -160, -900, -1100, -20_000):
        d = decide(number(1.0, place), number(sign * 0.6, 0.0, exponent, 2.0**-30))
        assert d.known[0]
        assert np.sign(value(d) - exactly(1.0, place, 0)) == sign


def around(t: Fraction) -> list[Fraction]:
    """The numbers of 54 bits around t, and one further on each side."""
    size = abs(t)
    binade = size.numerator.bit_length() - size.denominator.bit_length()
    binade -= Fraction(2) ** binade > size
    places = []
    for e in (binade - 1, binade, binade + 1):
        ulp = Fraction(2) ** (e - 53)
        k = size // ulp
        places += [i * ulp for i in range(int(k) - 1, int(k) + 3) if 2**53 <= i <= 2**54]
    return [p if t > 0 else -p for p in places]


def test_decided_values_compare_as_their_enclosures_do() -> None:
    """Random heads and tails, many of them beside breakpoints, at every relative size."""
    rng = np.random.default_rng(0)
    decided = 0
    for _ in range(4000):
        p = int(rng.integers(1, 55))
        head_hi = float(np.ldexp(rng.integers(2 ** (p - 1), 2**p), -p)) if p < 54 else 1.0
        low = rng.choice([0.0, U / 2, -U / 4, U / 2 * rng.random()])
        head = (head_hi, float(low * head_hi) if rng.random() < 0.5 else 0.0, 0, 0.0)
        head = (*_pair(head[0], head[1]), 0, 0.0)
        tail_hi = float(rng.choice([-1, 1]) * rng.choice([0.5, 0.75, rng.uniform(0.5, 1)]))
        radius = float(rng.choice([0.0, 2.0**-95, 2.0**-40, 2.0**-3]))
        tail = (tail_hi, 0.0, int(rng.integers(-120, -30)), radius)
        d = decide(number(*head), number(*tail))
        if not d.known[0]:
            continue
        decided += 1
        parts = exactly(*head[:3]), exactly(*tail[:3])
        spread = abs(parts[1]) * Fraction(radius)
        ends = [sum(parts) - spread, sum(parts) + spread]
        for b in around(value(d)):
            signs = {np.sign(t - b) for t in (*ends, value(d))}
            assert len(signs) == 1, (head, tail, b)
    assert decided > 1500


def _pair(hi: float, lo: float) -> tuple[float, float]:
    return hi + lo, lo - ((hi + lo) - hi)
