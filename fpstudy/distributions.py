"""Where logits come from: distributions with a magnitude M, and the user's own files."""

import csv
import hashlib
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from fpstudy.formats import Floats


def generator(seed: int, *key: object) -> np.random.Generator:
    """The random stream of a key: the same whatever else a study holds, and in any order."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def normal(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """Normal with mean 0; M is the standard deviation."""
    return M * rng.standard_normal(shape)


def uniform(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """Uniform on [-M, M]."""
    return M * (2 * rng.random(shape) - 1)


def equal(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """M everywhere."""
    return np.full(shape, M)


def two_point(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """[M, 0, ..., 0]; M is the gap of the top class."""
    x = np.zeros(shape)
    x[..., 0] = M
    return x


def peaked(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """Standard normal, and M more at one random entry: a classifier sure by about M."""
    x = rng.standard_normal(shape)
    k = rng.integers(shape[-1], size=shape[:-1])[..., None]
    return x + np.where(np.arange(shape[-1]) == k, M, 0.0)


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, ...], float], Floats]] = {
    "normal": normal,
    "uniform": uniform,
    "equal": equal,
    "two_point": two_point,
    "peaked": peaked,
}
DETERMINISTIC = ("equal", "two_point")  # and explicit vectors: all samples are alike


class LogitsError(ValueError):
    """A file of logits cannot be used; the message says which, why, and what would do."""


def read_logits(path: Path) -> Floats:
    """(rows, n): the logits of a .npy, .npz (one array) or .csv file, each row one vector.

    Stored numbers (float16, float32, float64, integers) become float64 exactly; text is rounded
    to float64 once. Nothing is unpickled. Raises LogitsError.
    """
    try:
        array = _READERS[path.suffix](path)
    except KeyError:
        raise LogitsError(f"{path.name}: want .npy, .npz or .csv, got {path.suffix!r}") from None
    except (OSError, ValueError, EOFError, csv.Error) as error:
        raise LogitsError(f"{path.name}: cannot be read: {_first_line(error)}") from None
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8:
        raise LogitsError(
            f"{path.name}: want numbers of up to 64 bits, got {array.dtype}; NumPy stores bfloat16"
            " and float8 as raw bytes: save those as float32, which holds them exactly"
        )
    if array.ndim == 1:
        array = array[None, :]
    if array.ndim != 2 or 0 in array.shape:
        raise LogitsError(f"{path.name}: want rows of logits (rows, n), got shape {array.shape}")
    x = array.astype(np.float64)
    if array.dtype.kind in "iu" and (array != x.astype(array.dtype)).any():
        raise LogitsError(f"{path.name}: integers beyond 2**53 are no float64 values")
    if np.isnan(x).any():
        row, column = np.argwhere(np.isnan(x))[0]
        raise LogitsError(f"{path.name}: NaN at row {row}, column {column}: a logit is a number")
    return x


@cache
def file_logits(path: Path) -> Floats:
    """The logits of a file, read once."""
    return read_logits(path)


def _npy(path: Path) -> np.ndarray:
    return np.asarray(np.load(path, allow_pickle=False))


def _npz(path: Path) -> np.ndarray:
    with np.load(path, allow_pickle=False) as archive:
        if len(archive.files) != 1:
            raise ValueError(f"want one array, got {len(archive.files)}: {archive.files[:5]}")
        return np.asarray(archive[archive.files[0]])


def _csv(path: Path) -> np.ndarray:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if any(entry.strip() for entry in row)]
    if not rows:
        raise ValueError("no rows")
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise ValueError(f"rows of {min(lengths)} to {max(lengths)} numbers: want one length")
    return np.asarray([[_number(entry) for entry in row] for row in rows])


def _number(text: str) -> float:
    """A number as written, in decimal or hex; one that float64 turns into inf or 0 is refused."""
    plain = text.strip()
    try:
        value = float.fromhex(plain) if "0x" in plain.lower() else float(plain)
    except (ValueError, OverflowError):
        raise ValueError(f"{plain[:40]!r} is not a number") from None
    digits = plain.lower().partition("p" if "0x" in plain.lower() else "e")[0]
    if math.isinf(value) and "inf" not in plain.lower():
        raise ValueError(f"{plain[:40]!r} overflows float64")
    if value == 0 and any(digit in "123456789" for digit in digits.removeprefix("0x")):
        raise ValueError(f"{plain[:40]!r} is not 0 but reads as 0.0")
    return value


_READERS: dict[str, Callable[[Path], np.ndarray]] = {".npy": _npy, ".npz": _npz, ".csv": _csv}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
