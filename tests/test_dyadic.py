"""Balls become two floats that round as every number of the ball does."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpstudy.dyadic import BITS, BREAKPOINT_BITS, Ball, Packed, beside, pack, pack_ratio

mantissas = st.integers(-(2**200), 2**200)


def value(p: Packed) -> Fraction:
    return p.sign * p.q * Fraction(2) ** p.exp


def encloses(p: Packed, t: Fraction) -> bool:
    return abs(value(p) - t) <= Fraction(p.radius) * Fraction(2) ** p.exp


def compare(a: Fraction, b: Fraction) -> int:
    return (a > b) - (a < b)


@given(mantissas, st.integers(-300, 300))
def test_an_exact_ball_is_decided_and_rounded_to_odd(man: int, exp: int) -> None:
    t = man * Fraction(2) ** exp
    p = pack(Ball(man, exp))
    assert p is not None
    assert encloses(p, t)
    if value(p) != t:
        assert p.q % 2 == 1
        assert p.q.bit_length() == BITS


@given(mantissas, st.integers(0, 2**40), st.data())
@settings(max_examples=300)
def test_what_is_packed_of_a_ball_encloses_all_of_it(
    man: int, rad: int, data: st.DataObject
) -> None:
    p = pack(Ball(man, 0, rad))
    if p is None:
        return
    t = Fraction(man) + Fraction(data.draw(st.integers(-rad, rad)))
    assert encloses(p, t)


@given(st.integers(2**105, 2**106 - 1), st.integers(-3, 3), st.integers(1, 2), st.booleans())
def test_a_ball_around_a_grid_point_is_enclosed_or_left_undecided(
    point: int, offset: int, rad: int, negative: bool
) -> None:
    """A narrow ball around a 106-bit number whose last bits are not zero: the number stands."""
    man = ((point | 1) << 40) + offset
    p = pack(Ball(-man if negative else man, 0, rad))
    assert p is not None
    for t in (man - rad, man + rad):
        assert encloses(p, Fraction(-t if negative else t))


@given(st.integers(2 ** (BREAKPOINT_BITS - 1), 2**BREAKPOINT_BITS - 1), st.integers(1, 4))
def test_a_ball_around_a_possible_midpoint_is_undecided(point: int, rad: int) -> None:
    assert pack(Ball(point << 100, 0, rad)) is None


def test_below_every_format_a_possible_midpoint_does_no_harm() -> None:
    p = pack(Ball(1 << 200, -5000, 1))
    assert p is not None
    assert encloses(p, (2**200 + 1) * Fraction(2) ** -5000)


@given(
    st.integers(1, 2**60),
    st.integers(-100, 100),
    st.integers(-20_000, -400),
    st.sampled_from([1, -1]),
    st.sampled_from([1, -1]),
)
def test_an_exact_head_and_a_tiny_tail_compare_as_their_sum(
    man: int, exp: int, tail_exp: int, sign: int, tail_sign: int
) -> None:
    head, tail = Ball(sign * man, exp), Ball(tail_sign * (2**70 + 12345), tail_exp - 70, 5)
    ball = beside(head, tail)
    assert ball is not None
    p = pack(ball)
    assert p is not None
    h = sign * man * Fraction(2) ** exp
    assert compare(value(p), h) == tail_sign
    # and with every 54-bit neighbour of the head it compares as the head does
    step = Fraction(2) ** (man.bit_length() + exp - BREAKPOINT_BITS)
    for neighbour in (h - step, h + step):
        assert compare(value(p), neighbour) == compare(h, neighbour)


def test_a_tail_that_may_be_zero_decides_nothing() -> None:
    assert beside(Ball(1, 0), Ball(0, -500, 1)) is None
    assert beside(Ball(1, 0, 1), Ball(1, -500)) is None
    assert beside(Ball(1, 0), Ball(1, -20)) is None


@given(st.fractions().filter(bool))
def test_a_rational_is_rounded_to_odd(t: Fraction) -> None:
    p = pack_ratio(*t.as_integer_ratio())
    assert encloses(p, t)
    assert p.q.bit_length() == BITS
    assert (value(p) == t) == (p.radius == 0)
    if p.radius:
        assert p.q % 2 == 1
        assert abs(value(p) - t) < Fraction(2) ** p.exp


@pytest.mark.parametrize("ball", [Ball(0, 0, 1), Ball(5, 0, 5), Ball(5, 0, 100)])
def test_a_ball_that_holds_zero_is_undecided(ball: Ball) -> None:
    assert pack(ball) is None


@pytest.mark.parametrize("rad", [1 << 20, 1 << 22])
def test_a_ball_that_touches_a_possible_midpoint_is_undecided(rad: int) -> None:
    """rest = rad: the ball's lower end is the grid point itself, here a number of 54 bits."""
    point = 2 ** (BREAKPOINT_BITS - 1) + 1
    man = (point << (BITS + 24 - BREAKPOINT_BITS)) + rad
    assert pack(Ball(man, 0, rad)) is None
    assert pack(Ball(man, 0, rad - 1)) is not None


@pytest.mark.parametrize("point", [2**53 + 1, 2**54 - 1])
def test_a_midpoint_of_float64_has_54_bits_and_is_never_passed_over(point: int) -> None:
    """Half way between two numbers of 53 bits: a ball around it is undecided, one beside it not.

    And what is packed beside it does not compare as equal to it.
    """
    assert pack(Ball(point << 100, 0, 1)) is None
    t = (point << 100) + (1 << 40)
    for sign in (1, -1):
        p = pack(Ball(sign * t, 0, 1 << 10))
        assert p is not None
        assert compare(value(p), Fraction(sign * point << 100)) == sign


def test_a_possible_midpoint_just_above_the_least_one_matters() -> None:
    """2**-1050 less or more than nothing is a tie of float64's subnormals."""
    assert pack(Ball(1 << 200, -1250, 1)) is None


def test_below_every_exponent_only_the_sign_is_known() -> None:
    tiny = pack(Ball(3, -(2**50)))
    assert tiny is not None
    assert tiny.sign == 1
    assert tiny.radius >= tiny.q  # the ball of the packed value reaches down to 0
