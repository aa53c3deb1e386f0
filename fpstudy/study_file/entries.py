"""One entry of a sweep's axes that is more than a number, and the names that may stand there."""

import math
from collections.abc import Callable
from keyword import iskeyword
from pathlib import Path, PurePath

from pydantic import ValidationInfo

from fpstudy.arithmetic import ORDERS
from fpstudy.formats import FORMATS
from fpstudy.study_file.axes import among, axis, each
from fpstudy.study_file.mistakes import MistakesError, got, show
from fpstudy.study_file.names import dtype_hint
from fpstudy.study_file.numbers import extended, integer, weight

GENERATED = ("normal", "uniform", "equal", "two_point", "peaked")
DISTRIBUTIONS = (*GENERATED, "explicit", "file")
TARGETS = ("random", "argmax", "argmin")
LABELS = ("hard", "soft", "smoothed", "uniform")
TARGETED = ("hard", "smoothed")  # labels that are made from a target
REDUCTIONS = ("none", "mean", "sum")
INPUTS = ("shared", "per_dtype")
LOGIT_FILES = (".npy", ".npz", ".csv")

MAX_N = 2**24  # one vector of float64 is then 128 MiB


def dtypes(value: object, info: ValidationInfo) -> tuple[str, ...]:
    """Names of formats: built in, or of the study's own [[format]] tables."""
    own = (info.context or {}).get("formats", ())
    return axis(among((*FORMATS, *own), "a dtype", dtype_hint))(value)


def accumulation(value: object) -> str:
    """An order of summation, and after a colon the wider format that it is carried out in."""
    order = among(("native", *ORDERS), "an accumulation")
    if not isinstance(value, str) or ":" not in value:
        return order(value)
    name, _, width = value.partition(":")
    if name == "native":
        raise ValueError(f"{show(value)}: a native sum has the width that its kernel has")
    return f"{order(name)}:{among(tuple(FORMATS), 'a dtype', dtype_hint)(width)}"


def formula(value: object) -> str:
    """A name; whether the sweep's problems have it is a rule between keys.

    "module:function" names code of the user's own, which nothing imports here.
    """
    if not isinstance(value, str):
        raise ValueError(f"want the name of a formula, got {got(value)}")
    if any(map(str.isspace, value)):
        raise ValueError(f"{show(value)} holds white space: want a name as blocked[block=64]")
    if ":" in value:
        parts = value.replace(":", ".").split(".")
        if value.count(":") != 1 or not all(part.isidentifier() for part in parts):
            raise ValueError(f"{show(value)} is neither a formula nor module:function")
        if any(part.startswith("__") for part in parts):
            raise ValueError(f'{show(value)}: names with "__" are refused')
        if taken := [part for part in parts if iskeyword(part)]:
            raise ValueError(f"{show(value)}: {taken[0]} is a word of Python's own, and no name")
    return value


def target(value: object) -> str | int:
    """How the target is drawn, or its index."""
    if isinstance(value, str):
        return among(TARGETS, "a target")(value)
    return integer(0, MAX_N - 1, "an index of 0 .. 2**24 - 1")(value)


def label(value: object) -> str | tuple[float, ...]:
    """How labels are made, or a vector of them."""
    if isinstance(value, str):
        return among(LABELS, "a kind of labels")(value)
    weights = _vector(value, weight)
    if math.isinf(sum(weights)):
        raise ValueError("the weights sum to more than the largest float64, 1.8e308")
    return weights


def logits(value: object) -> tuple[float, ...]:
    """A vector of logits, infinities allowed."""
    return _vector(value, extended)


def _vector(value: object, entry: Callable[[object], float]) -> tuple[float, ...]:
    """A non-empty list of numbers; unlike on an axis, they may be equal."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"want a vector in brackets of its own, [[1, 2]], got {got(value)}")
    if not value:
        raise ValueError("a vector must not be empty")
    numbers, mistakes = each(value, entry)
    if mistakes:
        raise MistakesError(mistakes)
    return tuple(number for _, number in numbers)


def file(value: object, info: ValidationInfo) -> Path:
    """A file of logits in its resolved folder; a relative name starts from the study's folder.

    A link keeps its own name, whose ending says how the file is read.
    """
    if isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise ValueError(f"want the name of a file, got {got(value)}")
    if not value.strip() or not value.isprintable():
        raise ValueError(
            f"{show(value)} is no file name: empty, or with characters that do not print"
        )
    if PurePath(value).suffix not in LOGIT_FILES:
        raise ValueError(f"{show(value)} does not end in {', '.join(LOGIT_FILES)}")
    folder = Path((info.context or {}).get("folder", ".")).resolve()
    try:
        path = folder / value
        path = path.parent.resolve() / path.name
        regular, exists = path.is_file(), path.exists()
    except (OSError, RuntimeError):  # a loop of links is a RuntimeError before Python 3.13
        raise ValueError(f"{show(value)} cannot be reached") from None
    if not regular:
        there = "is not a regular file" if exists else "does not exist"
        raise ValueError(f"{show(value)} {there}")
    return path
