"""Files of the user's own logits, .npy, .npz and .csv: data, and read as nothing more.

What a file claims is held against its size before anything is made of it, so that neither a header
nor an archive that claims more than there is costs memory. Numbers are read a part at a time, and
no further than to the first that is no logit. Nothing is unpickled.
"""

import csv
import hashlib
import io
import math
import os
import re
import warnings
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import IO, Literal, Protocol

import numpy as np

from fpstudy.formats import Floats
from fpstudy.reasons import first_line
from fpstudy.regular_file import opened

MAX_NUMBERS = 2**27  # 1 GiB in float64; to measure so many takes fifty times that
MAX_BYTES = 2**30 + 2**16  # so many numbers, and the headers around them
MAX_CSV = 2**26  # 64 MiB: three million numbers in full
MAX_CSV_NUMBERS = 2**22  # text is slow to read
MAX_LINE = 2**23  # a vector of 400,000 numbers in full
MAX_DIRECTORY = 2**16  # bytes of an archive's table of contents, which names one array
PART = 2**20  # numbers that are read at a time
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
            content = _Content(file)
            x = parse(content, size)
            if file.read(1) or content.read_so_far != size:
                raise ValueError(f"it had {size:,} bytes and changed while it was read")
    except LogitsError as error:  # it can be read
        raise LogitsError(f"{path.name}: {error}") from None
    except _FAULTS as error:
        raise LogitsError(f"{path.name}: cannot be read: {first_line(error)}") from None
    return LogitFile(x, content.digest.hexdigest())


# NotImplementedError, which is a RuntimeError, is what zipfile makes of an unknown compression
_FAULTS = (OSError, ValueError, EOFError, csv.Error, zipfile.BadZipFile, zlib.error, RuntimeError)


class _Content:
    """A file from its beginning, and the digest of what was read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.read_so_far = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        self.read_so_far += len(data)
        return data

    def tell(self) -> int:
        return self.read_so_far


class _Stream(Protocol):
    """What a header and the numbers behind it are read from."""

    def read(self, size: int = -1, /) -> bytes: ...

    def tell(self) -> int: ...


def _numbers(file: _Stream, size: int) -> Floats:
    """(rows, n): the numbers of a .npy file of so many bytes, as float64."""
    header = _header(file, size)
    shape = (1, *header.shape) if len(header.shape) == 1 else header.shape
    if len(shape) != 2 or 0 in shape:
        raise LogitsError(f"want rows of logits (rows, n), got shape {header.shape}")
    order: Literal["F", "C"] = "F" if header.fortran else "C"
    x = np.empty(header.numbers)
    for start in range(0, len(x), PART):
        part = x[start : start + PART]
        data = file.read(len(part) * header.dtype.itemsize)
        if len(data) != len(part) * header.dtype.itemsize:
            raise ValueError(f"it ends in the midst of its {header.numbers:,} numbers")
        part[:] = _exactly(np.frombuffer(data, header.dtype))
        _refuse_nan(part, start, shape, order)
    return x.reshape(shape, order=order)


def _exactly(numbers: np.ndarray) -> Floats:
    """Stored numbers as float64; raises LogitsError for integers that are none."""
    x = numbers.astype(np.float64)
    if numbers.dtype.kind in "iu" and numbers.dtype.itemsize == 8:
        end = float(np.iinfo(numbers.dtype).max)  # 2**63 or 2**64, which no such integer is
        if (x >= end).any() or (numbers != x.astype(numbers.dtype)).any():
            raise LogitsError("integers beyond 2**53 are no float64 values")
    return x


def _refuse_nan(part: Floats, start: int, shape: tuple[int, ...], order: Literal["F", "C"]) -> None:
    """Raises LogitsError for a NaN, told by its place; the part begins at number `start`."""
    missing = np.isnan(part)
    if missing.any():
        row, column = np.unravel_index(start + int(missing.argmax()), shape, order)
        raise LogitsError(f"NaN at row {row}, column {column}: a logit is a number")


@dataclass(frozen=True)
class _Header:
    """What the head of a .npy file says, held against the bytes that follow it."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)


def _header(file: _Stream, size: int) -> _Header:
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
    if any(isinstance(length, bool) or length < 0 for length in header.shape):
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


def _npz(file: _Content, size: int) -> Floats:
    with zipfile.ZipFile(io.BytesIO(file.read(size))) as archive:
        members = archive.infolist()
        if len(members) != 1:
            raise ValueError(f"want one array, got {len(members)}")
        if members[0].flag_bits & 1:
            raise ValueError("it is encrypted")
        if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("compressed otherwise than NumPy does")
        with archive.open(members[0]) as member:
            return _numbers(member, members[0].file_size)


def _check_csv(file: IO[bytes], size: int) -> None:
    if size > MAX_CSV:
        raise ValueError(f"{size:,} bytes of text; the limit is {MAX_CSV:,}: save it as .npy")


def _csv(file: _Content, size: int) -> Floats:
    """Rows of one length; lines that hold nothing are passed over."""
    numbers, length, rows = array("d"), 0, 0
    waiting: list[tuple[int, list[str]]] = []  # lines with their numbers, to be read together
    content = file.read(size)
    lines = max(content.count(b"\n"), content.count(b"\r"))
    if content.count(b",") + lines > MAX_CSV_NUMBERS:
        raise ValueError(f"more than {MAX_CSV_NUMBERS:,} numbers in text: save it as .npy")
    reader = csv.reader(_lines(content))
    for row in reader:
        if not any(map(str.strip, row)):
            continue
        length = length or len(row)
        if len(row) != length:
            raise ValueError(
                f"line {reader.line_num} has {len(row)} numbers and those before it {length}:"
                " want one length"
            )
        waiting.append((reader.line_num, row))
        rows += 1
        if len(waiting) * length >= PART // 16:  # texts take more room than numbers
            numbers.frombytes(_of_lines(waiting))
            waiting = []
    numbers.frombytes(_of_lines(waiting))
    if not rows:
        raise ValueError("no rows")
    x = np.frombuffer(numbers)
    _refuse_nan(x, 0, (rows, length), "C")
    return x.reshape(rows, length)


def _of_lines(lines: list[tuple[int, list[str]]]) -> bytes:
    """The numbers of lines, as the bytes of float64; raises ValueError that names the line."""
    texts = list(chain.from_iterable(row for _, row in lines))
    if (values := _plain(texts)) is not None:
        return values.tobytes()
    found = array("d")
    for number, row in lines:
        try:
            found.extend(map(_number, row))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    return found.tobytes()


def _plain(texts: list[str]) -> Floats | None:
    """Decimals, all at once, which takes a tenth; None where one of them is to be looked at."""
    if not _PLAIN.fullmatch(",".join(texts)):
        return None
    try:
        values = np.array(list(map(float, texts)))
        odd = np.flatnonzero((values == 0) | np.isinf(values))
        for text in {texts[at] for at in odd}:  # what overflows or vanishes, and inf and 0
            _number(text)
    except ValueError:
        return None
    return values


def _lines(content: bytes) -> Iterator[str]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise ValueError(f"a line of {MAX_LINE:,} characters or more: save it as .npy")
        yield line


_PLAIN = re.compile(r"[0-9eE.+\-inf, ]*")
_DECIMAL = re.compile(
    r"[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE
)
_HEX = re.compile(
    r"[+-]?0x([0-9a-f]{1,40})\.?([0-9a-f]{0,40})(?:p([+-]?\d{1,4}))?", re.ASCII | re.IGNORECASE
)


def _number(text: str) -> float:
    """A number as written: a decimal rounded, unless to inf or 0, and a hex float exactly."""
    plain = text.strip()
    if match := _HEX.fullmatch(plain):
        return _of_hex(plain, match)
    if not _DECIMAL.fullmatch(plain):
        raise ValueError(f"{plain[:40]!r} is not a number")
    value, digits = float(plain), plain.lower().partition("e")[0]
    if math.isinf(value) and "inf" not in digits:
        raise ValueError(f"{plain[:40]!r} overflows float64")
    if value == 0 and any(digit in "123456789" for digit in digits):
        raise ValueError(f"{plain[:40]!r} is not 0 but reads as 0.0")
    return value


def _of_hex(text: str, match: re.Match[str]) -> float:
    """m 2**e for integers m and e, where that is a float64."""
    try:
        value = float.fromhex(text)
    except OverflowError:
        value = math.inf
    if value.hex() == text:  # as Python and C write it; the rest is slower
        return value
    whole, fraction, power = match.groups()
    exact = int(whole + fraction, 16) * Fraction(2) ** (int(power or 0) - 4 * len(fraction))
    if math.isinf(value) or Fraction(abs(value)) != exact:
        raise ValueError(f"{text[:40]!r} is no float64 and would be rounded")
    return value


Check = Callable[[IO[bytes], int], None]  # raises ValueError, having read a few bytes
Parse = Callable[[_Content, int], Floats]
_FORMS: dict[str, tuple[Check, Parse]] = {
    ".npy": (_check_npy, _numbers),
    ".npz": (_check_npz, _npz),
    ".csv": (_check_csv, _csv),
}
