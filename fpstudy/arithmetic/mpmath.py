"""mpmath's arbitrary precision: the definition of record, and the witness of the truth.

Results are not enclosures; as an engine its rows are marked unproven. A private context keeps
the working precision out of everybody else's mpmath.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mpmath

from fpstudy.arithmetic.object_arrays import ObjectArrays
from fpstudy.dyadic import Ball, add

CONTEXT = mpmath.MPContext()

NAMESPACE = ObjectArrays(
    number=CONTEXT.mpf,
    exp=CONTEXT.exp,
    log=CONTEXT.log,
    log1p=CONTEXT.log1p,
)
PROVEN = False
# What an unproven value is assumed to have lost to rounding, as a part of the working precision.
ASSUMED_LOSS_BITS = 32
MOST_SPREAD_BITS = 2**15  # a gap of 20,000; beyond, a result that looks exact may not be


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Run what is inside at a working precision of so many bits, then restore the private one."""
    with CONTEXT.workprec(bits):
        yield


def ball(number: Any, bits: int) -> Ball | None:
    """An mpf as a ball, its last 32 bits assumed wrong unless it is short enough to be exact."""
    if not CONTEXT.isfinite(number):
        return None
    sign, man, exp, length = (int(part) for part in number._mpf_)
    man = -man if sign else man
    if length <= bits // 2:  # rounding leaves a full significand almost surely
        return Ball(man, exp)
    low = exp + length - bits
    return Ball(man << (exp - low), low, 1 << ASSUMED_LOSS_BITS)


def total(head: Any, tail: Any, bits: int) -> Ball | None:
    """Head + tail as a ball, added exactly: rounding a tiny tail away would look exact."""
    a, b = ball(head, bits), ball(tail, bits)
    return None if a is None or b is None else add(a, b, widest=8 * bits)


def first_bits(spread: float) -> int:
    """The precision to begin with: exp(-spread) is to be seen beside 1, lest 1 look exact."""
    return 128 + min(MOST_SPREAD_BITS, math.ceil(spread / math.log(2)))


def infinity(number: Any) -> float | None:
    """The float infinity where the number is infinite, else None."""
    return float(number) if CONTEXT.isinf(number) else None
