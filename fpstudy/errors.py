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

What depends on the truth and the format alone is a `Yardstick`, made once for all the formulas that
are scored against it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from fpstudy.formats import Floats, Format
from fpstudy.outcomes import CODE, NAMES
from fpstudy.truth import State, Truth
from fpstudy.yardstick import Yardstick, Yardsticks

Codes = NDArray[np.uint8]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Errors:
    """Scores of the components; all arrays but one have the shape of the truth.

    format:         of the computed values
    relative, ulps: as above
    outcome:        a code of fpstudy.outcomes
    flushed:        a spurious underflow of a result that is subnormal as it should be
    normwise:       (samples,)
    """

    format: Format
    relative: Floats
    ulps: Floats
    outcome: Codes
    flushed: Flags
    normwise: Floats

    @property
    def bits(self) -> Floats:
        """Bits kept, in the shape of the truth."""
        return _bits(self.ulps, np.isin(self.outcome, KEEPING_NOTHING), self.format)


@dataclass(frozen=True)
class SampleErrors:
    """Scores of the samples, each by its worst component; all arrays but one are (samples,).

    relative, ulps: the largest; NaN where no component has an error
    bits:           the fewest bits kept
    normwise:       of the vector
    component:      the first with the largest ulp error
    outcome:        that component's
    counts:         (samples, outcomes): how many components ended in each
    flushed:        how many subnormal components were flushed to zero
    """

    relative: Floats
    ulps: Floats
    bits: Floats
    normwise: Floats
    component: Counts
    outcome: Codes
    counts: Counts
    flushed: Counts


def score(y: Floats, t: Truth, f: Format, infinite: Flags, tolerance: float = 4.0) -> Errors:
    """Score y, values of the format f as float64, against t.

    infinite:  (samples,), whether a sample's inputs hold an infinity
    tolerance: ulps up to which a result counts as accurate
    Raises ValueError where the shapes differ.
    """
    parts = list(_blocks(y, Yardsticks(t, f), infinite, tolerance))
    relative, ulps, outcome, flushed = (
        np.concatenate([getattr(part, name) for part in parts]).reshape(y.shape)
        for name in ("relative", "ulps", "outcome", "flushed")
    )
    normwise = np.concatenate([part.normwise for part in parts])
    return Errors(f, relative, ulps, outcome, flushed, normwise)


def score_samples(
    y: Floats, t: Yardsticks, infinite: Flags, tolerance: float = 4.0
) -> SampleErrors:
    """The same for each sample, by its worst component; y in the format of t."""
    parts = [_worst(part) for part in _blocks(y, t, infinite, tolerance)]
    if len(parts) == 1:
        return parts[0]
    names = [field.name for field in fields(SampleErrors)]
    return SampleErrors(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def _blocks(y: Floats, t: Yardsticks, infinite: Flags, tolerance: float) -> Iterator[Errors]:
    """Errors of blocks of samples, (samples, n)."""
    if y.shape != t.shape:
        raise ValueError(f"computed {y.shape} against a truth of {t.shape}")
    y, start = y.reshape(len(y), -1), 0
    for block in t:
        stop = start + len(block.hi)
        yield _score(y[start:stop], block, infinite[start:stop, None], tolerance)
        start = stop


def _score(y: Floats, t: Yardstick, infinite: Flags, tolerance: float) -> Errors:
    ulps = _ulps(y, t)
    usual = t.usual and bool(np.isfinite(ulps).all())
    if usual:
        outcome = _first(_of_numbers(y, y == t.rounded.nearest, t, ulps, tolerance))
    else:
        outcome = _unusual_outcome(y, t, ulps, infinite, tolerance)
        ulps = np.where(outcome == CODE["honest_overflow"], 0.5, ulps)
        nothing = (outcome == CODE["undefined"]) | (outcome == CODE["undecided"])
        ulps = np.where(nothing, np.nan, ulps)
    relative = ulps / t.size
    if not usual:
        overflowed = outcome == CODE["honest_overflow"]
        relative = np.where(overflowed, t.format.unit_roundoff, relative)
    flushed = outcome == CODE["spurious_underflow"]
    flushed &= np.abs(t.rounded.nearest) < t.format.least_normal
    return Errors(t.format, relative, ulps, outcome, flushed, _normwise(ulps, t))


def _ulps(y: Floats, t: Yardstick) -> Floats:
    """|y - t| / ulp(t); inf where y or t is not finite and they differ.

    y - hi is exact where y is close to t, so the difference loses nothing that matters. An error
    of less than 2**-25 ulp is known to be that small, but not always to three digits: the truth has
    106 bits. One beyond float64's largest number reads as infinity.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        distance = y * t.factors[0]
        for factor in t.factors[1:]:
            distance *= factor
        distance -= t.hi
        distance -= t.lo
        np.abs(distance, out=distance)
    if np.isfinite(distance).all():
        return distance
    both = np.isfinite(y) & np.isfinite(t.truth.hi)
    return np.where(both, distance, np.where(y == t.truth.hi, 0.0, np.inf))


def _normwise(ulps: Floats, t: Yardstick) -> Floats:
    """The largest absolute error over the largest |t_j| (or lambda), for each sample.

    Infinite exact values take part only when they are missed, which makes the error infinite. A
    vector with an undecided component has no such error.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        absolute = ulps * t.weight  # in the sample's units
        if t.exponent.size:
            absolute[t.far] = np.ldexp(ulps[t.far], t.exponent)
    norm = t.norm[:, 0]
    if t.usual:
        largest: Floats = absolute.max(axis=-1)
        return largest / norm
    measured = ~np.isnan(absolute)
    worst = np.where(measured, absolute, 0.0).max(axis=-1)
    known = measured.any(axis=-1) & ~(t.truth.state == State.UNDECIDED).any(axis=-1)
    return np.where(known, worst / norm, np.nan)


KEEPING_NOTHING = tuple(
    CODE[name]
    for name in (
        "finite_for_undefined",
        "nan_where_limit_exists",
        "nan",
        "spurious_overflow",
        "spurious_underflow",
    )
)


def _bits(ulps: Floats, lost: Flags, f: Format) -> Floats:
    with np.errstate(divide="ignore", over="ignore"):
        bits = f.precision - np.clip(np.log2(2 * ulps), 0, f.precision)
    return np.where(lost, 0.0, bits)


def _worst(errors: Errors) -> SampleErrors:
    """Each sample by its worst component; fewest bits are kept where most ulps are off."""
    samples, ulps, relative = len(errors.ulps), errors.ulps, errors.relative
    missing, measured = np.isnan(ulps), np.ones(samples, dtype=bool)
    if missing.any():
        measured = np.asarray(~missing.all(axis=1))
        ulps, relative = (np.where(missing, -1.0, part) for part in (ulps, relative))
    component = ulps.argmax(axis=1)
    at = (np.arange(samples), component)
    largest = np.where(measured, ulps[at], np.nan)
    counts = _counts(errors.outcome)
    lost = np.asarray(counts[:, KEEPING_NOTHING].any(axis=1))
    return SampleErrors(
        relative=np.where(measured, relative.max(axis=1), np.nan),
        ulps=largest,
        bits=_bits(largest, lost, errors.format),
        normwise=errors.normwise,
        component=component,
        outcome=errors.outcome[at],
        counts=counts,
        flushed=errors.flushed.sum(axis=1),
    )


def _counts(outcome: Codes) -> Counts:
    """(samples, outcomes): how many components of each sample ended in each outcome."""
    samples, kinds = len(outcome), len(NAMES)
    cells = outcome + np.arange(0, samples * kinds, kinds)[:, None]
    return np.bincount(cells.ravel(), minlength=samples * kinds).reshape(samples, kinds)


LAST = CODE["inaccurate"]  # the outcome that fits where no other does


def _first(fits: dict[str, Flags]) -> Codes:
    """The first outcome that fits, in the order of fpstudy.outcomes: the one of the least code."""
    rank = np.zeros(next(iter(fits.values())).shape, dtype=np.uint8)
    for name, flags in fits.items():
        np.maximum(rank, flags.view(np.uint8) * np.uint8(LAST - CODE[name]), out=rank)
    return np.uint8(LAST) - rank


def _of_numbers(
    y: Floats, same: Flags, t: Yardstick, ulps: Floats, tolerance: float
) -> dict[str, Flags]:
    """Which outcomes fit where t and y are numbers.

    same: where y is RN(t)
    """
    zero, size, down, up = y == 0, t.truth.hi, t.rounded.down, t.rounded.up
    return {
        "honest_underflow": same & zero & (size != 0),
        "exact": same & t.rounded.exact,
        "spurious_underflow": zero & ~same,
        "correctly_rounded": same,
        "faithful": (y == down) | (y == up),
        "wrong_sign": ((y < 0) & (size > 0)) | ((y > 0) & (size < 0)),
        "accurate": ulps <= tolerance,
    }


def _unusual_outcome(
    y: Floats, t: Yardstick, ulps: Floats, infinite: Flags, tolerance: float
) -> Codes:
    """The first outcome that fits, whatever y and t are."""
    nearest, hi, state = t.rounded.nearest, t.truth.hi, t.truth.state
    undefined, undecided = state == State.UNDEFINED, state == State.UNDECIDED
    is_nan, is_inf = np.isnan(y), np.isinf(y)
    overflows = ~np.isfinite(nearest) & np.isfinite(hi)
    no_room = np.isinf(hi) & np.isnan(nearest)  # an infinite value, no infinity to say it with
    same = (y == nearest) | (is_nan & np.isnan(nearest) & ~undefined & ~undecided)
    fits = {
        "undefined": undefined & is_nan,
        "finite_for_undefined": undefined,
        "honest_overflow": (overflows | no_room) & same,
        "nan_where_limit_exists": is_nan & infinite,
        "nan": is_nan,
        "spurious_overflow": is_inf & np.isfinite(nearest),
        "missed_overflow": ~np.isfinite(nearest) & ~is_inf,
    }
    outcome = _first(fits | _of_numbers(y, same, t, ulps, tolerance))
    return np.where(undecided, np.uint8(CODE["undecided"]), outcome)
