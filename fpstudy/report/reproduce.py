"""The command that gives a measured sample's exact value again, or that measures its case again.

A command with the inputs written out is printed only if the value that it certifies, computed
here, is the one of the record.
"""

import math
import shlex
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from fpstudy.calculator import exact
from fpstudy.cases import Demand, Draw
from fpstudy.encoding import hexadecimal
from fpstudy.formats import FORMATS, Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.samples import prepare
from fpstudy.truth import Truth

IGNORE_INDEX = -100  # the default of `fpstudy exact`; which index a study ignores changes no value
AGREEMENT = 2.0**-50  # the record holds a truth as the float64 nearest to it, or its neighbour


@dataclass(frozen=True)
class Sample:
    """A sample of a case, as summary and record have it.

    case:      the case's row of the summary, by column
    number:    which sample of the case it is, from 0
    logits:    all of them in hex, rows of a batch apart by ";"
    formats:   those whose common values the inputs were rounded to
    component: of the result, of which the exact value is worst_exact * 2**worst_exponent
    """

    case: Mapping[Hashable, Any]
    number: int
    logits: str
    formats: tuple[Format, ...]
    component: int
    exact: float
    exponent: int


def exact_command(sample: Sample, seed: int) -> str:
    """`fpstudy exact` with the sample's inputs in hex; "" where it would not give the value."""
    problem, dtype = str(sample.case["problem"]), str(sample.case["dtype"])
    dtype = dtype if dtype in FORMATS else "float64"  # which holds any other's values exactly
    try:
        inputs = _inputs(sample, seed)
        x, q, k = inputs.x[0], _labels(inputs, sample), _targets(inputs, sample)
        parameters = {name: hexadecimal(float(v)) for name, v in inputs.parameters.items()}
        truth = exact(
            problem, x, labels=None if q is None else q.tolist(), target=k, dtype=dtype,
            base=parameters.get("base"), beta=parameters.get("beta"), reduction=inputs.reduction,
        ).truth  # fmt: skip
        if not _is(truth, sample):
            return ""
    except (ValueError, ArithmeticError, LookupError):  # hex, a name, or a component that is not
        return ""
    options = {
        "logits": _text(x),
        "labels": "" if q is None else _text(q),
        "target": "" if k is None else ",".join(map(str, k)),
        **parameters,
        "reduction": inputs.reduction.replace("none", ""),
        "dtype": dtype,
    }
    words = [part for name, text in options.items() if text for part in (f"--{name}", text)]
    return shlex.join(["fpstudy", "exact", problem, *words])


def _inputs(sample: Sample, seed: int) -> Inputs:
    """The sample's inputs as they were measured, labels drawn again, (1, n) or (1, rows, n)."""
    case = sample.case
    x = np.asarray([[float.fromhex(v) for v in row.split()] for row in sample.logits.split(";")])
    samples, labels = int(case["samples"]), str(case["labels"])
    if labels.startswith("explicit"):
        raise ValueError("the summary does not have the labels of an explicit vector")
    draw = Draw(
        seed, str(case["distribution"]), int(case["n"]), float(case["magnitude"]),
        float(case["offset"]), float(case["masked"]), len(x), samples, str(case["inputs"]),
        sample.formats,
    )  # fmt: skip
    base, beta = (None if np.isnan(case[key]) else float(case[key]) for key in ("base", "beta"))
    demand = Demand(
        draw, str(case["problem"]), base, beta, str(case["target"]), labels, None,
        str(case["reduction"]), float(case["ignored"]), IGNORE_INDEX,
    )  # fmt: skip
    whole = np.zeros((samples, *x.shape))
    whole[sample.number] = x
    return prepare(demand, whole).take([sample.number])


def _targets(inputs: Inputs, sample: Sample) -> list[int] | None:
    """The index of the hard label of each row; None where labels are not hard."""
    if inputs.q is None or sample.case["labels"] != "hard":
        return None
    targets = np.atleast_1d(inputs.q[0].argmax(axis=-1))
    counted = True if inputs.counted is None else inputs.counted[0]
    return [int(k) for k in np.where(counted, targets, IGNORE_INDEX)]


def _labels(inputs: Inputs, sample: Sample) -> Floats | None:
    """The label vectors; None where hard labels or none say the same."""
    return None if inputs.q is None or sample.case["labels"] == "hard" else inputs.q[0]


def _text(rows: Floats) -> str:
    return "; ".join(",".join(hexadecimal(float(v)) for v in row) for row in np.atleast_2d(rows))


def _is(truth: Truth, sample: Sample) -> bool:
    """Whether the exact value of the component is the recorded one."""
    hi = float(truth.hi.ravel()[sample.component])
    exponent = int(truth.exponent.ravel()[sample.component])
    if not math.isfinite(sample.exact):
        return hi == sample.exact or (math.isnan(hi) and math.isnan(sample.exact))
    if sample.exponent == 0 and abs(exponent) < 2100:
        hi, exponent = float(np.ldexp(hi, exponent)), 0
    close = math.isclose(hi, sample.exact, rel_tol=AGREEMENT, abs_tol=5e-324)
    return close and exponent == sample.exponent


def show_command(manifest: Mapping[str, Any], case: int) -> str:
    """The command that measures a case again, by its row of summary.csv, counted from 0."""
    return shlex.join(["fpstudy", "show", report_folder(manifest), str(case)])


def report_folder(manifest: Mapping[str, Any]) -> str:
    """Where the report of a manifest lies: what its command names, else reports/<name>."""
    named = _option(str(manifest.get("command") or ""), "--out")
    if named:
        return named
    only = manifest.get("only") or {}
    parts = [f"{column}={'+'.join(sorted(texts))}" for column, texts in sorted(only.items())]
    return (PurePath("reports") / ".".join([str(manifest.get("name")), *parts])).as_posix()


def _option(command: str, name: str) -> str:
    """The value of an option of a command line for a shell; "" where it has none."""
    try:
        words = shlex.split(command)
    except ValueError:  # a quote without its other one, as an earlier fpstudy wrote it
        words = command.split(" ")
    for k, word in enumerate(words):
        if word.startswith(f"{name}="):
            return word.removeprefix(f"{name}=")
        if word == name and k + 1 < len(words):
            return words[k + 1]
    return ""
