"""Where the time of this process goes: a signal looks at the stack every few milliseconds.

cProfile would charge each Python call, of which the witness makes millions and whole-array code
hardly any. A look comes late while a long call into C runs, so each look is charged with all the
processor time since the last.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

INTERVAL = 0.002  # seconds of processor time


class Sampler:
    """A context that counts processor time by the name that `name_of` gives a stack.

    Only in the main thread, which is where Python runs what a signal asks for.
    """

    def __init__(self, name_of: Callable[[FrameType | None], str]) -> None:
        """Nothing is counted until it is entered."""
        self.seconds: Counter[str] = Counter()
        self._name_of = name_of
        self._last = 0.0

    def __enter__(self) -> "Sampler":
        self._last = time.process_time()
        signal.signal(signal.SIGPROF, self._look)
        signal.siginterrupt(signal.SIGPROF, False)  # reads and writes go on
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)

    def _look(self, _: int, frame: FrameType | None) -> Any:
        now = time.process_time()
        self.seconds[self._name_of(frame)] += now - self._last
        self._last = now
