"""Whether a formula left the process as it found it: what it changed is said, and undone.

Code of anybody's runs between two looks. The processor has to compute by the standard before and
after; all else has to be after as it was before, whatever that is.
"""

import builtins
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fpstudy.environment.floating_point import UnsteadyError, steady
from fpstudy.environment.global_state import STATES, State, Values
from fpstudy.reasons import reason_of

WIDEST = 60  # characters of a value that is shown


class untouched:  # noqa: N801 (used as contextlib's own are)
    """Raises UnsteadyError naming all that `what` changed, after everything is as before.

    Where something else is raised, that goes on, after everything is as before. The processor must
    compute by the standard before `what`, too. Within, NumPy ignores what overflows: an arithmetic
    that set so itself would hide a change of it. What importing a module usually changes is undone
    after an import as well, but is nobody's fault.
    """

    def __init__(self, what: str) -> None:
        """what: the subject of the sentence about a change."""
        self._what = what
        self._said: list[str] = []
        self._rest = _rest_untouched(what, self._said)

    def __enter__(self) -> None:
        self._rest.__enter__()
        self._names = _NAMES.copy()

    def __exit__(self, *raised: Any) -> bool | None:
        # Python's own names come first, and are put back without their help.
        changed = [name for name, own in self._names.items() if _NAMES.get(name) is not own]
        if changed:
            _NAMES.update(self._names)
            self._said.append(f"{self._what} changed names of Python ({', '.join(changed)})")
        return self._rest.__exit__(*raised)


_NAMES = vars(builtins)


@contextmanager
def _rest_untouched(what: str, said: list[str]) -> Iterator[None]:
    """As `untouched`, but for Python's own names; said: sentences about what has changed."""
    with np.errstate(all="ignore"):
        before, modules, depth = _read(), len(sys.modules), sys.getrecursionlimit()
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
    pair = type(value) is tuple and len(value) == 2 and all(map(_plain, value))
    if isinstance(value, tuple | dict) and not pair:
        return f"{len(value)} entries"
    text = repr(value) if pair or _plain(value) else type(value).__name__
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def _plain(value: Any) -> bool:
    return value is None or type(value) in (str, int, bool, float)
