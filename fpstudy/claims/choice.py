"""Claims about softmax as a choice: order, limits of large beta, the jump of the arg max."""

from itertools import pairwise

import numpy as np

from fpstudy.arithmetic import arb
from fpstudy.calculator import UndecidedError, exact
from fpstudy.claims.certified import (
    BITS,
    balls_of,
    command,
    command_of,
    digits,
    less,
    run,
    same_digits,
    short,
    value,
    vector_text,
)
from fpstudy.claims.computed import number_of, pattern
from fpstudy.claims.finding import Finding, Rows, stored, vector
from fpstudy.formats import FORMATS, Floats
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.rounding import round_truth
from fpstudy.study_file.claims import Jump, Limit, Order
from fpstudy.study_file.exact_numbers import nearest
from fpstudy.truth import enclose

CURVE_POINTS = 81


MOST_BITS = 2**14  # tells apart values that differ by a part in 10**4000


def order(claim: Order) -> Finding:
    """Compare the enclosures of every pair of different logits."""
    x = np.asarray([FORMATS[claim.dtype].parse(entry) for entry in claim.logits])
    pairs = [(i, j) for i in range(len(x)) for j in range(len(x)) if x[i] > x[j]]
    want = {"larger": 1, "smaller": -1, "equal": 0}[claim.larger_get]
    signs = _compare(claim, x, pairs)
    against = [pair for pair in pairs if signs[pair] != want]
    with_ = "".join(f" with {name} = {given}" for name, given in claim.parameters.items())
    evidence = (
        f"{claim.problem}{with_} at {vector(claim.logits)} is"
        f" {vector(digits(value(claim, claim.dtype), 6))}: {len(pairs) - len(against)} of"
        f" {len(pairs)} pairs of different logits are as claimed"
    )
    if against:
        i, j = against[0]
        evidence += f"; not so {claim.logits[i]} and {claim.logits[j]}"
    reproduce = command_of(claim, claim.problem, claim.dtype)
    return Finding(bool(pairs) and not against, evidence + ".", reproduce)


def _compare(claim: Order, x: Floats, pairs: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """The sign of y_i - y_j for each pair, at a precision that rises until balls tell.

    Where b = 1 or beta = 0 all weights are exactly 1, so what balls do not tell apart is equal.
    """
    parse = FORMATS[claim.dtype].parse
    parameters = {name: parse(given) for name, given in claim.parameters.items()}
    flat = parameters in ({"base": 1.0}, {"beta": 0.0})
    signs: dict[tuple[int, int], int] = dict.fromkeys(pairs, 0) if flat else {}
    bits = BITS
    while len(signs) < len(pairs) and bits <= MOST_BITS:
        with arb.precision(bits):
            y = run(claim.problem, arb.NAMESPACE.asarray(x), **parameters)
        told = {(i, j): bool(y[i] > y[j]) - bool(y[i] < y[j]) for i, j in pairs}
        signs = {pair: sign for pair, sign in told.items() if sign}
        bits *= 2
    if len(signs) < len(pairs):
        raise UndecidedError(f"{MOST_BITS:,} bits do not tell two of the values apart")
    return signs


def limit(claim: Limit) -> Finding:
    """The weight outside the arg max (arg min), half the sum of |p_j - limit_j|, at each beta."""
    x = np.asarray([FORMATS[claim.dtype].parse(entry) for entry in claim.logits])
    outside = x != (x.max() if claim.to == "arg_max" else x.min())
    far = []
    for beta in claim.betas:
        at = beta if claim.of == "softmax" else "inf"  # the arg max is the same at every beta
        certain = exact("softmax", claim.logits, beta=at, dtype=claim.dtype)
        weights = np.asarray(balls_of(certain.truth), dtype=object)
        with arb.precision(BITS):
            far.append(sum(weights[outside], start=arb.NAMESPACE.asarray(0.0)[()]))
    falls = all((a == 0 and b == 0) or less(b, a) for a, b in pairwise(far))
    within = arb.NAMESPACE.asarray(FORMATS["float64"].parse(claim.within))[()]
    holds = falls and less(far[-1], within)
    table = Rows(("beta", f"weight outside the {claim.to.replace('_', ' ')}"))
    for beta, distance in zip(claim.betas, far, strict=True):
        table.add(beta, short(distance))
    of = "softmax(beta x)" if claim.of == "softmax" else "The arg max, in which there is no beta,"
    limit_name = claim.to.replace("_", " ")
    falling = "falls with every beta, to" if falls else "does not fall: it is"
    evidence = (
        f"{of} at x = {vector_text(claim.logits)}: the weight outside the {limit_name} {falling}"
        f" {short(far[-1])} at beta = {claim.betas[-1]}; asked was less than {claim.within}."
    )
    last = claim.betas[-1] if claim.of == "softmax" else "inf"
    reproduce = command("softmax", claim.dtype, logits=claim.logits, beta=last)
    return Finding(holds, evidence, reproduce, table.data())


def jump(claim: Jump) -> Finding:
    """The certified softmax of [s - ulp, s], [s, s] and [s + ulp, s]."""
    s = FORMATS[claim.dtype].parse(claim.size)
    bits = pattern(abs(s), claim.dtype)
    neighbours = sorted(
        float(np.copysign(float(number_of(b, claim.dtype)), s or 1.0)) if b >= 0
        else -float(number_of(-b, claim.dtype))
        for b in (bits - 1, bits, bits + 1)
    )  # fmt: skip
    table = Rows((f"first logit, beside {claim.size}", "softmax"))
    holds = True
    for x, expect in zip(neighbours, (("0", "1"), ("0.5", "0.5"), ("1", "0")), strict=True):
        certain = exact("softmax", [x, s], beta=claim.beta, dtype=claim.dtype)
        texts = digits(certain, 6)
        exactly = not certain.truth.radius.any()
        holds &= exactly and all(
            same_digits(text, want, 6) for text, want in zip(texts, expect, strict=True)
        )
        table.add(stored(x, claim.dtype), vector(texts))
    below, above = (abs(x - s) for x in (neighbours[0], neighbours[2]))
    evidence = (
        f"At beta = {claim.beta} the first of two logits moves by one ulp of {claim.dtype} to"
        f" either side of the other, {claim.size}: down by {below:.4g}, up by {above:.4g}."
    )
    reproduce = command(
        "softmax", claim.dtype, logits=[neighbours[2].hex(), s.hex()], beta=claim.beta
    )
    return Finding(
        holds, evidence, reproduce, table.data(), _curves(claim) if claim.betas else None
    )


def _curves(claim: Jump) -> dict[str, object]:
    """p_1 of [d, 0] against d: certified, and the arg max's jump at d = 0."""
    d = np.linspace(-1, 1, CURVE_POINTS)
    least = 2.0**-60  # on the axis the same as 0
    x = dict.fromkeys(claim.betas, d) | {"inf": np.asarray([-1, -least, 0, least, 1])}
    curves = {}
    for beta, at in x.items():
        inputs = Inputs(np.stack([at, np.zeros_like(at)], axis=1), None, {"beta": nearest(beta)})
        p = round_truth(enclose(PROBLEMS["softmax"], inputs), FORMATS["float64"]).nearest[:, 0]
        name = f"beta = {beta}" if beta != "inf" else "beta = inf: arg max"
        curves[name] = {
            "x": [round(float(v), 6) for v in at],
            "y": [float(f"{v:.6g}") for v in p],
        }
    return {
        "title": "The arg max jumps where softmax is smooth",
        "caption": (
            "First component of softmax(beta x) at x = [d, 0], certified values. A change of d that"
            " is as small as one likes takes the arg max from 0 over 1/2 to 1; at every finite beta"
            " the curve is smooth, steeper as beta grows: its slope at 0 is beta / 4."
        ),
        "x_label": "d",
        "y_label": "p_1",
        "curves": curves,
    }
