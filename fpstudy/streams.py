"""Standard output and error whose readers may go away: what nobody can read is dropped.

A run is of its files: that a pipe broke, or a stream is closed, does not stop it. Results go to
standard output, so that a disk is full under it is an error; standard error only tells.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class _Heedless(io.FileIO):
    """A file without buffer that takes what it cannot write for written."""

    dropped: tuple[type[OSError], ...] = (OSError,)

    def write(self, data: Any) -> int:
        """The number of bytes taken."""
        try:
            return super().write(data)
        except self.dropped:
            return memoryview(data).nbytes


class _WithoutReader(_Heedless):
    """The same where nobody reads any more; another fault is raised."""

    dropped = (BrokenPipeError,)


class _Nowhere(io.RawIOBase):
    """A file that keeps nothing."""

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """The number of bytes taken."""
        return memoryview(data).nbytes


def heedless(stream: TextIO | None, kind: type[_Heedless] = _Heedless) -> TextIO:
    """A stream that writes where this one does, and drops what cannot be written.

    One that is no file of the system's, as in a notebook, stays as it is; for none, or a closed
    one, there is one that drops all.
    """
    if stream is None or stream.closed:
        return io.TextIOWrapper(io.BufferedWriter(_Nowhere()), "utf-8")
    buffer = getattr(stream, "buffer", None)  # of python -u it is the file itself
    if os.name != "posix" or not isinstance(getattr(buffer, "raw", buffer), io.FileIO):
        return stream
    stream.flush()
    raw = kind(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), stream.encoding, stream.errors, line_buffering=True
    )


@contextmanager
def dropping() -> Iterator[None]:
    """The process's own standard streams heedless while this lasts.

    A number that is closed is taken, so that no file of a run gets it and what somebody prints.
    Raises OSError where standard output cannot be written for another reason than its reader.
    """
    if os.name == "posix":
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(number)
    before = sys.stdout, sys.stderr
    if sys.stdout is sys.__stdout__:
        sys.stdout = heedless(sys.stdout, _WithoutReader)
    if sys.stderr is sys.__stderr__:
        sys.stderr = heedless(sys.stderr)
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        finally:
            sys.stdout, sys.stderr = before
