"""Files of the user's own logits, .npy, .npz and .csv: data, and read as nothing more.

What a file claims is held against its size before anything is made of it, so that neither a header
nor an archive that claims more than there is costs memory. Nothing is unpickled.
"""

import csv
import hashlib
import io
import math
import os
import warnings
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from fpstudy.formats import Floats
from fpstudy.reasons import first_line
from fpstudy.regular_file import opened

MAX_NUMBERS = 2**27  # 1 GiB in float64; to measure so many takes fifty times that
MAX_BYTES = 2**30 + 2**16  # so many numbers, and the headers around them
MAX_CSV = 2**26  # 64 MiB: three million numbers in full; text is slow to read
MAX_LINE = 2**23  # a vector of 400,000 numbers in full
MAX_DIRECTORY = 2**16  # bytes of an archive's table of contents, which names one array
_END_OF_ARCHIVE, _END_SIZE, _ZIP64 = b"PK\x05\x06", 22, b"PK\x06\x07"


class LogitsError(ValueError):
    """A file of logits cannot be used; the message says which, why, and what would do."""


@dataclass(frozen=True)
class LogitFile:
    """What a file held when it was read.

    x:      (rows, n) its logits
    sha256: of its bytes, those that x was made of
    """

    x: Floats
    sha256: str


def read_logits(path: Path) -> Floats:
    """(rows, n): the logits of a .npy, .npz (one array) or .csv file, each row one vector.

    Stored numbers (float16, float32, float64, integers) become float64 exactly; text is rounded
    to float64 once. Raises LogitsError.
    """
    return _read(path).x


def file_logits(path: Path) -> LogitFile:
    """The file's logits, read once and again when the file has changed; raises LogitsError."""
    try:
        now = path.stat()
    except OSError as error:
        raise LogitsError(f"{path.name}: cannot be read: {error.strerror}") from None
    return _kept(path, (now.st_ino, now.st_size, now.st_mtime_ns))


@lru_cache(maxsize=16)
def _kept(path: Path, version: tuple[int, ...]) -> LogitFile:
    return _read(path)


def _read(path: Path) -> LogitFile:
    if path.suffix not in _FORMS:
        raise LogitsError(f"{path.name}: want .npy, .npz or .csv, got {path.suffix!r}")
    check, parse = _FORMS[path.suffix]
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            check(file, size)
            file.seek(0)
            content = file.read(size + 1)
        if len(content) != size:
            raise ValueError(f"it had {size:,} bytes and changed while it was read")
        numbers = parse(content)
    except _FAULTS as error:
        raise LogitsError(f"{path.name}: cannot be read: {first_line(error)}") from None
    return LogitFile(_rows(path.name, numbers), hashlib.sha256(content).hexdigest())


# NotImplementedError, which is a RuntimeError, is what zipfile makes of an unknown compression
_FAULTS = (OSError, ValueError, EOFError, csv.Error, zipfile.BadZipFile, zlib.error, RuntimeError)


def _rows(name: str, numbers: np.ndarray) -> Floats:
    """(rows, n): numbers of a file as float64, where they are logits."""
    if numbers.ndim == 1:
        numbers = numbers[None, :]
    if numbers.ndim != 2 or 0 in numbers.shape:
        raise LogitsError(f"{name}: want rows of logits (rows, n), got shape {numbers.shape}")
    x = numbers.astype(np.float64)
    if numbers.dtype.kind in "iu" and (numbers != x.astype(numbers.dtype)).any():
        raise LogitsError(f"{name}: integers beyond 2**53 are no float64 values")
    if np.isnan(x).any():
        row, column = np.argwhere(np.isnan(x))[0]
        raise LogitsError(f"{name}: NaN at row {row}, column {column}: a logit is a number")
    return x


@dataclass(frozen=True)
class _Header:
    """What the head of a .npy file says, held against the bytes that follow it."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)


def _header(file: IO[bytes], size: int) -> _Header:
    """The header of a .npy file of so many bytes; raises ValueError for one that is no logits'."""
    if file.read(6) != b"\x93NUMPY":
        raise ValueError("it does not begin as a .npy file does")
    version = tuple(file.read(2))
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its version is {version}; logits are saved in (1, 0) or (2, 0)")
    read = np.lib.format.read_array_header_1_0
    if version == (2, 0):
        read = np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings(action="ignore"):  # of a header that Python 2 wrote
            header = _Header(*read(file))
    except Exception:  # RecursionError, TokenError, ..: whatever NumPy makes of a hostile header
        raise ValueError("its header is none that NumPy writes") from None
    dtype = header.dtype
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are pickled, and nothing is unpickled")
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise ValueError(
            f"want numbers of up to 64 bits, got {str(dtype)[:80]}; NumPy stores bfloat16"
            " and float8 as raw bytes: save those as float32, which holds them exactly"
        )
    if min(header.shape, default=0) < 0:
        raise ValueError(f"its header says shape {header.shape}")
    claimed, there = header.numbers * dtype.itemsize, size - file.tell()
    if claimed != there:
        shape = str(header.shape)[:80]
        told = f"{claimed:,} bytes" if claimed < 2**63 else "more bytes than any file has"
        raise ValueError(f"its header says shape {shape}, {told}; {there:,} follow")
    if header.numbers > MAX_NUMBERS:
        raise ValueError(f"{header.numbers:,} numbers; the limit is {MAX_NUMBERS:,}")
    return header


def _check_npy(file: IO[bytes], size: int) -> None:
    _header(file, size)


def _npy(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    header = _header(file, len(content))
    numbers = np.frombuffer(content, header.dtype, header.numbers, file.tell())
    return numbers.reshape(header.shape, order="F" if header.fortran else "C")


def _check_npz(file: IO[bytes], size: int) -> None:
    """The table of contents, at the end of the archive, is small: it names one array."""
    if file.read(4) != b"PK\x03\x04":
        raise ValueError("it does not begin as a .npz archive does")
    if size > MAX_BYTES:
        raise ValueError(f"{size:,} bytes; the limit is {MAX_BYTES:,}")
    file.seek(max(0, size - MAX_DIRECTORY - _END_SIZE))
    tail = file.read()
    end = tail.rfind(_END_OF_ARCHIVE)
    if not 0 <= end <= len(tail) - _END_SIZE:
        raise ValueError("it is cut short: it has no table of contents")
    entries = int.from_bytes(tail[end + 10 : end + 12], "little")
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    if entries != 1:
        raise ValueError(f"want one array, got {entries}")
    if length > MAX_DIRECTORY or tail[max(0, end - 20) : end].startswith(_ZIP64):
        raise ValueError("its table of contents is not that of one array")


def _npz(content: bytes) -> np.ndarray:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (member,) = archive.infolist()
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("compressed otherwise than NumPy does")
        with archive.open(member) as file:
            _header(file, member.file_size)  # before more than that is unpacked
        return _npy(archive.read(member))


def _check_csv(file: IO[bytes], size: int) -> None:
    if size > MAX_CSV:
        raise ValueError(f"{size:,} bytes of text; the limit is {MAX_CSV:,}: save it as .npy")


def _csv(content: bytes) -> np.ndarray:
    """Rows of one length; lines that hold nothing are passed over."""
    numbers, length, rows = array("d"), 0, 0
    reader = csv.reader(_lines(content))
    for row in reader:
        if not any(entry.strip() for entry in row):
            continue
        length = length or len(row)
        if len(row) != length:
            raise ValueError(
                f"line {reader.line_num} has {len(row)} numbers and those before it {length}:"
                " want one length"
            )
        try:
            numbers.extend(map(_number, row))
        except ValueError as error:
            raise ValueError(f"line {reader.line_num}: {error}") from None
        rows += 1
    if not rows:
        raise ValueError("no rows")
    return np.array(numbers).reshape(rows, length)


def _lines(content: bytes) -> Iterator[str]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise ValueError(f"a line of {MAX_LINE:,} characters or more: save it as .npy")
        yield line


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


Check = Callable[[IO[bytes], int], None]  # raises ValueError, having read a few bytes
_FORMS: dict[str, tuple[Check, Callable[[bytes], np.ndarray]]] = {
    ".npy": (_check_npy, _npy),
    ".npz": (_check_npz, _npz),
    ".csv": (_check_csv, _csv),
}
