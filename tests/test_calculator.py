"""Decimal digits of certified values, at carries, ties, exact values and far exponents."""

from decimal import Decimal, localcontext
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpstudy import decimals
from fpstudy.calculator import MAX_DIGITS, UndecidedError, exact


@given(st.fractions().filter(bool), st.integers(1, 60))
def test_digits_of_a_rational_are_those_of_decimal_division(value: Fraction, digits: int) -> None:
    with localcontext() as context:
        context.prec = digits
        expected = Decimal(value.numerator) / Decimal(value.denominator)
    for padded in (False, True):
        text = decimals.of_fraction(value, digits, padded)
        assert Decimal(text) == expected
        written = text.lstrip("-").partition("e")[0].replace(".", "").lstrip("0")
        if padded and abs(value) < 1:
            assert len(written) == digits


@pytest.mark.parametrize(
    ("logits", "digits", "text"),
    [
        ([1000, 0], 6, "1000.00"),  # e**-1000 above: all digits are shown
        ([1.25, -300], 2, "1.3"),  # a decimal tie, broken by e**-301.25
        ([1.25], 2, "1.2"),  # a decimal tie, exact: to even
        ([1.25], 6, "1.25"),  # exact: no zeros at the end
        ([-745.5], 1, "-700"),
    ],
)
def test_digits(logits: list[float], digits: int, text: str) -> None:
    assert exact("logsumexp", logits).decimal(digits) == text


def test_an_exponent_that_no_integer_holds() -> None:
    """exp(-1e308) = 10**-(1e308 / log 10), its exponent of 308 digits recomputed by mpmath."""
    (top, low) = exact("softmax", [0, -1e308]).decimal(3)
    assert top == "1.00"
    with mpmath.workprec(2000):
        log10 = -mpmath.mpf(1e308) / mpmath.log(10)
        exponent = int(mpmath.floor(log10))
        assert low == f"{mpmath.nstr(10 ** (log10 - exponent), 3)}e{exponent}"


@pytest.mark.parametrize("digits", [1, 2, 3, 6, 17, 40])
def test_a_carry_into_a_new_digit_does_not_show_one_more(digits: int) -> None:
    (top, _) = exact("softmax", [1000, 0]).decimal(digits)
    assert top == ("1" if digits == 1 else "1." + "0" * (digits - 1))


def test_more_digits_agree_with_fewer() -> None:
    value = exact("logsumexp", [0.1, 0.2, 0.3])
    long = Decimal(str(value.decimal(300)))
    for digits in (5, 50, 200):
        with localcontext() as context:
            context.prec = digits
            assert Decimal(str(value.decimal(digits))) == +long


@pytest.mark.parametrize("digits", [0, -1, MAX_DIGITS + 1, 1.5, "a"])
def test_digits_are_checked(digits: object) -> None:
    with pytest.raises(ValueError, match="digits: want 1 to"):
        exact("logsumexp", [1.0]).decimal(digits)  # type: ignore[arg-type]


def test_what_the_cap_does_not_decide_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fpstudy.calculator.CAP_BITS", 256)
    with pytest.raises(UndecidedError, match="200 digits are not decided by 256 bits"):
        exact("logsumexp", [0.5, 0.25]).decimal(200)
