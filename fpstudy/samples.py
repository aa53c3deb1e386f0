"""The exact inputs of a demand: logits, labels and parameters, rounded to what is stored.

With `inputs = "shared"` every value is rounded to one that all dtypes of the sweep hold, so that
one truth serves them all; with "per_dtype" to the one dtype.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpstudy.cases import Demand, Draw
from fpstudy.distributions import DISTRIBUTIONS, generator
from fpstudy.formats import Floats, Format, round_to_quantum
from fpstudy.inputs import Inputs
from fpstudy.logit_files import LogitsError, file_logits

# Memory of one draw's arrays while it is measured, in bytes for each number: the logits, five
# arrays of the truth and about twenty of the scoring at eight bytes, and some to spare.
BYTES_PER_NUMBER = 400
SMOOTHING = 0.1  # label smoothing of "Rethinking the Inception Architecture", arXiv:1512.00567


def too_large(draw: Draw, has: int) -> str:
    """Why a draw does not fit into so many bytes of memory; "" where it does."""
    need = draw.samples * draw.rows * draw.n * BYTES_PER_NUMBER
    if need <= has:
        return ""
    return (
        f"too large for this machine: {draw.samples:,} samples of {draw.rows * draw.n:,} logits"
        f" need about {need / 1e9:,.0f} GB, and it has {has / 1e9:,.0f} GB"
    )


def logits(draw: Draw) -> Floats:
    """(samples, rows, n): the draw's logits, rounded and masked.

    Raises LogitsError where they are of a file that is no longer what it was.
    """
    shape = (draw.samples, draw.rows, draw.n)
    if draw.file is not None:
        file = file_logits(draw.file)
        if file.sha256 != draw.sha256:
            raise LogitsError(f"{draw.file.name}: has changed since the study was read; run again")
        x = file.x.reshape(shape)
    elif draw.vector is not None:
        x = np.broadcast_to(np.asarray(draw.vector, dtype=np.float64), shape)
    else:
        rng = generator(draw.seed, "logits", draw.distribution, draw.n, draw.rows)
        x = DISTRIBUTIONS[draw.distribution](rng, shape, draw.magnitude)
    x = stored(x + draw.offset, draw.formats)
    count = round(draw.masked * draw.n)
    if count:
        ranks = generator(draw.seed, "mask", draw.n, draw.rows).random(shape).argsort(axis=-1)
        x = np.where(ranks.argsort(axis=-1) < count, -np.inf, x)
    return x


def given_logits(x: Any) -> Floats:
    """(rows, n): logits given as one vector or as rows of them; raises ValueError for others."""
    try:
        rows = np.atleast_2d(np.asarray(x, dtype=np.float64))
    except (TypeError, ValueError):
        raise ValueError("logits: want rows of numbers (rows, n), all of one length") from None
    if rows.ndim != 2 or rows.size == 0:
        raise ValueError(f"logits: want rows of numbers (rows, n), got shape {rows.shape}")
    if np.isnan(rows).any():
        row, column = np.argwhere(np.isnan(rows))[0]
        raise ValueError(f"logits: NaN at row {row}, column {column}: a logit is a number")
    return np.asarray(rows)


def on_given(demand: Demand, x: Floats | None) -> Demand:
    """The demand as one on the logits x, where they are given; magnitude is the largest |x|."""
    if x is None:
        return demand
    size = float(np.abs(x[np.isfinite(x)]).max(initial=0.0))
    draw = replace(demand.draw, distribution="given", magnitude=size, samples=len(x))
    return replace(demand, draw=draw)


def stored(x: Floats, formats: tuple[Format, ...]) -> Floats:
    """x rounded to nearest among the values that all formats share, of unbounded exponent.

    Where a format's range ends is for `refusal` to say; where float64's does, the nearest value
    is the largest below 2**1024.
    """
    finite = np.where(np.isfinite(x), x, 0.0)
    quantum = np.max([f.quantum(finite) for f in formats], axis=0)
    rounded = round_to_quantum(finite, quantum)
    if np.isinf(rounded).any():
        largest = np.ldexp(1 - np.ldexp(1.0, np.maximum(quantum, 971) - 1024), 1024)
        rounded = np.clip(rounded, -largest, largest)
    rounded = np.where(np.isfinite(x), rounded, x)
    flushed = max((f.least_normal for f in formats if not f.subnormals), default=0.0)
    return np.where(np.abs(rounded) < flushed, 0.0, rounded)


def prepare(demand: Demand, x: Floats) -> Inputs:
    """The demand's inputs on the draw's logits x."""
    draw = demand.draw
    x = x[: demand.samples]
    q = counted = None
    if demand.labels:
        targets = _targets(demand, x)
        q = stored(_labels(demand, targets), draw.formats)
        if demand.reduction in ("mean", "sum"):
            counted = targets != demand.ignore_index
    parameters = {
        name: float(stored(np.asarray(value), draw.formats))
        for name, value in demand.parameters.items()
    }
    if counted is None:  # one row: (samples, n)
        return Inputs(x[:, 0], None if q is None else q[:, 0], parameters)
    return Inputs(x, q, parameters, counted, demand.reduction)


def _targets(demand: Demand, x: Floats) -> NDArray[np.int64]:
    """(samples, rows): the hard targets; ignore_index in the rows that are ignored."""
    draw, rng = demand.draw, generator(demand.draw.seed, "target", x.shape[-1], x.shape[1])
    if demand.target == "argmax":
        targets = x.argmax(axis=-1)
    elif demand.target == "argmin":  # of the entries that are not masked
        targets = np.where(np.isneginf(x), np.inf, x).argmin(axis=-1)
    elif demand.target in ("random", ""):
        targets = rng.integers(draw.n, size=x.shape[:-1])
    else:
        targets = np.full(x.shape[:-1], int(demand.target))
    count = round(demand.ignored * draw.rows)
    if count:
        ranks = generator(draw.seed, "ignored", draw.rows).random(x.shape[:-1]).argsort(axis=-1)
        targets = np.where(ranks.argsort(axis=-1) < count, demand.ignore_index, targets)
    return np.asarray(targets, dtype=np.int64)


def _labels(demand: Demand, targets: NDArray[np.int64]) -> Floats:
    """(samples, rows, n): label vectors before rounding; an ignored row's are one-hot at none."""
    n = demand.draw.n
    shape = (*targets.shape, n)
    one_hot = (np.arange(n) == targets[..., None]).astype(np.float64)
    if demand.label_values is not None:
        return np.broadcast_to(np.asarray(demand.label_values), shape)
    if demand.labels == "soft":
        share = generator(demand.draw.seed, "labels", n, demand.draw.rows).exponential(size=shape)
        return np.asarray(share / share.sum(axis=-1, keepdims=True))
    if demand.labels == "smoothed":
        return np.asarray((1 - SMOOTHING) * one_hot + SMOOTHING / n)
    return np.full(shape, 1 / n) if demand.labels == "uniform" else one_hot


def refusal(inputs: Inputs, f: Format) -> str | None:
    """Why a format cannot hold the inputs; None when it can."""
    if not f.infinity and np.isinf(inputs.x).any():
        return f"{f.name} has no infinity for masked or infinite logits"
    if inputs.largest > f.largest:
        return f"a logit of {inputs.largest:.6g} is beyond the largest {f.name}, {f.largest:.6g}"
    heaviest = 0.0 if inputs.q is None else float(inputs.q.max())
    if heaviest > f.largest:
        return f"a label of {heaviest:.6g} is beyond the largest {f.name}, {f.largest:.6g}"
    for name, value in inputs.parameters.items():
        if np.isinf(value) and not f.infinity:
            return f"{f.name} has no infinity for {name}"
        if np.isfinite(value) and abs(value) > f.largest:
            return f"{name} = {value:.6g} is beyond the largest {f.name}, {f.largest:.6g}"
    return None


def vanished(demand: Demand, inputs: Inputs) -> str | None:
    """What rounded to 0 though it was not: all logits of a drawn sample, or the base."""
    shared = " and ".join(f.name for f in demand.draw.formats)
    if demand.base is not None and inputs.parameters["base"] == 0:
        return f"the base {demand.base:g} rounds to 0 among the values of {shared}"
    draw = demand.draw
    drawn = draw.distribution in DISTRIBUTIONS
    if drawn and draw.n > 1 and draw.offset == 0 and inputs.largest == 0 and not inputs.x.any():
        return (
            f"all logits of magnitude {demand.draw.magnitude:g} round to 0 among those of {shared}"
        )
    return None
