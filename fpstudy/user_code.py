"""Formulas of the user's own: "module:function" in a study, or any callable from Python.

Naming code in a study runs nothing: the module is imported only by a run that was told so on the
command line, from the study's folder or from the installed packages.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fpstudy.problems import Formula
from fpstudy.reasons import FAULTS, reason_of


class CodeError(ValueError):
    """Code that a study names cannot be used; the message says which and why."""


def is_code(name: str) -> bool:
    """Whether a formula's name is one of code, "module:function"."""
    return ":" in name


def formula_of(function: Callable[..., Any]) -> Formula:
    """A callable as a formula.

    It is called as function(x) or function(x, q), with native arrays whose last axis is the
    vector; with base or beta as a keyword; and with the array namespace first if its first
    parameter is named xp. The arrays are copies: changing them in place is a bad output.
    """
    from fpstudy.arithmetic.copies import on_copies  # which arithmetics it knows takes its time

    takes_namespace = _first_parameter(function) == "xp"

    def text(xp: Any, *arrays: Any, **parameters: Any) -> Any:
        namespace = (xp,) if takes_namespace else ()
        return function(*namespace, *arrays, **parameters)

    text.__doc__ = f"{getattr(function, '__name__', 'a callable')}, a function of the user's own."
    return Formula(text, special=True, around=on_copies)


def _first_parameter(function: Callable[..., Any]) -> str | None:
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # built in, without a signature
        return None
    return names[0] if names else None


@dataclass(frozen=True)
class Code:
    """What a run was allowed to import.

    modules: names given by --allow-code
    folder:  the study's, where they are looked for beside the installed packages
    """

    modules: tuple[str, ...] = ()
    folder: Path | None = None


NO_CODE = Code()


def demand_allowed(name: str, code: Code) -> None:
    """Raises CodeError where the module of "module:function" may not be imported."""
    module_name = name.partition(":")[0]
    if module_name not in code.modules:
        raise CodeError(
            f"{name} names Python code, and running it runs that file:"
            f" allow it by --allow-code {module_name}"
        )
    if module_name.partition(".")[0] in sys.stdlib_module_names:
        raise CodeError(f"{name}: {module_name} is Python's own; want a module with formulas in it")


@cache
def load(name: str, code: Code) -> Formula:
    """The formula "module:function".

    Raises CodeError where the module is not allowed, there is no such module or function, or
    importing it fails.
    """
    demand_allowed(name, code)
    module_name, _, function_name = name.partition(":")
    if code.folder is not None and str(code.folder) not in sys.path:
        sys.path.append(str(code.folder))  # behind the installed packages: it shadows none
    try:
        module = importlib.import_module(module_name)
    except FAULTS as error:  # whatever it raises is the user's to know
        said = reason_of(error)
        raise CodeError(f"{name}: importing {module_name} failed: {said}") from None
    function = getattr(module, function_name, None)
    if function is None:
        raise CodeError(f"{name}: {module_name} has no {function_name}")
    if not callable(function):
        raise CodeError(f"{name}: {function_name} is {type(function).__name__}, not a function")
    return formula_of(function)


def sources(names: Sequence[str], code: Code) -> list[Path]:
    """Load the formulas; the files of all that this imported but Python's own, by module name.

    What a formula imports only when it runs is not among them. Raises CodeError.
    """
    before = set(sys.modules)
    for name in names:
        load(name, code)
    found = []
    for name in sorted(set(sys.modules) - before):
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and name.partition(".")[0] not in sys.stdlib_module_names:
            found.append(Path(file))
    return [path for path in found if path.is_file()]
