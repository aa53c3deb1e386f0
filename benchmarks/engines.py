"""Three engines for the log-sum-exp and the whole softmax vector of each row, to 80 bits or more.

mpmath and python-flint are written as a notebook has them: a loop over rows and logits. Each engine
takes logits (rows, n) in float64 and returns (log-sum-exp, softmax) of each row.
"""

import flint
import numpy as np
from flint import arb
from mpmath import mp, mpf

from fpstudy.arithmetic.double_double_arrays import DoubleDoubleArrays
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.truth import State, Truth, enclose

Logits = np.ndarray
MPMATH_DIGITS = 50
ARB_BITS = 128
CERTIFIED_BITS = 80  # what a truth is to be known to, relative to itself


def by_mpmath(x: Logits) -> list[tuple[mpf, list[mpf]]]:
    """mpmath at 50 digits; nothing is proven."""
    mp.dps = MPMATH_DIGITS
    results = []
    for row in x.tolist():
        e = [mp.exp(v) for v in row]
        total = mp.fsum(e)
        results.append((mp.log(total), [v / total for v in e]))
    return results


def by_arb(x: Logits) -> list[tuple[arb, list[arb]]]:
    """python-flint's Arb balls at 128 bits."""
    flint.ctx.prec = ARB_BITS
    results = []
    for row in x.tolist():
        e = [arb(v).exp() for v in row]
        total = sum(e, arb(0))
        results.append((total.log(), [v / total for v in e]))
    return results


def by_fpstudy(x: Logits) -> tuple[Truth, Truth]:
    """fpstudy's certified enclosures, the second problem with the exponentials of the first."""
    inputs, arrays = Inputs(x), DoubleDoubleArrays()
    lse = enclose(PROBLEMS["logsumexp"], inputs, arrays=arrays)
    return lse, enclose(PROBLEMS["softmax"], inputs, arrays=arrays)


def undecided(truths: tuple[Truth, Truth]) -> int:
    """How many values were left undecided."""
    return sum(int((truth.state == State.UNDECIDED).sum()) for truth in truths)


def disagreements(x: Logits, truths: tuple[Truth, Truth]) -> list[str]:
    """What the three say differently of the rows of x, in words; truths may hold more rows.

    An enclosure of fpstudy is to be no wider than 2**-80 of its value, to overlap Arb's ball, and
    to lie within 2**-120 max(1, |t|) of mpmath's number, whose 50 digits are 166 bits.
    """
    balls = [[lse, *p] for lse, p in by_arb(x)]
    numbers = [[lse, *p] for lse, p in by_mpmath(x)]
    found = []
    for i in range(len(x)):
        own = [_ball(truths[0], i), *(_ball(truths[1], (i, j)) for j in range(x.shape[1]))]
        for j, (ours, ball, number) in enumerate(zip(own, balls[i], numbers[i], strict=True)):
            what = f"row {i}, {'log-sum-exp' if j == 0 else f'softmax {j - 1}'}"
            if ours is None:
                continue  # undecided, which is counted
            if not ours.overlaps(ball):
                found.append(f"{what}: fpstudy has {ours}, Arb {ball}")
            if ours.rad() > abs(ours) * arb(2) ** -CERTIFIED_BITS:
                found.append(f"{what}: fpstudy's {ours} is wider than 2**-{CERTIFIED_BITS}")
            slack = max(1.0, abs(float(ours))) * 2.0**-120
            if not (ours + arb(0, slack)).overlaps(_exactly(number)):
                found.append(f"{what}: fpstudy has {ours}, mpmath {mp.nstr(number, 30)}")
    return found


def _ball(truth: Truth, index: object) -> arb | None:
    """The enclosure as a ball; None where the value is undecided."""
    if truth.state[index] != State.DECIDED:
        return None
    middle = arb(float(truth.hi[index])) + float(truth.lo[index])
    scale = arb(2) ** int(truth.exponent[index])
    return (middle + arb(0, float(truth.radius[index]))) * scale


def _exactly(number: mpf) -> arb:
    """mpmath's number, all of its bits."""
    mantissa, exponent = abs(number).man_exp
    size = arb(int(mantissa)) * arb(2) ** int(exponent)
    return -size if number < 0 else size
