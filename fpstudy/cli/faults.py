"""Faults as messages and exit codes.

0 fine; 1 a check failed (the witness, an inequality, a limit); 2 the usage or the study file is
wrong; 3 some cases crashed and the rest is recorded; 74 no room or no right to write, another run
in the report's folder, the folder removed meanwhile, or a cluster that does not answer or lost its
workers; 130 interrupted, 143 terminated.

After 74, 130 and 143 the folder's report is the one of before or the new one, whole, and the same
command goes on. That nobody reads what is printed (a broken pipe, a closed stream) is no fault: the
code is that of what was done. A disk that is full under standard output is 74.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from fpstudy.interrupts import Terminated, terminate
from fpstudy.staging import KEPT

CHECK_FAILED, USAGE, CRASHED, NO_ROOM = 1, 2, 3, 74


@contextmanager
def faults() -> Iterator[None]:
    """Errors of the user and of the file system, as messages with their exit codes."""
    from fpstudy.damage import AbsentError, DamagedError
    from fpstudy.environment.floating_point import UnsteadyError
    from fpstudy.logit_files import LogitsError
    from fpstudy.outages import ClusterError, WorkersLostError
    from fpstudy.study import StudyError
    from fpstudy.user_code import CodeError

    try:
        yield
    except (StudyError, LogitsError, CodeError, DamagedError, AbsentError) as error:
        click.echo(_seen(error), err=True)
        sys.exit(USAGE)
    except UnsteadyError as error:
        click.echo(f"check failed: {_seen(error)}", err=True)
        sys.exit(CHECK_FAILED)
    except (ClusterError, WorkersLostError) as error:
        click.echo(f"{_seen(error)}\n{KEPT}", err=True)
        sys.exit(NO_ROOM)
    except OSError as error:
        told = f"{error.filename or 'output'}: {error.strerror}" if error.strerror else error
        click.echo(_seen(told), err=True)
        sys.exit(NO_ROOM)


def _seen(message: object) -> str:
    """The message, its lines kept; a manifest's or a file's name in it drives no terminal."""
    from fpstudy.visible import visible

    return visible(message)


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C and SIGTERM, whenever they come, as messages with their exit codes."""
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"interrupted; {KEPT}", err=True)
        sys.exit(130)
    except Terminated:
        click.echo(f"terminated; {KEPT}", err=True)
        sys.exit(143)
    finally:
        if signal.getsignal(signal.SIGTERM) is terminate:
            signal.signal(signal.SIGTERM, before)
