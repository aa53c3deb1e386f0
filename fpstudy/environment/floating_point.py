"""How the processor computes: the rounding direction, and what becomes of subnormal numbers.

Both are a state of the thread, and a library can change it behind everybody's back: one built with
-ffast-math sets flush-to-zero when it is loaded. Then no error measured here would mean anything,
so the state is read by computing, before and after.
"""

import ctypes
import platform
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
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
    return {name: _mode(*facts) for name, facts in _FORMATS.items()}


@contextmanager
def steady(what: str) -> Iterator[None]:
    """Raises UnsteadyError where the state is not STANDARD before `what`, or was changed by it.

    A changed state is put back, so that what comes after computes by the standard again.
    """
    saved = _saved_state()
    before = _control(saved)
    _demand(f"before {what}", before)
    try:
        yield
    except BaseException:
        _put_back(saved)
        raise
    try:
        after = _control(_saved_state())
        _demand(f"after {what}", after)
        if after != before:
            new, old = (" ".join(f"{word:#x}" for word in words) for words in (after, before))
            raise UnsteadyError(f"after {what}: the processor's control word is {new}, not {old}")
    finally:
        _put_back(saved)


def _demand(when: str, control: tuple[int, ...]) -> None:
    if control in _known:
        return
    if _as_standard():
        _known.update({control} - {()})
        return
    other = {name: how for name, how in mode().items() if how != STANDARD}
    if other:
        told = "; ".join(f"{name} rounds {how}" for name, how in other.items())
        raise UnsteadyError(
            f"{when}: {told}; wanted: {STANDARD}. Was a -ffast-math library loaded?"
        )


def _mode(native: np.dtype[Any], bits: np.dtype[Any], p: int) -> str:
    """One format's state; numbers go in and out as bit patterns, which no state can change."""
    first, half_ulp, small, factors = _operands(native, bits, p)
    with np.errstate(all="ignore"):
        left = (first + half_ulp).view(bits) != first.view(bits)
        result, grown = (small * factors).view(bits)
    direction = DIRECTIONS.get(tuple(left.tolist()), "in no known direction")
    lost = ["results"] if result == 0 else []
    lost += ["operands"] if grown == 0 else []
    subnormals = f"{' and '.join(lost)} flushed to zero" if lost else "kept"
    return f"{direction}, subnormal{'' if lost else 's'} {subnormals}"


def _operands(native: np.dtype[Any], bits: np.dtype[Any], p: int) -> tuple[Any, Any, Any, Any]:
    """Summands 1, 1 + 2h and -1 with theirs, h, h and -h; small numbers and their factors.

    The least normal number times 1/2 is subnormal, and the least subnormal one times 2**(bias - 1)
    is normal.
    """
    bias = (1 << (8 * native.itemsize - p - 1)) - 1

    def power(e: int) -> int:
        """Bits of 2**e, a normal number."""
        return (e + bias) << (p - 1)

    def numbers(*patterns: int) -> Any:
        return np.array(patterns, bits).view(native)

    sign, one = 1 << (8 * native.itemsize - 1), power(0)
    first = numbers(one, one + 1, sign | one)
    half_ulp = numbers(power(-p), power(-p), sign | power(-p))
    return first, half_ulp, numbers(power(1 - bias), 1), numbers(power(-1), power(bias - 1))


def _standard(bits: np.dtype[Any], p: int) -> bytes:
    """The bits of first + half_ulp and small * factors by the standard, worked out in integers.

    1 and -1 stay, as half an ulp more is a tie and they are even; 1 + 2h is odd and goes up.
    """
    bias = (1 << (8 * bits.itemsize - p - 1)) - 1
    one, sign = bias << (p - 1), 1 << (8 * bits.itemsize - 1)
    sums = np.array([one, one + 2, sign | one], bits)
    products = np.array([1 << (p - 2), (1 - p + bias) << (p - 1)], bits)
    return sums.tobytes() + products.tobytes()


_FORMATS: dict[str, tuple[np.dtype[Any], np.dtype[Any], int]] = {
    "float32": (np.dtype(np.float32), np.dtype(np.uint32), 24),
    "float64": (np.dtype(np.float64), np.dtype(np.uint64), 53),
}
_PROBES = [_operands(*facts) for facts in _FORMATS.values()]
_EXPECTED = b"".join(_standard(bits, p) for _, bits, p in _FORMATS.values())


def _as_standard() -> bool:
    """Whether all that `mode` looks at is as the standard has it, at a tenth of its cost."""
    with np.errstate(all="ignore"):
        found = [(a + b).tobytes() + (c * d).tobytes() for a, b, c, d in _PROBES]
    return b"".join(found) == _EXPECTED


# Room for the C library's fenv_t, 8 bytes (AArch64) to 32 (x86-64).
_FENV_BYTES = 128


@cache
def _c_library() -> Any:
    """The C library with fegetenv and fesetenv; None where there is none."""
    try:
        library = ctypes.CDLL(None)
        return library if library.fegetenv and library.fesetenv else None
    except (AttributeError, OSError, TypeError):
        return None


def _saved_state() -> Any:
    """The thread's floating-point state as the C library saves it; None without fegetenv."""
    library, state = _c_library(), ctypes.create_string_buffer(_FENV_BYTES)
    return state if library is not None and library.fegetenv(state) == 0 else None


# The words that say how to compute, within fenv_t: on x86-64 the x87's control word, for long
# double, and MXCSR, of which the low six bits are flags that computing raises; on AArch64 FPCR.
_MXCSR_FLAGS = 0x3F
_WORDS = {"x86_64": struct.Struct("<H26xI"), "aarch64": struct.Struct("<I")}.get(
    platform.machine() if sys.platform == "linux" else ""
)
# Those that were seen to compute by the standard, so that nothing need be computed again.
_known: set[tuple[int, ...]] = set()


def _control(state: Any) -> tuple[int, ...]:
    """What of a saved state says how to compute; () where its layout is not known."""
    if state is None or _WORDS is None:
        return ()
    *first, last = _WORDS.unpack_from(state)
    return (*first, last & ~_MXCSR_FLAGS) if first else (last,)


def _put_back(state: Any) -> None:
    if state is not None:
        _c_library().fesetenv(state)
