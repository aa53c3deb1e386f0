"""[defaults] shared out: a sweep takes the keys that it lacks and that mean something to it."""

from collections.abc import Callable, Sequence
from typing import Any

from fpstudy.problems import PROBLEMS
from fpstudy.study_file.axes import MAX_AXIS
from fpstudy.study_file.entries import TARGETED

Keys = dict[str, Any]

# of all sweeps together, [defaults] once for each: to read one takes microseconds
MAX_VALUES = 60_000  # more than a file can write out
MAX_POINTS = 150_000  # of scales: one axis at its limit, and half as many


def too_much(sweeps: Sequence[Any], defaults: Any) -> str | None:
    """What is too much in the sweeps with [defaults] in each; nothing is read yet."""
    for size, limit, what in (
        (_values, MAX_VALUES, "values"),
        (_points, MAX_POINTS, "points on scales"),
    ):
        count = _total(sweeps, defaults, size)
        if count > limit:
            each = f"{count:,} {what}, those of [defaults] once for each sweep"
            return f"a study too large: {each}; the limit is {limit:,}"
    return None


def _total(sweeps: Sequence[Any], defaults: Any, size: Callable[[Any], int]) -> int:
    shared = _sizes(defaults, size)
    return sum(sum((shared | _sizes(sweep, size)).values()) for sweep in sweeps)


def _sizes(table: Any, size: Callable[[Any], int]) -> dict[str, int]:
    return {key: size(value) for key, value in table.items()} if isinstance(table, dict) else {}


def _values(value: Any) -> int:
    """The entries of a list, and of the lists in it."""
    if isinstance(value, dict):
        value = value.get("include")
    if isinstance(value, list):
        return sum(len(entry) if isinstance(entry, list) else 1 for entry in value)
    return 1


def _points(value: Any) -> int:
    """How many a scale has, where it has no more than it may."""
    num = value.get("num") if isinstance(value, dict) else None
    return num if isinstance(num, int) and 0 < num <= MAX_AXIS else 0


def with_defaults(sweep: Any, defaults: Keys) -> Any:
    """The sweep's table as read, with the defaults that apply; what is no table is left as it is.

    Values are not checked yet, so they are only looked at, never trusted.
    """
    if not isinstance(sweep, dict):
        return sweep
    merged = defaults | sweep
    idle = {key for keys, idles in IDLE for key in keys if idles(merged)}
    return {key: value for key, value in merged.items() if key in sweep or key not in idle}


def _names(merged: Keys, key: str, default: str) -> list[Any]:
    value = merged.get(key, default)
    return value if isinstance(value, list) else [value]


def _takes(merged: Keys, trait: Callable[[Any], Any]) -> bool:
    """Whether some problem of the sweep has the trait; an unknown one is reported elsewhere."""
    names = [name for name in _names(merged, "problem", "") if isinstance(name, str)]
    return any(name not in PROBLEMS or trait(PROBLEMS[name]) for name in names)


def _all_take(merged: Keys, parameter: str) -> bool:
    names = [name for name in _names(merged, "problem", "") if isinstance(name, str)]
    return all(name not in PROBLEMS or parameter in PROBLEMS[name].parameters for name in names)


def _all_given(merged: Keys) -> bool:
    return all(name in ("explicit", "file") for name in _names(merged, "distribution", "normal"))


def _no_batch(merged: Keys) -> bool:
    reduces = {"mean", "sum"} & set(map(str, _names(merged, "reduction", "none")))
    return not reduces or not _takes(merged, lambda p: p.reductions)


def _only_a_file(merged: Keys) -> bool:
    return all(name == "file" for name in _names(merged, "distribution", "normal"))


def _no_target(merged: Keys) -> bool:
    targeted = any(labels in TARGETED for labels in _names(merged, "labels", "hard"))
    return not targeted or not _takes(merged, lambda p: p.labels)


# keys, and when a sweep has no use for them
IDLE: tuple[tuple[tuple[str, ...], Callable[[Keys], bool]], ...] = (
    (("n", "magnitude"), _all_given),
    (("vectors",), lambda merged: "explicit" not in _names(merged, "distribution", "normal")),
    (("file",), lambda merged: "file" not in _names(merged, "distribution", "normal")),
    (("base",), lambda merged: not _all_take(merged, "base")),
    (("beta",), lambda merged: not _all_take(merged, "beta")),
    (("samples", "batch"), _only_a_file),
    (("target",), _no_target),
    (("labels",), lambda merged: not _takes(merged, lambda p: p.labels)),
    (("reduction",), lambda merged: not _takes(merged, lambda p: p.reductions)),
    (("batch", "ignored", "ignore_index"), _no_batch),
)
