"""The inequality of log-sum-exp, max(x) <= LSE(x) <= max(x) + log n, checked and counted."""

from functools import cache

import flint
import numpy as np

from fpstudy.errors import Flags
from fpstudy.formats import Floats, Format
from fpstudy.rounding import round_truth
from fpstudy.truth import State, Truth


def violations(x: Floats, truth: Truth) -> Flags:
    """(samples,): truths outside the inequality. There are none; one would be a defect.

    t - m is formed in double-double, off by less than 2**-100 of the larger of the two.
    """
    m, finite = _maximum(x)
    size = np.ldexp(np.where(finite, truth.hi, 0.0), np.clip(truth.exponent, -3000, 1024))
    rest = np.ldexp(np.where(finite, truth.lo, 0.0), np.clip(truth.exponent, -3000, 1024))
    high, low = _two_sum(size, -m)
    low = low + rest
    log_n, log_n_rest = _log(x.shape[-1])
    slack = 2.0**-100 * (np.abs(m) + log_n) + 5e-324
    outside = (high + low < -slack) | ((high - log_n) + (low - log_n_rest) > slack)
    return np.asarray(finite & (truth.state == State.DECIDED) & outside)


def broken(y: Floats, x: Floats, f: Format) -> Flags:
    """(samples,): computed values below m, or above m + log n rounded up to the format.

    m is a number of the format, so no faithfully rounded value is counted. Neither is NaN, which
    has its own outcome.
    """
    return outside(y, bracket(x, f))


def outside(y: Floats, ends: tuple[Floats, Floats]) -> Flags:
    """(samples,): computed values below the lower or above the upper end."""
    return (y < ends[0]) | (y > ends[1])


def bracket(x: Floats, f: Format) -> tuple[Floats, Floats]:
    """(samples,) twice: m, and m + log n rounded up to the format; infinite where m is."""
    m, finite = _maximum(x)
    log_n, log_n_rest = _log(x.shape[-1])
    high, low = _two_sum(m, np.full_like(m, log_n))
    high, low = _two_sum(high, low + log_n_rest)  # near m = -log n they cancel
    mantissa, exponent = np.frexp(high)
    rest = np.ldexp(low, -exponent)
    state = np.zeros(len(m), dtype=np.uint8)
    above = Truth(mantissa, rest, exponent.astype(np.int64), np.zeros_like(m), state)
    up = round_truth(above, f).up
    return np.where(finite, m, -np.inf), np.where(finite, up, np.inf)


def _maximum(x: Floats) -> tuple[Floats, Flags]:
    """max(x) for each sample, 0 where it is infinite, and where it is finite."""
    m = x.max(axis=-1)
    finite = np.isfinite(m)
    return np.where(finite, m, 0.0), finite


def _two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """s + e = a + b exactly with s = fl(a + b) (Knuth, TAOCP 4.2.2, theorem B)."""
    s = a + b
    back = s - a
    return s, (a - (s - back)) + (b - back)


@cache
def _log(n: int) -> tuple[float, float]:
    """log n as a pair of floats: its nearest float64, and the float64 nearest to the rest."""
    with flint.ctx.workprec(160):
        log_n = flint.arb(n).log()
        high = float(log_n.mid())
        return high, float((log_n - high).mid())
