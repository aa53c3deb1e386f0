"""[defaults] shared out: a sweep takes the keys that it lacks and that mean something to it."""

from collections.abc import Callable
from typing import Any

from fpstudy.problems import PROBLEMS
from fpstudy.study_file.entries import TARGETED

Keys = dict[str, Any]


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
