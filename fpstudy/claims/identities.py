"""Claims about functions, tried in Arb: that two are equal, a closed form of the gradient."""

from typing import Any

import flint
import numpy as np

from fpstudy.arithmetic import arb
from fpstudy.arithmetic.object_arrays import ObjectArrays
from fpstudy.calculator import UndecidedError
from fpstudy.claims.certified import (
    AGREE,
    BITS,
    command_of,
    inputs_text,
    run,
    short,
    vectors,
)
from fpstudy.claims.finding import Finding, vector
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS
from fpstudy.study_file.claims import Equal, Gradient


class _Namespace(ObjectArrays):
    """Arb's namespace with what formulas ask of it besides."""

    def isfinite(self, x: Any) -> Any:
        """Whether each ball is finite, as every one made of finite inputs is."""
        return np.frompyfunc(lambda number: number.is_finite(), 1, 1)(x).astype(bool)


_XP = _Namespace(flint.arb, flint.arb.exp, flint.arb.log, flint.arb.log1p)


def equal(claim: Equal) -> Finding:
    """Run both texts in balls on the same inputs: apart anywhere, they are not the same."""
    names = f"{claim.left} and {claim.right}"
    compared, tried = 0, 0
    reproduce = command_of(claim, claim.left.split(".")[0], claim.dtype)
    with arb.precision(BITS):
        for x, q in vectors(
            claim, labels=any(_problem(s).labels for s in (claim.left, claim.right))
        ):
            left, right = (_run(side, claim, x, q) for side in (claim.left, claim.right))
            at = f"at {vector([f'{v:.6g}' for v in x])}: {_shown(left)} against {_shown(right)}."
            if len(left) != len(right):
                kinds = " and ".join(_kind(y) for y in (left, right))
                return Finding(False, f"{names} are {kinds}, {at}", reproduce)
            for a, b in zip(left, right, strict=True):
                if not a.overlaps(b):
                    return Finding(False, f"{names} differ {at}", reproduce)
                _agree(a, b)
            tried, compared = tried + 1, compared + len(left)
    evidence = (
        f"{names} agree in all {compared:,} values at {inputs_text(claim)}: their enclosures by Arb"
        f" overlap and are less than 2^-100 wide."
    )
    return Finding(True, evidence, reproduce)


def _problem(side: str) -> Any:
    return PROBLEMS[side.split(".")[0]]


def _run(side: str, claim: Equal, x: Any, q: Any) -> list[Any]:
    problem, formula = side.split(".")
    arguments = [_XP.asarray(x[None])]  # a batch of one: every result is then an array
    if PROBLEMS[problem].labels:
        arguments.append(_XP.asarray(q[None]))
    parse = FORMATS[claim.dtype].parse
    parameters = {name: _XP.asarray(parse(v)) for name, v in claim.parameters.items()}
    y = PROBLEMS[problem].formulas[formula].text(_XP, *arguments, **parameters)
    return list(np.asarray(y, dtype=object).ravel())


def _agree(a: Any, b: Any) -> None:
    """Overlapping balls say something only when they are small."""
    bound = AGREE * (1 + a.mid().abs_upper())
    if not ((a - b).abs_upper() < bound):
        raise UndecidedError(f"{BITS} bits leave {short(a)} and {short(b)} too wide to compare")


def _kind(y: list[Any]) -> str:
    return "one number" if len(y) == 1 else f"a vector of {len(y)}"


def _shown(y: list[Any]) -> str:
    return vector([short(number) for number in y])


STEP = 2.0**-40
# |d^3 L / dx_j^3| = sum(q) |p (1 - p)(1 - 2 p)| <= sum(q) / (6 sqrt 3), at p = (3 +- sqrt 3) / 6
THIRD = 1 / 8


def gradient(claim: Gradient) -> Finding:
    """Hold the closed form against central differences of the certified loss itself.

    (L(x + h e_j) - L(x - h e_j)) / 2h lies within h**2 / 6 of the derivative times a bound on the
    third one, so the differences enclose the gradient without knowing it.
    """
    tried = 0
    reproduce = command_of(claim, "cross_entropy_gradient", claim.dtype)
    with arb.precision(BITS):
        for x, q in vectors(claim, labels=True):
            assert q is not None  # cross-entropy has labels
            slopes = _slopes(arb.NAMESPACE.asarray(x), arb.NAMESPACE.asarray(q))
            forms = _form(claim.form, arb.NAMESPACE.asarray(x), arb.NAMESPACE.asarray(q))
            for j, (slope, form) in enumerate(zip(slopes, forms, strict=True)):
                if not slope.overlaps(form):
                    evidence = (
                        f"At {vector([f'{v:.6g}' for v in x])} with labels"
                        f" {vector([f'{v:.6g}' for v in q])} the derivative in logit {j} is"
                        f" {short(slope)}, by differences of the certified loss; {claim.form} gives"
                        f" {short(form)}."
                    )
                    return Finding(False, evidence, reproduce)
            tried += len(slopes)
    evidence = (
        f"{claim.form} lies in the enclosures of all {tried:,} derivatives at {inputs_text(claim)}"
        f"{'' if claim.logits else ', each with a random target'}. The enclosures are central"
        " differences of the certified loss, widened by a proven bound on what such a difference"
        " misses, about 1e-25."
    )
    return Finding(True, evidence, reproduce)


def _slopes(x: Any, q: Any) -> list[Any]:
    """Enclosures of dL/dx_j."""
    slack = flint.arb(0, STEP**2 / 6 * THIRD) * sum(q, start=flint.arb(0))
    slopes = []
    for j in range(len(x)):
        step = arb.NAMESPACE.asarray(np.eye(len(x))[j] * STEP)
        (after,), (before,) = run("cross_entropy", x + step, q), run("cross_entropy", x - step, q)
        slopes.append((after - before) / flint.arb(2 * STEP) + slack)
    return slopes


def _form(form: str, x: Any, q: Any) -> list[Any]:
    p = np.asarray(run("softmax", x), dtype=object)
    total = sum(q, start=flint.arb(0)) if form == "p sum(q) - q" else flint.arb(1)
    return list(p * total - q)
