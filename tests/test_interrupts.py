"""Interrupts that come while a process is started wait, and one that Python drops comes again."""

import os
import signal
import time
import weakref

import pytest

from fpstudy.interrupts import Terminated, heeded, held, terminate


@pytest.fixture
def handlers():
    before = signal.getsignal(signal.SIGINT), signal.signal(signal.SIGTERM, terminate)
    yield
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGTERM, before[1])


BOTH = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]


@pytest.mark.parametrize(("number", "raised"), BOTH)
def test_an_interrupt_waits_for_the_end_and_is_raised_then(handlers, number, raised) -> None:
    steps = []
    handler = signal.getsignal(number)

    def started() -> None:
        with held():
            os.kill(os.getpid(), number)
            time.sleep(0.05)
            steps.append("to the end")

    with pytest.raises(raised):
        started()
    assert steps == ["to the end"]
    if number == signal.SIGINT:
        assert signal.getsignal(number) is handler


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("number", "raised"), BOTH)
def test_an_interrupt_within_a_callback_is_not_lost(handlers, capfd, number, raised) -> None:
    def interrupted(_: object) -> None:
        os.kill(os.getpid(), number)
        time.sleep(0.05)

    class Thing: ...

    thing = Thing()
    kept = weakref.ref(thing, interrupted)

    def run() -> None:
        nonlocal thing
        with heeded():
            del thing
            time.sleep(5)

    with pytest.raises(raised):
        run()
    assert kept() is None
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("number", "raised"), BOTH)
def test_a_second_interrupt_does_not_fall_into_what_the_first_unwinds(
    handlers, number, raised
) -> None:
    steps = []

    def run() -> None:
        with heeded():
            try:
                os.kill(os.getpid(), number)
                time.sleep(5)
            finally:
                os.kill(os.getpid(), number)
                time.sleep(0.05)
                steps.append("unwound")

    with pytest.raises(raised):
        run()
    assert steps == ["unwound"]


def test_any_other_error_in_a_callback_is_told_as_always(capfd) -> None:
    class Thing: ...

    def failing(_: object) -> None:
        raise ValueError("of the callback")

    thing = Thing()
    kept = weakref.ref(thing, failing)
    with heeded():
        del thing
    assert kept() is None
    assert "of the callback" in capfd.readouterr().err
