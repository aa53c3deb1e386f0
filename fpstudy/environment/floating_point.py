"""How the processor computes: the rounding direction, and what becomes of subnormal numbers.

Both are a state of the thread, and a library can change it behind everybody's back: one built with
-ffast-math sets flush-to-zero when it is loaded. Then no error measured here would mean anything,
so the state is read by computing, before and after.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

STANDARD = "to nearest even, subnormals kept"

# Which of 1 + h, (1 + 2h) + h and -1 - h leaves its first summand, h = u half an ulp of 1.
DIRECTIONS: dict[tuple[bool, ...], str] = {
    (False, True, False): "to nearest even",
    (True, True, True): "to nearest, ties away from zero",
    (True, True, False): "up",
    (False, False, True): "down",
    (False, False, False): "toward zero",
}


class UnsteadyError(RuntimeError):
    """Numbers were computed by other rules than those of the standard."""


def mode() -> dict[str, str]:
    """What NumPy's float32 and float64 do now; each STANDARD unless somebody changed it."""
    return {
        "float32": _mode(np.dtype(np.float32), np.dtype(np.uint32), 24),
        "float64": _mode(np.dtype(np.float64), np.dtype(np.uint64), 53),
    }


@contextmanager
def steady(what: str) -> Iterator[None]:
    """Raises UnsteadyError where the state is not STANDARD before `what`, or was changed by it.

    A changed state is put back, so that what comes after computes by the standard again.
    """
    _demand(f"before {what}")
    saved = _saved_state()
    try:
        yield
    except BaseException:
        _put_back(saved)
        raise
    try:
        _demand(f"after {what}")
    finally:
        _put_back(saved)


def _demand(when: str) -> None:
    other = {name: how for name, how in mode().items() if how != STANDARD}
    if other:
        told = "; ".join(f"{name} rounds {how}" for name, how in other.items())
        raise UnsteadyError(
            f"{when}: {told}; wanted: {STANDARD}. Was a -ffast-math library loaded?"
        )


def _mode(native: np.dtype[Any], bits: np.dtype[Any], p: int) -> str:
    """One format's state; numbers go in and out as bit patterns, which no state can change."""
    bias = (1 << (8 * native.itemsize - p - 1)) - 1

    def power(e: int) -> int:
        """Bits of 2**e, a normal number."""
        return (e + bias) << (p - 1)

    def numbers(*patterns: int) -> Any:
        return np.array(patterns, bits).view(native)

    sign, one = 1 << (8 * native.itemsize - 1), power(0)
    first = numbers(one, one + 1, sign | one)
    half_ulp = numbers(power(-p), power(-p), sign | power(-p))
    least_normal, least_subnormal = numbers(power(1 - bias)), numbers(1)
    with np.errstate(all="ignore"):
        left = (first + half_ulp).view(bits) != first.view(bits)
        result = (least_normal * numbers(power(-1))).view(bits)  # exactly 2**-bias, subnormal
        grown = (least_subnormal * numbers(power(bias - 1))).view(bits)  # normal
    direction = DIRECTIONS.get(tuple(left.tolist()), "in no known direction")
    lost = ["results"] if result[0] == 0 else []
    lost += ["operands"] if grown[0] == 0 else []
    subnormals = f"{' and '.join(lost)} flushed to zero" if lost else "kept"
    return f"{direction}, subnormal{'' if lost else 's'} {subnormals}"


# Room for the C library's fenv_t, 8 bytes (AArch64) to 32 (x86-64).
_FENV_BYTES = 128


def _saved_state() -> Any:
    """The thread's floating-point state as the C library saves it; None without fegetenv."""
    state = ctypes.create_string_buffer(_FENV_BYTES)
    try:
        return state if ctypes.CDLL(None).fegetenv(state) == 0 else None
    except (AttributeError, OSError):
        return None


def _put_back(state: Any) -> None:
    if state is not None:
        ctypes.CDLL(None).fesetenv(state)
