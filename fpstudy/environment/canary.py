"""Whether a formula left the process as it found it: what it changed is said, and undone.

Code of anybody's runs between two looks. The processor has to compute by the standard before and
after; all else has to be after as it was before, whatever that is.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fpstudy.environment.floating_point import UnsteadyError, steady
from fpstudy.environment.global_state import STATES, State, Values
from fpstudy.reasons import reason_of

WIDEST = 60  # characters of a value that is shown


@contextmanager
def untouched(what: str) -> Iterator[None]:
    """Raises UnsteadyError naming all that `what` changed, after everything is as before.

    Where something else is raised, that goes on, after everything is as before. The processor must
    compute by the standard before `what`, too. Within, NumPy ignores what overflows: an arithmetic
    that set so itself would hide a change of it. What importing a module usually changes is undone
    after an import as well, but is nobody's fault.
    """
    with np.errstate(all="ignore"):
        before, modules, depth = _read(), len(sys.modules), sys.getrecursionlimit()
        said = []
        try:
            with steady(what):
                yield
        except UnsteadyError as error:
            said.append(str(error))
        except BaseException:
            sys.setrecursionlimit(depth)  # first: what follows needs room itself
            _undone(before)
            raise
        left = sys.getrecursionlimit()
        sys.setrecursionlimit(depth)
        if left != depth:
            said.append(f"{what} changed the recursion limit ({depth} -> {left})")
        changed = _undone(before)
        imported = len(sys.modules) > modules
        said += [f"{what} {did}" for state, did in changed if not (imported and state.by_imports)]
        if said:
            raise UnsteadyError("; ".join(said))


def _read() -> list[Values]:
    return [_values(state) for state in STATES]


def _values(state: State) -> Values:
    try:
        return state.read()
    except Exception:  # of a library that is half loaded, or that somebody replaced
        return {}


def _undone(before: list[Values]) -> list[tuple[State, str]]:
    """Put back whatever differs from before; each state that did, and a sentence without subject.

    What was not there before is no change: its library was loaded meanwhile.
    """
    after = _read()
    if _same(before, after):
        return []
    said = []
    for state, old, new in zip(STATES, before, after, strict=True):
        changes = [
            f"{name} {_shown(value)} -> {_shown(new.get(name))}"
            for name, value in old.items()
            if not _same(value, new.get(name, _GONE))
        ]
        if changes:
            sentence = f"changed {state.name} ({', '.join(changes)})"
            try:
                state.put_back(old)
            except Exception as error:
                sentence += f", which cannot be put back: {reason_of(error)}"
            said.append((state, sentence))
    return said


_GONE = object()


def _same(a: Any, b: Any) -> bool:
    try:
        return a is b or bool(a == b)
    except Exception:  # an object of the formula's own
        return False


def _shown(value: Any) -> str:
    """A value in a sentence: short, and without calling what the formula put there."""
    if isinstance(value, tuple | dict):
        return f"{len(value)} entries"
    plain = value is None or type(value) in (str, int, bool, float)
    text = repr(value) if plain else type(value).__name__
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."
