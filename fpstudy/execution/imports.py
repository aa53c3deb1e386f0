"""A user's modules, imported for the first time in a process of their own: some never come back."""

from collections.abc import Sequence
from concurrent.futures import wait
from pathlib import Path

from fpstudy.environment.memory import available
from fpstudy.execution.desk import LOOK_SECONDS, Desk
from fpstudy.execution.worker import import_code
from fpstudy.user_code import Code, CodeError, demand_allowed

IMPORT_SECONDS = 30.0  # torch and jax together take five on a slow machine


def checked(names: Sequence[str], code: Code) -> list[Path]:
    """The files that the formulas "module:function" come from, as `user_code.sources` finds them.

    Raises CodeError where one is not allowed, cannot be imported, or its import ends the process or
    takes longer than IMPORT_SECONDS.
    """
    for name in names:
        demand_allowed(name, code)
    if not names:
        return []
    desk = Desk(available())
    try:
        future = desk.start(import_code, names, code)
        for _ in range(round(IMPORT_SECONDS / LOOK_SECONDS)):
            wait([future], timeout=LOOK_SECONDS)
            loss = desk.lost()
            if loss is not None:
                raise CodeError(f"{', '.join(names)}: importing failed: {loss}")
            if future.done():
                found: list[Path] = future.result()
                return found
        raise CodeError(
            f"{', '.join(names)}: importing took longer than {IMPORT_SECONDS:g} s, and was given up"
        )
    finally:
        desk.clear()
