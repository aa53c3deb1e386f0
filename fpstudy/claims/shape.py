"""Claims about the shape of functions: bounds, ranges, sums, convexity, derivatives."""

from fractions import Fraction
from typing import Any

import flint
import numpy as np

from fpstudy.arithmetic import arb
from fpstudy.arithmetic.numpy import evaluate
from fpstudy.calculator import UndecidedError
from fpstudy.claims.certified import (
    AGREE,
    BITS,
    command_of,
    draws,
    inputs_text,
    less,
    random_text,
    run,
    short,
    targets,
    vector_text,
    vectors,
)
from fpstudy.claims.finding import Finding, Rows, vector
from fpstudy.formats import FORMATS, Floats
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
from fpstudy.rounding import round_truth
from fpstudy.study_file.claims import Between, Convex, Differentiable, Inside, Sum
from fpstudy.truth import State, enclose


def between(claim: Between) -> Finding:
    """The signs of LSE - low and high - LSE; equality counts as between."""
    inside, tried, outside = 0, 0, ""
    with arb.precision(BITS):
        for x, _ in vectors(claim, labels=False):
            exact = arb.NAMESPACE.asarray(x)
            (y,) = run("logsumexp", exact)
            low, high = (_bound(name, exact) for name in (claim.low, claim.high))
            good = _at_most(low, y) and _at_most(y, high)
            inside, tried = inside + good, tried + 1
            if not good and not outside:
                at = vector([f"{v:.6g}" for v in x])
                outside = f"; at {at} it is {short(y)}, and the bounds {short(low)}, {short(high)}"
    evidence = (
        f"{claim.low} <= log-sum-exp <= {claim.high} holds for {inside:,} of {tried:,}"
        f" ({inputs_text(claim)}), by Arb's enclosures{outside}."
    )
    return Finding(inside == tried, evidence, command_of(claim, "logsumexp", claim.dtype))


def _bound(name: str, x: Any) -> Any:
    log_n = flint.arb(len(x)).log()
    mean = sum(x, start=flint.arb(0)) / len(x)
    return {"max": max(x), "max + log n": max(x) + log_n, "mean + log n": mean + log_n}[name]


def _at_most(a: Any, b: Any) -> bool:
    """a <= b, where balls that touch within 2**-100 are taken for equal."""
    gap = b - a
    if gap.contains(0) and gap.abs_upper() < AGREE * (1 + b.abs_upper()):
        return True
    return not less(b, a)


def inside(claim: Inside) -> Finding:
    """Count the values that are not above 0 and below 1."""
    x = np.stack([x for x, _ in vectors(claim, labels=False)])
    counts = {"0": 0, "1": 0, "nothing in [0, 1]": 0}
    if claim.formula is None:
        truth = enclose(PROBLEMS["softmax"], _inputs(claim, x))
        if (truth.state != State.DECIDED).any():
            raise UndecidedError("an exact value is not decided")
        rounded = round_truth(truth, FORMATS["float64"])
        # RD(t) >= 1 only where t >= 1; the sign of a truth is that of hi
        counts["0"] = int((truth.hi <= 0).sum())
        counts["1"] = int((rounded.down >= 1).sum())
        by = "among the exact values, certified"
    else:
        y = _evaluate(claim, x)
        counts = {"0": int((y == 0).sum()), "1": int((y == 1).sum())}
        counts["nothing in [0, 1]"] = int((~((y >= 0) & (y <= 1))).sum())
        by = f"among the values that {claim.formula} gives in {claim.dtype}"
    found = " and ".join(f"{count:,} equal {what}" for what, count in counts.items() if count)
    told = f"of {x.size:,} {found}" if found else f"all {x.size:,} lie in (0, 1)"
    evidence = f"At {inputs_text(claim)}: {by}, {told}."
    return Finding(not found, evidence, command_of(claim, "softmax", claim.dtype))


def total(claim: Sum) -> Finding:
    """Sum the values exactly: enclosures, or the computed numbers as rationals."""
    x = np.stack([x for x, _ in vectors(claim, labels=False)])
    if claim.formula is None:
        parameters = _inputs(claim, x).parameters
        with arb.precision(BITS):
            rows_of_p = [run("softmax", arb.NAMESPACE.asarray(row), **parameters) for row in x]
            sums = [sum(p, start=flint.arb(0)) for p in rows_of_p]
            apart = [s for s in sums if not s.contains(1) or not (s - 1).abs_upper() < AGREE]
        evidence = f"the enclosures of all {len(x):,} exact sums hold 1, within 2^-100"
        if apart:
            evidence = f"{len(apart):,} of {len(x):,} exact sums are not 1"
        holds = not apart
    else:
        rows = _evaluate(claim, x)
        kept = rows[np.isfinite(rows).all(axis=1)].tolist()
        finite = [sum(map(Fraction, row), start=Fraction(0)) for row in kept]
        off = [abs(s - 1) for s in finite if s != 1]
        lost = len(rows) - len(finite)
        holds = not off and not lost
        u = Fraction(FORMATS[claim.dtype].unit_roundoff)
        worst = f", at worst by {float(max(off) / u):.3g} u, u = {float(u):.3g}" if off else ""
        evidence = (
            f"by {claim.formula} in {claim.dtype} the exact sum of the computed values is not 1 at"
            f" {len(off) + lost:,} of {len(rows):,} vectors{worst}"
        )
    command = command_of(claim, "softmax", claim.dtype)
    return Finding(holds, f"For {inputs_text(claim)}, {evidence}.", command)


def _inputs(claim: Inside | Sum, x: Floats) -> Inputs:
    return Inputs(x, None, {k: FORMATS[claim.dtype].parse(v) for k, v in claim.parameters.items()})


def _evaluate(claim: Inside | Sum, x: Floats) -> Floats:
    formula = PROBLEMS["softmax"].formulas[str(claim.formula)]
    return evaluate(formula, _inputs(claim, x), FORMATS[claim.dtype])


def convex(claim: Convex) -> Finding:
    """f((x + y) / 2) against (f(x) + f(y)) / 2 at random pairs."""
    x, labels = draws(claim), targets(claim)
    y = draws(claim.model_copy(update={"seed": claim.seed + 1}))
    good = 0
    with arb.precision(BITS):
        for a, b, q in zip(x, y, labels, strict=True):
            points = arb.NAMESPACE.asarray(a), arb.NAMESPACE.asarray(b)
            middle = (points[0] + points[1]) / 2  # exact: sums of float64 numbers in 256 bits
            own = (arb.NAMESPACE.asarray(q),) if PROBLEMS[claim.problem].labels else ()
            ends = sum((run(claim.problem, p, *own)[0] for p in points), start=flint.arb(0)) / 2
            (centre,) = run(claim.problem, middle, *own)
            good += _at_most(centre, ends) if claim.shape == "convex" else _at_most(ends, centre)
    sign = "<=" if claim.shape == "convex" else ">="
    evidence = (
        f"f((x + y) / 2) {sign} (f(x) + f(y)) / 2, f = {claim.problem}, in {good:,} of"
        f" {claim.samples:,} pairs from {random_text(claim)}, by Arb's enclosures."
    )
    return Finding(good == claim.samples, evidence)


STEPS = (10, 20, 30, 40)  # difference quotients over 2**-k
MOST_BITS = 10_000  # behind the point of a log-sum-exp
SETTLED = 2.0**-20  # what quotients of a smooth function differ by at the last steps


def differentiable(claim: Differentiable) -> Finding:
    """Difference quotients in the first logit from right and left: do they settle and meet?

    max and arg max are exact rational arithmetic, log-sum-exp is an enclosure.
    """
    x = [Fraction(FORMATS[claim.dtype].parse(entry)) for entry in claim.logits]
    f = {"max": max, "arg_max": _arg_max, "logsumexp": _lse}[claim.function]
    table = Rows(("step", "quotient from the right", "from the left"))
    quotients = []
    with arb.precision(BITS + int(max(map(abs, x))).bit_length()):  # 1e300 has 997 before the point
        for k in STEPS:
            h = Fraction(1, 2**k)
            there, right, left = (f([x[0] + d, *x[1:]]) for d in (0, h, -h))  # type: ignore[operator]
            pair = float((right - there) / h), float((there - left) / h)
            quotients.append(pair)
            table.add(f"2^-{k}", *(f"{q:.6g}" for q in pair))
    (right, left), (right_before, left_before) = quotients[-1], quotients[-2]
    meets = max(abs(right - left), abs(right - right_before), abs(left - left_before)) < SETTLED
    named = claim.function.replace("_", " ")
    first = "first component of the arg max" if claim.function == "arg_max" else named
    evidence = (
        f"The quotients of the {first} in the first logit at {vector_text(claim.logits)}"
        f" {'settle and meet' if meets else 'do not settle on one value'}: {right:.6g} from the"
        f" right and {left:.6g} from the left, at a step of 2^-{STEPS[-1]}."
    )
    return Finding(meets == claim.expect, evidence, table=table.data())


def _arg_max(x: list[Fraction]) -> Fraction:
    """The first component of the arg max, uniform over ties."""
    top = max(x)
    return Fraction(int(x[0] == top), sum(v == top for v in x))


def _lse(x: list[Fraction]) -> Fraction:
    """The midpoint of log-sum-exp's enclosure, 2**-200 wide: far less than a quotient shows.

    What is smaller than that, as exp(-1e308) of [0, -1e308], is taken for 0.
    """
    exact = np.asarray([flint.arb(v.numerator) / v.denominator for v in x], dtype=object)
    (y,) = run("logsumexp", exact)
    man, exp = y.mid().man_exp()
    return Fraction(int(man)) * Fraction(2) ** int(exp) if exp > -MOST_BITS else Fraction(0)
