"""What carries out the formulas of a run: arithmetics as a study names them, and scipy."""

from collections.abc import Collection, Iterable
from importlib import import_module
from types import ModuleType

from fpstudy.arithmetic.numpy import LIBRARY
from fpstudy.cases import Case


def used_by(cases: Iterable[Case]) -> tuple[str, ...]:
    """The arithmetics of the cases; and "scipy" where NumPy's runs a library function."""
    found = set()
    for case in cases:
        found.add(case.arithmetic)
        of_library = case.formula.partition("[")[0] in LIBRARY.get(case.demand.problem, {})
        if case.arithmetic == "numpy" and of_library:
            found.add("scipy")
    return tuple(sorted(found))


def packages(uses: Collection[str]) -> set[str]:
    """The first names: "torch" of "torch.compile:cuda"."""
    return {name.partition(":")[0].partition(".")[0] for name in uses}


def on_gpu(uses: Collection[str]) -> bool:
    """Whether a GPU is asked for."""
    return any(name.endswith(":cuda") for name in uses)


def torch(uses: Collection[str]) -> ModuleType | None:
    """The module torch where it is used and can be imported; its arithmetic says why it cannot."""
    if "torch" not in packages(uses):
        return None
    try:
        return import_module("torch")
    except (ImportError, OSError):
        return None
