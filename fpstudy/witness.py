"""The witness: mpmath recomputes truths from the definition, at a precision fit for the inputs.

A truth agrees when |witness - midpoint| <= radius + the witness's own error, which is bounded in
advance: a problem's definition_error(n, |t|, sum of labels) times eps = 2**(1 - bits), every mpmath
operation being within eps of its result, and times 1 + max|z| where exponents z = beta x or
x log(b) are rounded too. For a batch, n counts its rows as well.
"""

from dataclasses import dataclass, field

import numpy as np

from fpstudy.arithmetic import mpmath
from fpstudy.inputs import Inputs
from fpstudy.problems import Problem
from fpstudy.problems.cross_entropy import batch_loss
from fpstudy.truth import State, Truth

BUDGET_BITS = 4096  # a gap of about 2,800 between logits; exp takes 0.2 ms there
RELATIVE_BITS = 110  # the witness is to see the truth's own 106 bits


@dataclass
class Testimony:
    """Counts of truths: checked ones, those left out and why, and what disagreed, in words.

    beyond_budget: the definition would need more than BUDGET_BITS bits
    limits:        values at infinities that the definition does not compute
    undefined:     there is no value to recompute
    undecided:     the truth has none
    """

    checked: int = 0
    beyond_budget: int = 0
    limits: int = 0
    undefined: int = 0
    undecided: int = 0
    disagreements: list[str] = field(default_factory=list)

    @property
    def witnessed(self) -> int:
        """Truths that were looked at, whatever came of it."""
        left_out = self.beyond_budget + self.limits + self.undefined + self.undecided
        return self.checked + left_out

    def add(self, other: "Testimony") -> None:
        """Take in the counts of another part of the study."""
        self.checked += other.checked
        self.beyond_budget += other.beyond_budget
        self.limits += other.limits
        self.undefined += other.undefined
        self.undecided += other.undecided
        self.disagreements += other.disagreements


def recompute(problem: Problem, inputs: Inputs, truth: Truth, rows: list[int]) -> Testimony:
    """Recompute the truths of the given samples and compare."""
    total = Testimony()
    for row in rows:
        one = slice(row, row + 1)
        total.add(_one_sample(problem, inputs.take(one), truth[one], row))
    return total


def _one_sample(problem: Problem, inputs: Inputs, truth: Truth, row: int) -> Testimony:
    hi, exponent, state = truth.hi.ravel(), truth.exponent.ravel(), truth.state.ravel()
    if _is_limit(inputs):
        undefined = int((state == State.UNDEFINED).sum())
        return Testimony(limits=len(hi) - undefined, undefined=undefined)
    need = _bits_needed(problem, inputs, truth)
    decided = state == State.DECIDED
    within = decided & (need <= BUDGET_BITS)
    result = Testimony(
        checked=int(within.sum()),
        beyond_budget=int((decided & ~within).sum()),
        undefined=int((state == State.UNDEFINED).sum()),
        undecided=int((state == State.UNDECIDED).sum()),
    )
    if not within.any():
        return result
    bits = int(need[within].max())
    with mpmath.precision(bits):
        values = np.asarray(_define(problem, inputs), dtype=object).ravel()
    with mpmath.precision(bits + 128):
        eps = mpmath.CONTEXT.ldexp(1, 1 - bits) * (1 + _amplification(inputs))
        terms, labels = _terms(inputs), _label_sum(inputs)
        for j in np.flatnonzero(within):
            t = mpmath.CONTEXT.mpf(float(hi[j])) + float(truth.lo.ravel()[j])
            t = mpmath.CONTEXT.ldexp(t, int(exponent[j]))
            allowed = mpmath.CONTEXT.ldexp(float(truth.radius.ravel()[j]), int(exponent[j]))
            allowed += eps * problem.definition_error(terms, values[j], labels)
            agrees = values[j] == t or abs(values[j] - t) <= allowed
            if not agrees:
                truth_text, own_text = (mpmath.CONTEXT.nstr(v, 40) for v in (t, values[j]))
                result.disagreements.append(
                    f"{problem.name}, sample {row}, component {j}: the truth is {truth_text}, the"
                    f" witness {own_text}"
                )
    return result


def _is_limit(inputs: Inputs) -> bool:
    """Whether the value is a limit that the definition does not compute: inf - inf, 0 * inf."""
    masks = np.isneginf(inputs.x).any() and inputs.rate <= 0  # which then weigh all, or 1
    return bool(np.isposinf(inputs.x).any() or np.isinf(inputs.rate) or masks)


def _define(problem: Problem, inputs: Inputs) -> object:
    xp = mpmath.NAMESPACE
    parameters = {name: xp.asarray(value) for name, value in inputs.parameters.items()}
    values = problem.definition(xp, *[xp.asarray(part) for part in inputs.arrays], **parameters)
    if inputs.counted is not None:
        values = batch_loss(xp, values, inputs.counted, inputs.reduction)
    return values


def _bits_needed(problem: Problem, inputs: Inputs, truth: Truth) -> np.ndarray:
    """Bits at which the definition's error is 2**-110 of each value, or of 1 where that is 0."""
    labels, n = _label_sum(inputs), _terms(inputs)
    relative = problem.definition_error(n, 0.0, labels) == 0  # an error in proportion to |t|
    need = np.full(truth.hi.size, float(RELATIVE_BITS))
    for j, (hi, exponent) in enumerate(zip(truth.hi.flat, truth.exponent.flat, strict=True)):
        if np.isfinite(hi) and hi != 0:
            small = min(int(exponent), 0)  # |t| = value * 2**small, and value >= 1/2
            value = float(np.ldexp(abs(hi), min(int(exponent) - small, 1023)))
            error = problem.definition_error(n, value, labels)
            need[j] += np.log2(error / value + 1) - (0 if relative else small)
    return np.asarray(np.ceil(need + np.log2(1 + _amplification(inputs)) + 1))


def _terms(inputs: Inputs) -> int:
    """How many terms the definition adds up: n, and the rows of a batch."""
    n, rows = int(inputs.x.shape[-1]), int(inputs.x.shape[1])
    return n + (rows if inputs.counted is not None else 0)


def _label_sum(inputs: Inputs) -> float:
    """sum(q) of the sample, as its loss weighs it."""
    if inputs.q is None:
        return 0.0
    if inputs.counted is None:
        return float(inputs.q.sum())
    total = float(np.where(inputs.counted[..., None], inputs.q, 0).sum())
    return total / max(1, int(inputs.counted.sum())) if inputs.reduction == "mean" else total


def _amplification(inputs: Inputs) -> float:
    """max|z| of an exponent z = beta x or x log(b), whose rounding the exponential magnifies."""
    if not inputs.parameters:
        return 0.0
    finite = np.abs(inputs.x[np.isfinite(inputs.x)])
    return float(abs(inputs.rate) * finite.max()) if finite.size else 0.0
