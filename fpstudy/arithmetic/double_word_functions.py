"""exp and log of double words by tables of Arb's values and short series, with proven errors.

The largest relative errors are EXP, LOG_SERIES and LOG, each the sum at its function of what every
step loses, u = 2**-53; `tests/test_double_double.py` holds them against Arb. What lies outside a
function's domain gives numbers without meaning, never an exception.
"""

from functools import cache
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from fpstudy.arithmetic.double_word import (
    Pair,
    add_pairs,
    divide_pairs,
    fast_two_sum,
    multiply_pairs,
    square,
    two_product,
    two_sum,
)
from fpstudy.formats import Floats, Ints

TABLE_BITS = 300  # of the constants before they are cut into float64
BLOCK = 2**14  # numbers at a time: a dozen arrays of them fit a core's second cache
STEPS = 2**13  # of the exponential's table in a factor of 2
FINE_STEPS = 2**7  # the table is the product of two, of coarse and of fine steps
MOST_EXPONENT = 2.0**16  # |x| for exp: then |k| < 2**29.6
PIECE_BITS = 23  # of a piece of log(2) / STEPS: times k it has at most 53 bits
EXP = 2.0**-95
CELLS = 2**10  # of the logarithm's table in [1, 2)
LOG_SERIES = 2.0**-97
LOG = 2.0**-92
FAINT = -600  # log1p(z) for z = 2**FAINT is z (1 - z / 2): its square is lost beside 1


def exp_pair(x: Pair) -> tuple[Floats, Floats, Ints]:
    """e**x = (h + l) 2**k, as exp_of_block has it, some of a cache's worth of numbers at a time."""
    high, low = x[0], np.broadcast_to(x[1], x[0].shape)
    if high.size <= BLOCK or not (high.flags.c_contiguous or high.flags.f_contiguous):
        return exp_of_block(x)
    result = np.empty_like(high), np.empty_like(high), np.empty_like(high, dtype=np.int64)
    parts = [part.reshape(-1, order="A") for part in (*result, high)]  # views, as memory has them
    lows = low.reshape(-1, order="F" if not high.flags.c_contiguous else "C")
    for start in range(0, high.size, BLOCK):
        block = slice(start, start + BLOCK)
        values = exp_of_block((parts[3][block], lows[block]))
        for whole, value in zip(parts[:3], values, strict=True):
            whole[block] = value
    return result


def exp_of_block(x: Pair) -> tuple[Floats, Floats, Ints]:
    """e**x = (h + l) 2**k (1 + delta), |delta| <= EXP, 0.99 < h < 2.01, for |x| <= 2**16.

    x = k L + r, L = log(2) / 2**13, so e**x = 2**(k div 2**13) T e**r with T = 2**(k mod 2**13 /
    2**13) from the table and |r| <= L / 2 (1 + 2**-30) <= rho = 2**-14.52.

    * L = L1 + L2 + L3 + L4, the first three of 23 bits, so that k L1, k L2, k L3 are exact, and
      x_h - k L1 is: both are multiples of their smaller last place, and it is no larger than
      either x_h or 2**-5 (k >= 1 means x_h >= L / 2, so 0 <= k L1 <= 2 x_h). The sums after it are
      2Sum's. |k L4| <= 2**-52.4, so r is off by the roundings of L4, of k L4 and of its sum with
      the errors of the others: 3 * 2**-105.4 + 2**-117 <= 2**-103.
    * e**r - 1 = r + r**2 / 2 + c, c = r**3 (1/6 + r/24 + r**2/120 + r**3/720) <= 2**-46.1 to
      8.1 u by its roundings (3 for r_l left out, 2 for r**3, 2.1 for the polynomial, 1): 2**-96,
      and r**7 / 5040 <= 2**-113 is left out. r_l**2 / 2 <= 2**-136 too.
    * T (1 + e): T is off by 7 u**2 + 2**-105 <= 2**-103; with e = e_h + e_l, |e_l| <= 2**-46.1, the
      roundings of e_l, T_h e_l, three sums of that size, the last one, and T_l e_l left out are
      7 * 2**-99.1 <= 2**-96.2. T_h e_h is Dekker's, and T_h >= T_h e_h.

    In all 2**-103 + 2**-96 + 2**-113 + 2**-103 + 2**-96.2 < 2**-95. An underflow anywhere is below
    2**-1000, beside numbers of about 1.
    """
    table, pieces = _exp_table()
    k = np.rint(x[0] * _STEPS_IN_LOG_2)
    s, e1 = two_sum(x[0] + k * pieces[0], k * pieces[1])
    s, e2 = two_sum(s, k * pieces[2])
    s, e3 = two_sum(s, x[1])
    r, rl = two_sum(s, ((e1 + e2) + e3) + k * pieces[3])

    p, pl = square(r)
    c = r * p * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720))))
    eh, el = fast_two_sum(r, 0.5 * p)
    el = c + (el + (rl + (0.5 * pl + r * rl)))

    steps = k.astype(np.int64)
    t = table[steps & (STEPS - 1)]  # in the memory order of x
    th, tl = t.real, t.imag
    q, ql = two_product(th, eh)
    rest = ((th * el + tl) + tl * eh) + ql
    h, l = fast_two_sum(th, q)
    h, l = fast_two_sum(h, l + rest)
    return h, l, steps >> (STEPS.bit_length() - 1)


def log1p_series(z: Pair, exponent: Any) -> Pair:
    """log(1 + z 2**exponent) / 2**exponent to LOG_SERIES, for |z 2**exponent| <= 2**-10.3.

    log(1 + z) = 2 t (1 + G), t = z / (2 + z), G = t**2/3 + t**4/5 + ...; |t| <= 2**-11.3.

    * t is off by 3 u**2 for 2 + z and 15.1 u**2 for the quotient: 2**-101.8.
    * G <= 2**-24.1: t**2 / 3 as a double word, off by 2**-24 * 2**-100; the rest, at most 2**-47.5,
      in float64, off by 5 u: 2**-98.1; its sum with the low word 2**-100.5; and v**4 / 9 * v <=
      2**-113 is left out, v = t**2.
    * The product is off by 7 u**2 of 2**-24, the sum by 3 u**2.

    In all 2**-101.8 + 2**-98.1 + 2**-100.5 + 2**-113 + 2**-104 < 2**-97.
    """
    scale = np.maximum(exponent, FAINT).astype(np.int32)
    t = divide_pairs(z, add_pairs((2.0, 0.0), (np.ldexp(z[0], scale), np.ldexp(z[1], scale))))
    small, smaller = np.ldexp(t[0], scale), np.ldexp(t[1], scale)
    v, vl = square(small)
    vl = vl + 2 * small * smaller
    g, gl = multiply_pairs((v, vl), _log_table().third)
    G = fast_two_sum(g, gl + v * v * (1 / 5 + v * (1 / 7 + v / 9)))
    y = add_pairs(t, multiply_pairs(t, G))
    return 2 * y[0], 2 * y[1]


class LogTable:
    """-log(c_j) for c_j = 2**10 / j to 13 bits after the point, sqrt(1/2) <= j / 2**10 <= sqrt(2).

    c, high, low: the entries by j - least; c = 1, high = low = 0 at j = 2**10
    log2, third:  log(2) and 1/3 as double words
    """

    def __init__(self) -> None:
        """Compute the entries with Arb."""
        self.least = 724  # floor(2**10 sqrt(1/2))
        j = np.arange(self.least, 1450)  # ceil(2**10 sqrt(2)) = 1449
        self.c = np.rint(CELLS / j * 2**13) / 2**13
        with flint.ctx.workprec(TABLE_BITS):
            pairs = [pair_of(-flint.arb(c).log()) for c in self.c.tolist()]
            self.log2 = pair_of(flint.arb.const_log2())
            self.third = pair_of(flint.arb(1) / 3)
        self.high, self.low = (np.asarray(part) for part in zip(*pairs, strict=True))


def log_pair(m: Pair, k: Floats, z: Pair, z_exponent: Any) -> tuple[Floats, Floats, Ints]:
    """log(m 2**k) = (h + l) 2**e to LOG, for m >= 0.7 and <= 1.42, given m 2**k = 1 + z 2**z_e.

    m may be off by 3 u**2, as the rounded sum 1 + z is. z serves where the logarithm is small:
    k = 0 and |m - 1| <= 2**-11. Elsewhere the logarithm is k log(2) - log(c) + log(1 + w),
    w = c m - 1, c from the table with |w| <= 2**-10.5 + 2**-13.5 < 2**-10.3 (half a cell, and the
    rounding of c).

    * c m_h is exact as a pair p + e, and so is p - 1 (Sterbenz); c m_l and its sum with e are
      rounded, by 2**-105.2, and m itself by 2**-104.4: w is off by 2**-103.7.
    * The series is off by 2**-97 2**-10.3, the table's entry, below 2**-1.5, by 2**-107.5, and
      k log(2) by 3 u**2 |k log(2)|. Each sum adds 3 u**2 of what it gives.

    Where k = 0 that is 2**-103.5 at most, of a logarithm of at least 2**-11.01: 2**-92.4; elsewhere
    the logarithm is more than |k| log(2) / 2, and the error far below.
    """
    table = _log_table()
    j = np.clip(np.rint(m[0] * CELLS) - table.least, 0, len(table.c) - 1).astype(np.int64)
    c = table.c[j]
    near = (c == 1) & (k == 0)
    p, e = two_product(c, m[0])
    w, wl = two_sum(p - 1, e + c * m[1])
    exponent = np.where(near, z_exponent, 0)
    w, wl = np.where(near, z[0], w), np.where(near, z[1], wl)
    series = log1p_series((w, wl), exponent)
    twos, rest = two_product(k, table.log2[0])
    twos = fast_two_sum(twos, rest + k * table.log2[1])
    far = add_pairs(add_pairs(twos, (table.high[j], table.low[j])), series)
    h, l = (np.where(near, a, b) for a, b in zip(series, far, strict=True))
    return h, l, exponent


def pair_of(value: flint.arb) -> tuple[float, float]:
    """An Arb number as a double word, off by 2**-107 of it (its radius is negligible here)."""
    mantissa, exponent = (int(part) for part in value.mid().man_exp())
    high = _nearest(mantissa, exponent)
    with flint.ctx.workprec(TABLE_BITS):
        rest = value - flint.arb(high)
    mantissa, exponent = (int(part) for part in rest.mid().man_exp())
    return high, _nearest(mantissa, exponent)


def _nearest(mantissa: int, exponent: int) -> float:
    """RN(mantissa 2**exponent): Python divides integers correctly rounded."""
    if exponent >= 0:
        return float(mantissa << exponent)
    return mantissa / (1 << -exponent)


_STEPS_IN_LOG_2 = STEPS / 0.6931471805599453  # to 2 u: k is off by one beside a half step at most


@cache
def _exp_table() -> tuple[NDArray[np.complex128], tuple[float, ...]]:
    """2**(i / STEPS), high and low words as real and imaginary parts, and the pieces of -L."""
    with flint.ctx.workprec(TABLE_BITS):
        coarse = _powers(STEPS // FINE_STEPS, STEPS // FINE_STEPS)
        fine = _powers(FINE_STEPS, STEPS)
        L = flint.arb.const_log2() / STEPS
        mantissa, exponent = (int(part) for part in L.mid().man_exp())
    high, low = multiply_pairs(
        (coarse[0][:, None], coarse[1][:, None]), (fine[0][None, :], fine[1][None, :])
    )
    return (high + 1j * low).ravel(), _pieces(mantissa, exponent)


def _powers(count: int, steps: int) -> tuple[Floats, Floats]:
    """2**(i / steps) for i < count, as double words."""
    step = flint.arb.const_log2() / steps
    pairs = [pair_of((step * i).exp()) for i in range(count)]
    high, low = zip(*pairs, strict=True)
    return np.asarray(high), np.asarray(low)


def _pieces(mantissa: int, exponent: int) -> tuple[float, ...]:
    """-mantissa 2**exponent cut into three numbers of 23 bits and a float64 that is the rest."""
    parts = []
    for _ in range(3):
        dropped = mantissa.bit_length() - PIECE_BITS
        parts.append(-_nearest(mantissa >> dropped, exponent + dropped))
        mantissa &= (1 << dropped) - 1
    return *parts, -_nearest(mantissa, exponent)


@cache
def _log_table() -> LogTable:
    return LogTable()
