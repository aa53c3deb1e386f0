"""Claims about what a computation gives: a formula, x * y / y, extreme numbers, underflow."""

from fractions import Fraction
from typing import Any

import numpy as np

from fpstudy import decimals
from fpstudy.arithmetic.numpy import DTYPES, evaluate
from fpstudy.claims.certified import command_of, digits, same_digits, value
from fpstudy.claims.finding import Finding, Rows, in_dtypes, listed, stored, vector
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS
from fpstudy.study_file.claims import Computed, Exact, FormatNumber, ProductQuotient, Underflow

SHOWN_DIGITS = 6


def computed(claim: Computed) -> Finding:
    """Run the formula in every dtype and hold its results against those expected."""
    formula = PROBLEMS[claim.problem].formulas[claim.formula]
    table = Rows(("dtype", f"{claim.formula} gives", "exact value"))
    as_claimed = []
    for dtype in claim.dtype:
        certain = value(claim, dtype)
        y = evaluate(formula, certain.inputs, FORMATS[dtype]).ravel().tolist()
        pairs = zip(y, claim.expect, strict=True)
        as_claimed.append(all(agrees(got, want, dtype, claim.digits) for got, want in pairs))
        given = vector([stored(result, dtype) for result in y])
        table.add(dtype, given, vector(digits(certain, SHOWN_DIGITS)))
    what = f"{_named(claim)} by {claim.formula} at {vector(claim.logits)}"
    _, given, true = table.rows[0]
    evidence = f"{what} in {claim.dtype[0]} gives {given}; the exact value is {true}."
    if len(claim.dtype) > 1:
        evidence = f"{what} is as claimed {in_dtypes(as_claimed)}."
    reproduce = command_of(claim, claim.problem, claim.dtype[0])
    return Finding(all(as_claimed), evidence, reproduce, table.if_several())


def agrees(y: float, expect: str, dtype: str, count: int | None) -> bool:
    """Whether a result is the expected one: to so many digits, or as the dtype rounds it."""
    if expect == "nan" or np.isnan(y):
        return expect == "nan" and bool(np.isnan(y))
    if expect.endswith("inf") or np.isinf(y):
        return y == (float(expect) if expect.endswith("inf") else FORMATS[dtype].parse(expect))
    if count is None:
        return y == FORMATS[dtype].parse(expect)
    return same_digits(decimals.of_fraction(Fraction(y), count), expect, count)


def exact(claim: Exact) -> Finding:
    """Hold the certified value against the one expected."""
    certain = value(claim, claim.dtype)
    found = digits(certain, claim.digits)
    pairs = zip(found, claim.expect, strict=True)
    holds = all(same_digits(text, expect, claim.digits) for text, expect in pairs)
    count = f"{claim.digits} digit{'s' * (claim.digits > 1)}"
    evidence = (
        f"{_named(claim)} at {vector(claim.logits)} is {vector(found)}, certified to {count}."
    )
    return Finding(holds, evidence, command_of(claim, claim.problem, claim.dtype))


def _named(claim: Computed | Exact) -> str:
    """The problem with its parameters and labels."""
    with_ = [f"{name} = {given}" for name, given in claim.parameters.items()]
    if claim.labels:
        with_.append(f"labels {vector(claim.labels)}")
    if claim.target is not None:
        with_.append(f"target {claim.target}")
    return f"{claim.problem} with {listed(with_)}" if with_ else claim.problem


def product_quotient(claim: ProductQuotient) -> Finding:
    """x * y / y by the dtype's own scalars; y rounds to 0 or to infinity before it is used."""
    table = Rows(("dtype", "x is stored as", "y is stored as", "x * y", "x * y / y"))
    as_claimed = []
    for dtype in claim.dtype:
        f, number = FORMATS[dtype], DTYPES[dtype].type
        x, y = f.parse(claim.x), f.parse(claim.y)
        with np.errstate(all="ignore"):
            product = number(x) * number(y)
            result = float(product / number(y))
        as_claimed.append(agrees(result, claim.expect, dtype, None))
        table.add(dtype, *(stored(float(v), dtype) for v in (x, y, product, result)))
    dtype, _, y_stored, product_text, text = table.rows[0]
    evidence = (
        f"In {dtype} y = {claim.y} is stored as {y_stored}; {claim.x} * y = {product_text},"
        f" and {product_text} / {y_stored} = {text}."
    )
    if len(claim.dtype) > 1:
        evidence = (
            f"x * y / y at x = {claim.x}, y = {claim.y} is as claimed {in_dtypes(as_claimed)}."
        )
    return Finding(all(as_claimed), evidence, table=table.if_several())


def format_number(claim: FormatNumber) -> Finding:
    """The number as the dtype's own bit patterns have it."""
    found = extreme(claim.dtype, claim.quantity)
    text = decimals.of_fraction(Fraction(found), claim.digits)
    bits = pattern(found, claim.dtype)
    beside = bits + 1 if claim.quantity == "largest" else bits - 1
    evidence = (
        f"The {claim.quantity} finite number of {claim.dtype} has the bit pattern 0x{bits:x} and is"
        f" {found.hex()} = {text} to {claim.digits} digits; the pattern 0x{beside:x} is"
        f" {stored(float(number_of(beside, claim.dtype)), claim.dtype)}."
    )
    return Finding(same_digits(text, claim.expect, claim.digits), evidence)


def pattern(x: float, dtype: str) -> int:
    """The bits of a number of the dtype as an integer; they order the positive numbers."""
    native = np.asarray(x).astype(DTYPES[dtype])
    return int(native.view(f"u{native.dtype.itemsize}"))


def number_of(bits: int, dtype: str) -> Any:
    """The dtype's number with these bits."""
    native = DTYPES[dtype]
    return np.asarray(bits, dtype=f"u{native.itemsize}").view(native)[()]


def extreme(dtype: str, quantity: str) -> float:
    """The least positive or the largest finite number, found among the bit patterns."""
    if quantity == "least positive":
        return float(number_of(1, dtype))
    bits = pattern(np.inf, dtype)  # the pattern of NaN in a format without infinity
    while not np.isfinite(float(number_of(bits, dtype))):
        bits -= 1
    return float(number_of(bits, dtype))


def underflow(claim: Underflow) -> Finding:
    """Run the function where its exact result is least in size but not 0.

    log(x) is least in size at the two neighbours of 1; exp(x) at the lowest x.
    """
    table = Rows(("dtype", "x", f"{claim.function}(x) gives", "least normal number"))
    as_claimed = []
    function: Any = getattr(np, claim.function)
    for dtype in claim.dtype:
        f = FORMATS[dtype]
        one = pattern(1.0, dtype)
        arguments = [float(number_of(bits, dtype)) for bits in (one - 1, one + 1)]
        if claim.function == "exp":
            arguments = [-f.largest]
        with np.errstate(all="ignore"):
            results = [float(function(DTYPES[dtype].type(x))) for x in arguments]
        as_claimed.append(any(abs(y) < f.least_normal for y in results))
        for x, y in zip(arguments, results, strict=True):
            table.add(dtype, stored(x, dtype), stored(y, dtype), f"{f.least_normal:.6g}")
    said = "the two numbers next to 1" if claim.function == "log" else "the lowest number"
    evidence = (
        f"The size of {claim.function} is least, and not 0, at {said}; there the result is 0 or"
        f" subnormal {in_dtypes(as_claimed)}."
    )
    return Finding(all(as_claimed), evidence, table=table.data())
