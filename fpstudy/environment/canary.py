"""Whether a formula left the process as it found it: what it changed is said, and undone.

Code of anybody's runs between two looks. The processor has to compute by the standard before and
after; all else has to be after as it was before, whatever that is.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fpstudy.environment.floating_point import UnsteadyError, steady
from fpstudy.environment.global_state import (
    AROUND_A_TEXT,
    FILTERS,
    OF_THE_PROCESS,
    State,
    Values,
)
from fpstudy.reasons import reason_of

WIDEST = 60  # characters of a value that is shown


@contextmanager
def untouched(what: str) -> Iterator[None]:
    """Raises UnsteadyError naming all that `what` changed, after everything is as before.

    Where something else is raised, that goes on, after everything is as before. The processor must
    compute by the standard before `what`, too.
    """
    before = _read(OF_THE_PROCESS)
    said = []
    try:
        with steady(what):
            yield
    except UnsteadyError as error:
        said.append(str(error))
    except BaseException:
        _undone(what, OF_THE_PROCESS, before)
        raise
    said += _undone(what, OF_THE_PROCESS, before)
    if said:
        raise UnsteadyError("; ".join(said))


def watched(what: str, around: Callable[..., Any]) -> Callable[..., Any]:
    """A way to call a text, around(text, ...), that also looks at what an arithmetic sets itself.

    It is the inner part of `untouched`, and raises UnsteadyError alike. Filters of warnings that
    came with the import of a module are undone, but are nobody's fault.
    """

    def call(text: Callable[..., Any], /, *arguments: Any, **parameters: Any) -> Any:
        before, modules = _read(AROUND_A_TEXT), len(sys.modules)
        try:
            y = around(text, *arguments, **parameters)
        except BaseException:
            _undone(what, AROUND_A_TEXT, before)
            raise
        said = _undone(what, AROUND_A_TEXT, before)
        if len(sys.modules) > modules:
            said = [sentence for sentence in said if FILTERS not in sentence]
        if said:
            raise UnsteadyError("; ".join(said))
        return y

    return call


def _read(states: Sequence[State]) -> list[Values]:
    return [_values(state) for state in states]


def _values(state: State) -> Values:
    try:
        return state.read()
    except Exception:  # of a library that is half loaded, or that somebody replaced
        return {}


def _undone(what: str, states: Sequence[State], before: list[Values]) -> list[str]:
    """Put back whatever differs from before; a sentence for each state that did.

    What was not there before is no change: its library was loaded meanwhile.
    """
    said = []
    for state, old, new in zip(states, before, _read(states), strict=True):
        changes = [
            f"{name} {_shown(value)} -> {_shown(new.get(name))}"
            for name, value in old.items()
            if not _same(value, new.get(name, _GONE))
        ]
        if changes:
            sentence = f"{what} changed {state.name} ({', '.join(changes)})"
            try:
                state.put_back(old)
            except Exception as error:
                sentence += f", which cannot be put back: {reason_of(error)}"
            said.append(sentence)
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
    return repr(value)[:WIDEST] if plain else type(value).__name__
