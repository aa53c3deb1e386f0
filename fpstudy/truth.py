"""The truth: a proven enclosure of the exact result at the stored inputs.

`enclose` is the one way to it. It runs a problem's reference in an engine (Arb, or mpmath on
request) at rising precision until every value is decided, and says "undecided" at the cap. A truth
crosses to the rest of the package as arrays (hi, lo, exponent) of float64 and int64.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpstudy.arithmetic import arb, mpmath
from fpstudy.dyadic import BITS, Packed, beside, pack, pack_ratio
from fpstudy.formats import Floats, Ints
from fpstudy.inputs import Inputs
from fpstudy.limits import Limit, limit
from fpstudy.problems import Problem
from fpstudy.problems.cross_entropy import batch_loss

ENGINES: dict[str, ModuleType] = {"arb": arb, "mpmath": mpmath}
CAP_BITS = 2**17  # exp at this precision takes milliseconds
BLOCK = 2**14  # numbers held as Python objects at a time


class State(IntEnum):
    """What is known of one value."""

    DECIDED = 0
    UNDECIDED = 1
    UNDEFINED = 2


@dataclass(frozen=True)
class Truth:
    """Enclosures |t - (hi + lo) 2**exponent| <= radius 2**exponent, elementwise.

    hi:       float64, 1/2 <= |hi| <= 1, or 0, or an infinity that is the value itself
    lo:       float64, |lo| <= 2**-54; its last bit is odd where bits follow, so that hi + lo
              compares with every number of up to 54 bits as t does
    exponent: int64; values below 2**-2**40 share one, and a radius that reaches to 0
    radius:   float64; 0 where hi + lo is the value itself
    state:    a State; hi is NaN where it is not DECIDED
    """

    hi: Floats
    lo: Floats
    exponent: Ints
    radius: Floats
    state: NDArray[np.uint8]

    def __getitem__(self, index: Any) -> "Truth":
        """The truths at an index of the arrays."""
        return Truth(*(part[index] for part in _arrays(self)))


def enclose(
    problem: Problem, inputs: Inputs, engine: str = "arb", cap_bits: int = CAP_BITS
) -> Truth:
    """Enclosures of the problem's exact values at the inputs, one row for each sample.

    Shape: (samples, n) for a vector problem, else (samples,). Raises ValueError for an unknown
    engine; a value that cap_bits bits do not decide is UNDECIDED.
    """
    if engine not in ENGINES:
        raise ValueError(f"no engine {engine!r}; known: {', '.join(ENGINES)}")
    samples, size = len(inputs.x), max(1, BLOCK // inputs.x[0].size)
    blocks = [slice(start, start + size) for start in range(0, samples, size)]
    parts = [_block(problem, inputs.take(rows), ENGINES[engine], cap_bits) for rows in blocks]
    return Truth(*(np.concatenate(arrays) for arrays in zip(*map(_arrays, parts), strict=True)))


def _arrays(t: Truth) -> tuple[NDArray[Any], ...]:
    return t.hi, t.lo, t.exponent, t.radius, t.state


def _block(problem: Problem, inputs: Inputs, engine: ModuleType, cap_bits: int) -> Truth:
    """The truths of a block of samples, held as Python objects meanwhile."""
    bounded = limit(problem, inputs)
    cells = np.empty(inputs.x.shape if problem.vector else inputs.x.shape[:1], dtype=object)
    whole = replace(inputs, x=bounded.x)
    plain = replace(whole, parameters={})
    _climb(problem, whole, np.flatnonzero(bounded.ordinary), engine, cap_bits, cells)
    _climb(problem, plain, np.flatnonzero(bounded.plain), engine, cap_bits, cells)
    return _with_limits(assemble(cells), bounded)


def _climb(
    problem: Problem, inputs: Inputs, rows: Ints, engine: ModuleType, cap_bits: int, cells: Any
) -> None:
    """Decide the rows' cells at a precision that doubles until none is left or the cap is met."""
    rows = _by_algebra(problem, inputs, rows, cells)
    bits = engine.first_bits(spread(inputs)) if rows.size else cap_bits
    while rows.size and bits <= cap_bits:
        rows = _run(problem, inputs, rows, engine, bits, cells)
        bits *= 2


def spread(inputs: Inputs) -> float:
    """The largest |exponent| of a weight exp(z_i - z_k): the range of z = x, beta x or x log b."""
    finite = np.where(np.isfinite(inputs.x), inputs.x, np.nan)
    if np.isnan(finite).all():
        return 0.0
    with np.errstate(all="ignore"):
        gap = np.nanmax(np.nanmax(finite, axis=-1) - np.nanmin(finite, axis=-1))
        return float(min(np.abs(gap * inputs.rate), np.finfo(float).max))


def _by_algebra(problem: Problem, inputs: Inputs, rows: Ints, cells: Any) -> Ints:
    """Settle the rows whose values are rational; return the others."""
    if problem.rational is None or not inputs.parameters:
        return rows
    left = []
    for row in rows:
        values = problem.rational(inputs.x[row].tolist(), **inputs.parameters)
        if values is None:
            left.append(row)
        else:
            numerators, denominator = values
            cells[row] = [pack_ratio(numerator, denominator) for numerator in numerators]
    return np.asarray(left, dtype=np.int64)


def _run(
    problem: Problem, inputs: Inputs, rows: Ints, engine: ModuleType, bits: int, cells: Any
) -> Ints:
    """Run the reference at one precision, fill the cells; return the rows still undecided."""
    xp = engine.NAMESPACE
    with engine.precision(bits):
        part = inputs.take(rows)
        arguments = [xp.asarray(array) for array in part.arrays]
        parameters = {name: xp.asarray(value) for name, value in inputs.parameters.items()}
        parts = problem.reference(xp, *arguments, **parameters)
        if part.counted is not None:
            parts = [batch_loss(xp, loss, part.counted, inputs.reduction) for loss in parts]
        heads, tails = (np.asarray(part, dtype=object) for part in parts)
        shape = heads.shape
        decided = [
            _decide(engine, head, tail, bits)
            for head, tail in zip(heads.ravel(), tails.ravel(), strict=True)
        ]
    values = np.empty(len(decided), dtype=object)
    values[:] = decided
    cells[rows] = values.reshape(shape)
    missing = np.asarray([value is None for value in decided]).reshape(len(rows), -1)
    return rows[missing.any(axis=1)]


def _decide(engine: ModuleType, head: Any, tail: Any, bits: int) -> Packed | float | None:
    """Head + tail as a decided value, an infinity, or None where more precision is needed."""
    ball = engine.total(head, tail, bits)
    packed = None if ball is None else pack(ball)
    if packed is not None:
        return packed
    head_ball, tail_ball = engine.ball(head, bits), engine.ball(tail, bits)
    if tail_ball is None:
        return None
    if head_ball is None:  # an infinite head, as of a masked entry's log-softmax, is the value
        infinite: float | None = engine.infinity(head)
        return infinite
    near = beside(head_ball, tail_ball)
    return None if near is None else pack(near)


def assemble(cells: Any) -> Truth:
    """Decided cells as arrays: the first 53 bits to hi, the next 53 to lo, |lo| <= ulp(hi) / 2."""
    flat = cells.ravel()
    packed = [cell if isinstance(cell, Packed) else Packed(1, 0, 0, 0.0) for cell in flat]
    sign = np.asarray([cell.sign for cell in packed], dtype=np.float64)
    hi = np.ldexp(np.asarray([cell.q >> 53 for cell in packed], dtype=np.float64), -53)
    lo = np.ldexp(np.asarray([cell.q & (2**53 - 1) for cell in packed], dtype=np.float64), -BITS)
    carry = lo > 2.0**-54
    hi, lo = np.where(carry, hi + 2.0**-53, hi), np.where(carry, lo - 2.0**-53, lo)
    exponent = np.asarray([cell.exp + BITS if cell.q else 0 for cell in packed], dtype=np.int64)
    radius = np.asarray([np.ldexp(cell.radius, -BITS) for cell in packed])
    infinite = np.asarray([cell if isinstance(cell, float) else 0.0 for cell in flat])
    state = np.asarray(
        [State.UNDECIDED if cell is None else State.DECIDED for cell in flat], dtype=np.uint8
    )
    hi = np.where(infinite != 0, infinite, sign * hi)
    shape = cells.shape
    arrays = [part.reshape(shape) for part in (hi, sign * lo, exponent, radius, state)]
    return Truth(*arrays)


def _with_limits(truth: Truth, bounded: Limit) -> Truth:
    """The truth with the rows put in that have an infinite value or none at all."""
    across = (slice(None),) + (None,) * (truth.hi.ndim - 1)
    undefined = np.broadcast_to(bounded.undefined[across], truth.hi.shape)
    infinite = np.broadcast_to(bounded.value[across], truth.hi.shape)
    given = np.isinf(infinite)
    state = np.where(given, State.DECIDED, np.where(undefined, State.UNDEFINED, truth.state))
    hi = np.where(given, infinite, np.where(state == State.DECIDED, truth.hi, np.nan))
    return Truth(hi, truth.lo, truth.exponent, truth.radius, state.astype(np.uint8))
