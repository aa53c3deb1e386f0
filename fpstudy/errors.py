"""Errors and outcomes: a computed array scored against the truth, whole arrays at a time.

With t the exact value, y the computed one, lambda the least normal number, ulp(t) = 2**q:

    ulp error       |y - t| / ulp(t)
    relative error  |y - t| / max(|t|, lambda): a correctly rounded subnormal scores at most u
    bits kept       p - clamp(log2(2 * ulp error), 0, p); none for NaN, spurious infinity or zero
    normwise error  max_j |y_j - t_j| / max(max_j |t_j|, lambda), for each vector

An error is infinite for a failure that has no size (NaN, infinity for a finite value, a number
where there is none), and NaN where there is nothing to measure: no exact value and none claimed,
or an undecided one. A result that overflows as the exact one does scores as correctly rounded: half
an ulp, one unit roundoff.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpstudy.formats import Floats, Format, Ints
from fpstudy.outcomes import CODE
from fpstudy.rounding import Rounded, floor_log2, round_truth
from fpstudy.truth import State, Truth

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Errors:
    """Scores of the components; all arrays have the shape of the truth.

    relative, ulps, bits: as above
    outcome:              a code of fpstudy.outcomes
    flushed:              a spurious underflow of a result that is subnormal as it should be
    normwise:             (samples,)
    """

    relative: Floats
    ulps: Floats
    bits: Floats
    outcome: Codes
    flushed: Flags
    normwise: Floats


def score(y: Floats, t: Truth, f: Format, infinite: Flags, tolerance: float = 4.0) -> Errors:
    """Score y, values of the format f as float64, against t.

    infinite:  (samples,), whether a sample's inputs hold an infinity
    tolerance: ulps up to which a result counts as accurate
    Raises ValueError where the shapes differ.
    """
    if y.shape != t.hi.shape:
        raise ValueError(f"computed {y.shape} against a truth of {t.hi.shape}")
    rounded = round_truth(t, f)
    infinite = np.broadcast_to(infinite.reshape(-1, *[1] * (y.ndim - 1)), y.shape)
    ulps = ulp_error(y, t, rounded.quantum)
    outcome = _outcome(y, t, rounded, ulps, infinite, tolerance)
    overflowed = outcome == CODE["honest_overflow"]
    ulps = np.where(overflowed, 0.5, ulps)
    nothing = np.isin(outcome, [CODE["undefined"], CODE["undecided"]])
    ulps = np.where(nothing, np.nan, ulps)
    relative = np.where(overflowed, f.unit_roundoff, _relative(ulps, t, f))
    lost = np.isin(outcome, [CODE[name] for name in KEEPING_NOTHING])
    with np.errstate(divide="ignore"):
        bits = f.precision - np.clip(np.log2(2 * ulps), 0, f.precision)
    subnormal = np.abs(rounded.nearest) < f.least_normal
    return Errors(
        relative=relative,
        ulps=ulps,
        bits=np.where(lost, 0.0, bits),
        outcome=outcome,
        flushed=(outcome == CODE["spurious_underflow"]) & subnormal,
        normwise=_normwise(ulps, t, rounded.quantum, f),
    )


KEEPING_NOTHING = (
    "finite_for_undefined",
    "nan_where_limit_exists",
    "nan",
    "spurious_overflow",
    "spurious_underflow",
)


def ulp_error(y: Floats, t: Truth, quantum: Ints) -> Floats:
    """|y - t| in units of 2**quantum; inf where y or t is not finite and they differ.

    y - hi is exact where y is close to t, so the difference loses nothing that matters. An error
    of less than 2**-25 ulp is known to be that small, but not always to three digits: the truth has
    106 bits. One beyond float64's largest number reads as infinity.
    """
    shift = np.clip(t.exponent - quantum, -2000, 2000)
    with np.errstate(over="ignore", invalid="ignore"):
        hi, lo = np.ldexp(t.hi, shift), np.ldexp(t.lo, shift)
        distance = np.abs((np.ldexp(y, -quantum) - hi) - lo)
    both = np.isfinite(y) & np.isfinite(t.hi)
    return np.where(both, distance, np.where(y == t.hi, 0.0, np.inf))


def _relative(ulps: Floats, t: Truth, f: Format) -> Floats:
    """Ulp error times ulp(t) / max(|t|, lambda): 2**(1 - p), over the significand where normal."""
    hi, lo = (np.where(np.isfinite(t.hi), part, 0.0) for part in (t.hi, t.lo))
    binade = floor_log2(hi, lo, t.exponent, f.emin - 1)
    # |t| / 2**binade, in [1, 2]; shifting by the two exponents at once cannot overflow
    significand = np.ldexp(np.abs(hi), np.clip(t.exponent - binade, 0, 2))
    scale = np.where((binade >= f.emin) & (hi != 0), significand, 1.0)
    return ulps * 2.0 ** (1 - f.precision) / scale


def _normwise(ulps: Floats, t: Truth, quantum: Ints, f: Format) -> Floats:
    """The largest absolute error over the largest |t_j| (or lambda), for each sample.

    Infinite exact values take part only when they are missed, which makes the error infinite. A
    vector with an undecided component has no such error.
    """
    if ulps.ndim == 1:
        ulps, t, quantum = ulps[:, None], t[:, None], quantum[:, None]
    finite = np.isfinite(t.hi) & (t.hi != 0)
    unit = np.where(finite, t.exponent, f.emin).max(axis=-1, keepdims=True)
    unit = np.maximum(unit, f.emin)
    size = np.where(finite, np.ldexp(np.abs(t.hi), np.clip(t.exponent - unit, -2000, 0)), 0.0)
    floor = np.ldexp(1.0, np.clip(f.emin - unit[..., 0], -2000, 0))
    with np.errstate(over="ignore"):
        absolute = np.ldexp(ulps, np.clip(quantum - unit, -4000, 4000))
    measured = ~np.isnan(absolute)
    worst = np.where(measured, absolute, 0.0).max(axis=-1)
    norm = np.maximum(size.max(axis=-1), floor)
    known = measured.any(axis=-1) & ~(t.state == State.UNDECIDED).any(axis=-1)
    return np.where(known, worst / norm, np.nan)


def _outcome(
    y: Floats, t: Truth, r: Rounded, ulps: Floats, infinite: Flags, tolerance: float
) -> Codes:
    """The first outcome that fits, in the order of fpstudy.outcomes."""
    undefined, undecided = t.state == State.UNDEFINED, t.state == State.UNDECIDED
    is_nan, is_inf = np.isnan(y), np.isinf(y)
    overflows = ~np.isfinite(r.nearest) & np.isfinite(t.hi)
    no_room = np.isinf(t.hi) & np.isnan(r.nearest)  # an infinite value, no infinity to say it with
    same = (y == r.nearest) | (is_nan & np.isnan(r.nearest) & ~undefined & ~undecided)
    nonzero = t.hi != 0
    exact = (y == r.nearest) & r.exact
    faithful = (y == r.down) | (y == r.up)
    opposite = (np.sign(y) * np.sign(t.hi)) < 0
    conditions = (
        ("undecided", undecided),
        ("undefined", undefined & is_nan),
        ("finite_for_undefined", undefined),
        ("honest_overflow", (overflows | no_room) & same),
        ("honest_underflow", (r.nearest == 0) & nonzero & (y == 0)),
        ("exact", exact),
        ("nan_where_limit_exists", is_nan & infinite),
        ("nan", is_nan),
        ("spurious_overflow", is_inf & np.isfinite(r.nearest)),
        ("spurious_underflow", (y == 0) & (r.nearest != 0)),
        ("missed_overflow", ~np.isfinite(r.nearest) & ~is_inf),
        ("correctly_rounded", same),
        ("faithful", faithful),
        ("wrong_sign", opposite),
        ("accurate", ulps <= tolerance),
    )
    names, flags = zip(*conditions, strict=True)
    codes = [np.int64(CODE[name]) for name in names]
    return np.select(list(flags), codes, default=np.int64(CODE["inaccurate"]))
