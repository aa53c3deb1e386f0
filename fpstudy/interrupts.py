"""Ctrl-C and SIGTERM as exceptions that unwind what runs, and when these may come."""

import signal
import sys
import threading
from _thread import interrupt_main
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

AGAIN_SECONDS = 0.02  # until an exception that was dropped is raised again


class Terminated(BaseException):
    """SIGTERM, as an exception that unwinds what is running, workers included."""


def terminate(*_: object) -> None:
    """The handler of SIGTERM: raises Terminated, once: some send it twice, to the group as well."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated


def interrupt(*_: object) -> None:
    """The handler of SIGINT: raises KeyboardInterrupt, once.

    A second one would fall into what the first unwinds, of which Python's own locks break.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def heeded() -> Iterator[None]:
    """Ctrl-C comes once, and both come again where Python drops them: in a callback or destructor.

    One that comes while a module is imported may fall there; the run would go on to its end.
    """
    hook, handler = sys.unraisablehook, signal.getsignal(signal.SIGINT)
    sys.unraisablehook = _again
    if handler is signal.default_int_handler:  # else it is ignored, as of nohup
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        if signal.getsignal(signal.SIGINT) is interrupt:
            signal.signal(signal.SIGINT, handler)


def _again(dropped: Any) -> None:
    handlers = {
        KeyboardInterrupt: (signal.SIGINT, interrupt),
        Terminated: (signal.SIGTERM, terminate),
    }
    if dropped.exc_type not in handlers:
        sys.__unraisablehook__(dropped)
        return
    number, handler = handlers[dropped.exc_type]
    signal.signal(number, handler)
    threading.Timer(AGAIN_SECONDS, interrupt_main, (number,)).start()


@contextmanager
def held() -> Iterator[None]:
    """Both wait for the end, where this is the main thread, which Python tells of them.

    A process that is started must be told all that it needs, or it ends with a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {n: handler for n in numbers if (handler := signal.getsignal(n)) is not None}
    for number in before:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
