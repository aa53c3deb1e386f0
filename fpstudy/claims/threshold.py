"""The numbers at which a format runs out, each found to the bit with every operation rounded.

With Omega the largest number of a format, lambda its least normal and eta its least subnormal one,
and u = 2**-p, what rounds to nearest, ties to even, runs out exactly as follows, for x, g, s > 0:

    exp(x) overflows       e**x >= Omega + ulp(Omega) / 2
    exp(-x) is 0           e**-x <= eta / 2
    exp(-x) is subnormal   e**-x <  lambda - eta / 2, above which it rounds up to lambda
    p rounds to 1          p = 1 / (1 + e**-g) >= 1 - u / 2, half way to the number below 1
    1 + exp(-g) is 1       w = RN(e**-g) <= u, and so e**-g <= u + u**2, half way to the next w
    s + 1 is s             s = 2**p, where s + 1 is a tie and s even: a sum of ones stands still

No exponential of a rational number but 0 is rational, so none of the first five is ever a tie.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from fpstudy import decimals
from fpstudy.arithmetic import arb, sums
from fpstudy.arithmetic.rounded_arrays import RoundedArray
from fpstudy.arithmetic.rounded_namespace import Namespace
from fpstudy.claims.bisection import PROBES, last_without
from fpstudy.claims.certified import same_digits, short
from fpstudy.claims.computed import number_of
from fpstudy.claims.finding import Finding, Rows, in_dtypes, stored
from fpstudy.formats import FORMATS, Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.rounding import round_truth
from fpstudy.study_file.claims import Threshold
from fpstudy.truth import enclose

BITS = 256  # of the limits: far more than tell a limit from the numbers on either side of it


Limit = flint.arb


@dataclass(frozen=True)
class Edge:
    """One way to run out as a number M >= 0 of a format grows.

    result: what is computed at each M, as numbers of the format
    beyond: whether those results have run out, at each M
    limit:  the real M from which theory says so
    theory: the argument there, in words
    sign:   of the argument: exp(-17.3) is of M = 17.3
    names:  0 where the edge is named by the last M before it, 1 where by the first beyond
    """

    result: Callable[[Format, Floats], Floats]
    beyond: Callable[[Format, Floats, Floats], NDArray[np.bool_]]
    limit: Callable[[Format], Limit]
    theory: str
    sign: int = 1
    names: int = 0


def threshold(claim: Threshold) -> Finding:
    """The edges in every dtype, beside those of the rounding rule as Arb certifies them."""
    found = {of: {dtype: _found(EDGES[of], dtype) for dtype in claim.dtype} for of in claim.of}
    rows_hold = [
        all(_holds(claim, found[of][dtype], dtype) for of in claim.of) for dtype in claim.dtype
    ]
    one = len(claim.of) == 1
    evidence = (
        f"Where {claim.of[0] if one else 'each begins'}, with every operation correctly rounded:"
        f" found by bisection over the bit patterns of each dtype, with {2 * PROBES} more of them"
        f" tried on both sides, it is the very number that rounding to nearest entails"
        f" {in_dtypes(rows_hold)}."
    )
    table = _one_table(found[claim.of[0]], EDGES[claim.of[0]]) if one else _several_table(found)
    return Finding(all(rows_hold), evidence, table=table)


@dataclass(frozen=True)
class Place:
    """An edge as found: the numbers before and beyond it, the result there, and theory's limit.

    before, beyond: neighbours in the dtype, with the argument's sign
    named:          the one of them that names the edge
    as_theory:      whether the limit lies between them and the trouble begins just once
    """

    before: float
    beyond: float
    result: float
    limit: Limit
    named: float
    as_theory: bool


def _found(edge: Edge, dtype: str) -> Place:
    """Search in one dtype; all of them have numbers on both sides of every edge."""
    f = FORMATS[dtype]
    found = last_without(lambda M: edge.beyond(f, M, edge.result(f, M)), dtype)
    assert found.bits is not None
    M, above = (float(number_of(found.bits + k, dtype)) for k in (0, 1))
    with arb.precision(BITS):
        limit = edge.limit(f)
        between = bool(limit > M) and bool(limit <= above)
    return Place(
        before=edge.sign * M,
        beyond=edge.sign * above,
        result=float(edge.result(f, np.asarray([above]))[0]),
        limit=edge.sign * limit,
        named=edge.sign * (M, above)[edge.names],
        as_theory=found.steady and between,
    )


def _holds(claim: Threshold, place: Place, dtype: str) -> bool:
    """Whether a place is where theory has it, and where the claim has it."""
    expect = claim.expect.get(dtype)
    if expect is None or not place.as_theory:
        return place.as_theory
    if claim.digits is None:
        return place.named == FORMATS[dtype].parse(expect)
    text = decimals.of_fraction(Fraction(place.named), claim.digits)
    return same_digits(text, expect, claim.digits)


def _one_table(places: dict[str, Place], edge: Edge) -> dict[str, Any]:
    """All that was found of one edge, a row for each dtype."""
    table = Rows(("dtype", "last before", "in hex", "next", "where the result is", edge.theory))
    for dtype, place in places.items():
        result = _exactly(float(stored(place.result, dtype)))
        numbers = _exactly(place.before), place.before.hex(), _exactly(place.beyond)
        table.add(dtype, *numbers, result, short(place.limit, 10))
    return table.data()


def _several_table(found: dict[str, dict[str, Place]]) -> dict[str, Any]:
    """The numbers that name the edges, a row for each dtype and a column for each edge."""
    columns = [f"{of}, {'from' if EDGES[of].names else 'beyond'}" for of in found]
    table = Rows(("dtype", "u", *columns))
    for dtype in next(iter(found.values())):
        named = [_exactly(places[dtype].named) for places in found.values()]
        table.add(dtype, f"2^-{FORMATS[dtype].precision}", *named)
    return table.data()


def _exactly(x: float) -> str:
    """The shortest decimal that float64 reads back; the dtype's own may lie beyond the limit."""
    return repr(x).removesuffix(".0")


def _exp(f: Format, x: Floats) -> Floats:
    """RN(e**x)."""
    return Namespace(f).exp(RoundedArray(x, f)).values


def _top(f: Format, g: Floats) -> Floats:
    """RN(p), p = 1 / (1 + e**-g) the larger probability of two: the exact one, rounded once."""
    pairs = Inputs(np.stack([g, np.zeros_like(g)], axis=-1))
    return round_truth(enclose(PROBLEMS["softmax"], pairs)[:, 0], f).nearest


def _beside_one(f: Format, g: Floats) -> Floats:
    """RN(1 + RN(e**-g))."""
    return (1 + RoundedArray(_exp(f, -g), f)).values


def _one_more(f: Format, s: Floats) -> Floats:
    """RN(s + 1), a step of the sequential sum of ones, for whole s; of others the whole part."""
    s = np.floor(s)
    return sums.total(np.stack([s, np.ones_like(s)]), 0, f, "sequential")


def _omega(f: Format) -> Limit:
    """log(Omega + ulp(Omega) / 2)."""
    return (Limit(f.largest) + Limit((1, f.emax - f.precision))).log()


def _zero(f: Format) -> Limit:
    """-log(eta / 2)."""
    return -(Limit(f.least_subnormal) / 2).log()


def _subnormal(f: Format) -> Limit:
    """-log(lambda - eta / 2)."""
    return -(Limit(f.least_normal) - Limit(f.least_subnormal) / 2).log()


def _certain(f: Format) -> Limit:
    """log(2 / u - 1)."""
    return (Limit((1, f.precision + 1)) - 1).log()


def _lost(f: Format) -> Limit:
    """-log(u + u**2)."""
    return -(Limit((1, -f.precision)) + Limit((1, -2 * f.precision))).log()


def _standstill(f: Format) -> Limit:
    """2**p."""
    return Limit((1, f.precision))


EDGES: dict[str, Edge] = {
    "exp(x) overflows": Edge(
        _exp, lambda f, x, y: ~np.isfinite(y), _omega, "log(largest + ulp / 2)"
    ),
    "exp(x) is 0": Edge(
        lambda f, M: _exp(f, -M), lambda f, M, y: y == 0, _zero, "log(least / 2)", sign=-1
    ),
    "exp(x) is subnormal": Edge(
        lambda f, M: _exp(f, -M), lambda f, M, y: y < f.least_normal, _subnormal,
        "log(least normal - least / 2)", sign=-1,
    ),
    "p rounds to 1": Edge(_top, lambda f, g, y: y == 1, _certain, "log(2 / u - 1)"),
    "1 + exp(-g) is 1": Edge(_beside_one, lambda f, g, y: y == 1, _lost, "-log(u + u^2)"),
    "a sum of ones stands still": Edge(
        _one_more, lambda f, s, y: y - np.floor(s) != 1, _standstill, "2^p", names=1
    ),
}  # fmt: skip
