"""Where a formula begins to fail as equal logits grow, found by bisection over bit patterns."""

from fractions import Fraction
from typing import Any

import flint
import numpy as np

from fpstudy import decimals
from fpstudy.arithmetic import arb
from fpstudy.arithmetic.numpy import evaluate
from fpstudy.claims.bisection import PROBES, Found, last_without
from fpstudy.claims.certified import same_digits, short
from fpstudy.claims.computed import agrees, extreme, number_of
from fpstudy.claims.finding import Finding, Rows, in_dtypes, stored
from fpstudy.formats import FORMATS, Floats
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS, Formula
from fpstudy.study_file.claims import Onset


def onset(claim: Onset) -> Finding:
    """The onset in every dtype, beside the threshold that Arb certifies."""
    n = 1 if claim.threshold == "log(largest)" else claim.n
    threshold = f"log(largest / {n:,})" if n > 1 else "log(largest)"
    table = Rows(("dtype", "largest M", "in hex", "just above, the result is", threshold))
    rows_hold = [_row(claim, dtype, n, table) for dtype in claim.dtype]
    what = "NaN" if claim.trouble == "nan" else "infinite or NaN"
    what = f"0, {what}" if _zero_is_failure(claim) else what
    logits = f"{claim.n:,} equal logits M" if claim.n > 1 else "one logit M"
    evidence = (
        f"{claim.problem} by {claim.formula} on {logits}: the largest M at which the result is not"
        f" {what}, by bisection over the bit patterns of each dtype, with {2 * PROBES} more of them"
        f" tried on both sides; it is as claimed {in_dtypes(rows_hold)}."
    )
    for dtype, largest, _, result, limit in table.rows:
        if dtype in claim.expect:
            evidence += f" In {dtype} it is {largest}, then comes {result}; {threshold} = {limit}."
    return Finding(all(rows_hold), evidence, table=table.data())


def _row(claim: Onset, dtype: str, n: int, table: Rows) -> bool:
    """Search in one dtype and write what was found; returns whether it is as claimed."""
    formula = PROBLEMS[claim.problem].formulas[claim.formula]
    found = search(formula, dtype, claim.n, _zero_is_failure(claim), claim.trouble)
    limit = short(_log(dtype, n), 8)
    if found.bits is None or found.bits < 0:
        table.add(dtype, "no trouble" if found.bits is None else "none: fails at 0", "", "", limit)
        return found.steady and claim.threshold == "none" and dtype not in claim.expect
    M, above = (float(number_of(found.bits + k, dtype)) for k in (0, 1))
    result = float(_results(formula, np.asarray([above]), dtype, claim.n)[0])
    table.add(dtype, stored(M, dtype), M.hex(), stored(result, dtype), limit)
    holds = found.steady and claim.threshold != "none"
    if claim.then is not None:
        holds &= agrees(result, claim.then, dtype, None)
    if claim.threshold is not None:
        holds &= _near(M, above, n, dtype)
    if dtype in claim.expect:
        text = decimals.of_fraction(Fraction(M), claim.digits)
        holds &= same_digits(text, claim.expect[dtype], claim.digits)
    return holds


def _zero_is_failure(claim: Onset) -> bool:
    """A probability of 1 / n is never 0; log-sum-exp may be."""
    return PROBLEMS[claim.problem].vector and claim.trouble == "failure"


def search(formula: Formula, dtype: str, n: int, zero: bool, trouble: str) -> Found:
    """Bisection from M = 0 to the largest number of the dtype; `zero`: whether 0 is a trouble."""

    def troubled(M: Floats) -> Any:
        y = _results(formula, M, dtype, n)
        return np.isnan(y) if trouble == "nan" else ~np.isfinite(y) | (zero & (y == 0))

    return last_without(troubled, dtype)


def _results(formula: Formula, M: Floats, dtype: str, n: int) -> Floats:
    """The first component of the formula at n logits M, for each M."""
    y = evaluate(formula, Inputs(np.repeat(M[:, None], n, axis=1)), FORMATS[dtype])
    return y.reshape(len(M), -1)[:, 0]


def _log(dtype: str, n: int) -> flint.arb:
    with arb.precision(128):
        return (flint.arb(extreme(dtype, "largest")) / n).log()


def _near(M: float, above: float, n: int, dtype: str) -> bool:
    """Whether the onset is the last number before log(largest / n), give or take one.

    Rounding reaches half an ulp beyond the largest number, and exponentials are a few ulps off.
    """
    step, limit = above - M, _log(dtype, n)
    return bool(limit > M - step and limit < above + step)
