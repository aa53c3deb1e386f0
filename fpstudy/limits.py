"""Values at infinite inputs: the limit where it exists, by way of an equivalent finite-case row.

A masked entry (-inf) has weight exp(-inf) = 0, so a row with a finite entry is ordinary; with
beta < 0 or b < 1 it is +inf that weighs nothing, and -inf all; with beta = 0 or b = 1 every entry
weighs 1. A row
with one entry at +inf is in the limit the one-hot row [0 there, -inf elsewhere]; so is, at
beta = +-inf, the row's arg max or arg min, uniform over ties. Two entries at +inf, or all at
-inf, leave softmax and what is made of it without a limit; log-sum-exp has one, max(x).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpstudy.formats import Floats
from fpstudy.inputs import Inputs
from fpstudy.problems import Problem

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Limit:
    """How each sample's truth is found; the flags are (samples,) and exclude each other.

    x:         the logits with limit rows replaced by equivalent ones
    ordinary:  the reference decides
    plain:     the reference decides, without base or beta
    undefined: there is no value
    value:     (samples,) an infinity where that is the value, else 0
    """

    x: Floats
    ordinary: Flags
    plain: Flags
    undefined: Flags
    value: Floats


def limit(problem: Problem, inputs: Inputs) -> Limit:
    """Sort the samples into ordinary ones, limits and undefined ones."""
    if problem.name == "logsumexp":
        return _of_logsumexp(inputs.x)
    x, changed, undefined = _of_rows(inputs.x, inputs.rate)
    if inputs.counted is not None:
        undefined = np.asarray((undefined & inputs.counted).any(axis=-1))
        if inputs.reduction == "mean":  # 0 rows have no mean
            undefined |= ~inputs.counted.any(axis=-1)
        changed = np.zeros(len(x), dtype=bool)
    plain = changed & ~undefined
    return Limit(x, ~changed & ~undefined, plain, undefined, np.zeros(len(x)))


def _of_rows(x: Floats, rate: float) -> tuple[Floats, Flags, Flags]:
    """Rows by their limit: (replaced logits, which were replaced, which have none)."""
    if np.isfinite(x).all() and np.isfinite(rate) and rate != 0:
        none = np.zeros(x.shape[:-1], dtype=bool)
        return x, none, none
    undefined = np.asarray(np.isnan(x).any(axis=-1))
    if rate == 0:  # constant in every logit, so also in the limit
        return np.zeros_like(x), ~undefined, undefined
    z = np.sign(rate) * x
    poles = np.isposinf(z).sum(axis=-1)
    undefined = undefined | (poles > 1) | np.isneginf(z).all(axis=-1)
    changed = (poles == 1) | np.isinf(rate)
    top = z == z.max(axis=-1, keepdims=True)
    one_hot = np.where(top, 0.0, -np.inf)
    replaced = np.where(changed[..., None], one_hot, x)
    # an undefined row takes part in no result; zeros keep the engine out of trouble
    return np.where(undefined[..., None], 0.0, replaced), changed, undefined


def _of_logsumexp(x: Floats) -> Limit:
    """max(x) is the limit wherever the maximum is infinite."""
    undefined = np.asarray(np.isnan(x).any(axis=-1))
    m = x.max(axis=-1)
    value = np.where(np.isinf(m) & ~undefined, m, 0.0)
    ordinary = ~undefined & (value == 0)
    return Limit(x, ordinary, np.zeros_like(ordinary), undefined, value)
