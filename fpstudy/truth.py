"""The truth: a proven enclosure of the exact result at the stored inputs.

`enclose` is the one way to it. It runs a problem's reference in double-double on whole batches, and
what that does not decide in Arb at rising precision, and says "undecided" at the cap. A truth
crosses to the rest of the package as arrays (hi, lo, exponent) of float64 and int64.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpstudy.arithmetic import arb, mpmath
from fpstudy.arithmetic.decision import decide
from fpstudy.arithmetic.double_double import LARGEST_INPUT, LEAST_INPUT
from fpstudy.arithmetic.double_double_arrays import DoubleDoubleArrays
from fpstudy.dyadic import BITS, Packed, beside, pack, pack_ratio
from fpstudy.formats import Floats, Ints
from fpstudy.inputs import Inputs
from fpstudy.limits import Limit, limit
from fpstudy.problems import Problem
from fpstudy.problems.cross_entropy import batch_loss

# What computes the truth: the arithmetic that runs all of a batch that double-double leaves.
ENGINES: dict[str, ModuleType] = {"double_double": arb, "arb": arb, "mpmath": mpmath}
CAP_BITS = 2**17  # exp at this precision takes milliseconds
BLOCK = 2**17  # logits at a time: what is done once for each block costs a millisecond
OBJECTS = 2**14  # logits held as Python objects at a time


class State(IntEnum):
    """What is known of one value."""

    DECIDED = 0
    UNDECIDED = 1
    UNDEFINED = 2


@dataclass(frozen=True)
class Truth:
    """Enclosures |t - (hi + lo) 2**exponent| <= radius 2**exponent, elementwise.

    hi:       float64, 1/2 <= |hi| <= 1, or 0, or an infinity that is the value itself
    lo:       float64, |lo| <= 2**-54, such that hi + lo compares with every number
              of up to 54 bits as t does
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
    problem: Problem,
    inputs: Inputs,
    engine: str = "double_double",
    cap_bits: int = CAP_BITS,
    arrays: DoubleDoubleArrays | None = None,
) -> Truth:
    """Enclosures of the problem's exact values at the inputs, one row for each sample.

    engine: "double_double", with Arb for what that does not decide, "arb" alone, or "mpmath"
    arrays: a namespace that has seen the same logits, whose exponentials are used again
    Shape: (samples, n) for a vector problem, else (samples,). Raises ValueError for an unknown
    engine; a value that cap_bits bits do not decide is UNDECIDED.
    """
    if engine not in ENGINES:
        raise ValueError(f"no engine {engine!r}; known: {', '.join(ENGINES)}")
    if engine == "double_double" and arrays is None:
        arrays = DoubleDoubleArrays()
    samples, block = len(inputs.x), OBJECTS if arrays is None else BLOCK
    size = max(1, block // inputs.x[0].size)
    truth = _nothing_known(inputs.x.shape if problem.vector else inputs.x.shape[:1])
    for start in range(0, samples, size):
        rows = slice(start, start + size)
        part = inputs.take(rows)
        _block(problem, part, _Engine(ENGINES[engine], arrays, cap_bits), truth[rows])
    return truth


@dataclass(frozen=True)
class _Engine:
    """What runs the reference: double-double first where there are arrays for it, then a module."""

    module: ModuleType
    arrays: DoubleDoubleArrays | None
    cap_bits: int


def _arrays(t: Truth) -> tuple[NDArray[Any], ...]:
    return t.hi, t.lo, t.exponent, t.radius, t.state


def _nothing_known(shape: tuple[int, ...]) -> Truth:
    floats = (np.full(shape, np.nan), np.zeros(shape))
    state = np.full(shape, State.UNDECIDED, dtype=np.uint8)
    return Truth(*floats, np.zeros(shape, dtype=np.int64), np.zeros(shape), state)


def _put(truth: Truth, rows: Any, part: Truth) -> None:
    """Write a part of the truths into the arrays."""
    for whole, values in zip(_arrays(truth), _arrays(part), strict=True):
        whole[rows] = values


def _block(problem: Problem, inputs: Inputs, engine: _Engine, truth: Truth) -> None:
    """Find the truths of a block of samples."""
    bounded = limit(problem, inputs)
    whole = replace(inputs, x=bounded.x)
    plain = replace(whole, parameters={})
    _decide(problem, whole, bounded.ordinary, engine, truth)
    _decide(problem, plain, bounded.plain, engine, truth)
    _put_limits(truth, bounded)


def _decide(problem: Problem, inputs: Inputs, chosen: Any, engine: _Engine, truth: Truth) -> None:
    """Decide the chosen rows: by algebra, in double-double, and the rest at rising precision."""
    rows = _by_algebra(problem, inputs, np.flatnonzero(chosen), truth)
    if engine.arrays is not None:
        rows = _by_double_double(problem, inputs, rows, engine.arrays, truth)
    if rows.size:
        _climb(problem, inputs, rows, engine, truth)


def _by_double_double(
    problem: Problem, inputs: Inputs, rows: Ints, arrays: DoubleDoubleArrays, truth: Truth
) -> Ints:
    """Decide what double-double does; return the rows with something undecided."""
    within = rows[_within_range(inputs, rows)]
    if within.size == 0:
        return rows
    all_rows = within.size == len(inputs.x)
    part = inputs if all_rows else inputs.take(within)
    with np.errstate(all="ignore"):  # what overflows has no radius and is left undecided
        found = decide(*parts(problem, part, arrays))
    state = np.where(found.known, np.uint8(State.DECIDED), np.uint8(State.UNDECIDED))
    places = slice(None) if all_rows else within
    _put(truth, places, Truth(found.hi, found.lo, found.exponent, found.radius, state))
    if all_rows and found.known.all():
        return rows[:0]
    left = np.zeros(len(inputs.x), dtype=bool)
    left[rows] = True
    left[within] = ~found.known.reshape(len(within), -1).all(axis=1)
    return np.flatnonzero(left)


def _within_range(inputs: Inputs, rows: Ints) -> Any:
    """Which rows' numbers double-double takes as they are."""
    within = np.ones(len(rows), dtype=bool)
    for array in inputs.arrays:
        size = np.abs(array)
        unfit = ((size > LARGEST_INPUT) & np.isfinite(size)) | ((size < LEAST_INPUT) & (size != 0))
        if unfit.any():
            within &= ~unfit.reshape(len(array), -1).any(axis=1)[rows]
    fits = [LEAST_INPUT <= abs(value) <= LARGEST_INPUT for value in inputs.parameters.values()]
    return within if all(fits) else np.zeros(len(rows), dtype=bool)


def parts(problem: Problem, inputs: Inputs, xp: Any) -> tuple[Any, Any]:
    """The reference's head and tail in a namespace's numbers; their shapes broadcast."""
    arguments = [xp.asarray(array) for array in inputs.arrays]
    parameters = {name: xp.asarray(value) for name, value in inputs.parameters.items()}
    head, tail = problem.reference(xp, *arguments, **parameters)
    if inputs.counted is not None:
        head, tail = (batch_loss(xp, p, inputs.counted, inputs.reduction) for p in (head, tail))
    return head, tail


def cells_of(problem: Problem, inputs: Inputs, xp: Any) -> tuple[Any, ...]:
    """Heads and tails as arrays of one shape, of a namespace that holds Python numbers."""
    both = (np.asarray(part, dtype=object) for part in parts(problem, inputs, xp))
    return tuple(np.broadcast_arrays(*both))


def spread(inputs: Inputs) -> float:
    """The largest |exponent| of a weight exp(z_i - z_k): the range of z = x, beta x or x log b."""
    finite = np.where(np.isfinite(inputs.x), inputs.x, np.nan)
    if np.isnan(finite).all():
        return 0.0
    with np.errstate(all="ignore"):
        gap = np.nanmax(np.nanmax(finite, axis=-1) - np.nanmin(finite, axis=-1))
        return float(min(np.abs(gap * inputs.rate), np.finfo(float).max))


def _by_algebra(problem: Problem, inputs: Inputs, rows: Ints, truth: Truth) -> Ints:
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
            cells = np.empty(len(numerators), dtype=object)
            cells[:] = [pack_ratio(numerator, denominator) for numerator in numerators]
            _put(truth, row, assemble(cells))
    return np.asarray(left, dtype=np.int64)


def _climb(problem: Problem, inputs: Inputs, rows: Ints, engine: _Engine, truth: Truth) -> None:
    """Decide the rows at a precision that doubles until none is left or the cap is met."""
    module = engine.module
    cells = np.empty(truth.hi.shape, dtype=object)
    left, bits = rows, module.first_bits(spread(inputs.take(rows)))
    while left.size and bits <= engine.cap_bits:
        left = _run(problem, inputs, left, module, bits, cells)
        bits *= 2
    _put(truth, rows, assemble(cells[rows]))


def _run(
    problem: Problem, inputs: Inputs, rows: Ints, engine: ModuleType, bits: int, cells: Any
) -> Ints:
    """Run the reference at one precision, fill the cells; return the rows still undecided."""
    with engine.precision(bits):
        heads, tails = cells_of(problem, inputs.take(rows), engine.NAMESPACE)
        decided = [
            _settle(engine, head, tail, bits)
            for head, tail in zip(heads.ravel(), tails.ravel(), strict=True)
        ]
    values = np.empty(len(decided), dtype=object)
    values[:] = decided
    cells[rows] = values.reshape(heads.shape)
    missing = np.asarray([value is None for value in decided]).reshape(len(rows), -1)
    return rows[missing.any(axis=1)]


def _settle(engine: ModuleType, head: Any, tail: Any, bits: int) -> Packed | float | None:
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


def _put_limits(truth: Truth, bounded: Limit) -> None:
    """Put in the rows that have an infinite value or none at all."""
    infinite = np.isinf(bounded.value)
    if infinite.any():
        value = bounded.value[infinite].reshape(-1, *[1] * (truth.hi.ndim - 1))
        truth.hi[infinite], truth.lo[infinite], truth.exponent[infinite] = value, 0.0, 0
        truth.radius[infinite], truth.state[infinite] = 0.0, State.DECIDED
    if bounded.undefined.any():
        truth.state[bounded.undefined] = State.UNDEFINED
    if truth.state.any():
        truth.hi[truth.state != State.DECIDED] = np.nan
