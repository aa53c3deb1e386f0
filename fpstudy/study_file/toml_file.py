"""A TOML file as text, tables and lines; every way in which it cannot be read has its sentence."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from fpstudy.regular_file import NotRegularError, opened
from fpstudy.study_file.mistakes import Key, StudyError, escape, key_path, shorten, spelled, suggest
from fpstudy.study_file.toml_lines import Lines, TooMuchError, scan

BEYOND_FAULT = 10_000  # characters for tomllib to see what the fault is; then it gets slow
MAX_ROW = 1_000  # characters of a line that are looked at for a hint
MAX_BYTES = 2**20  # a study is a page; beyond 1 MiB somebody pasted data, which belongs in a file


class Written(float):
    """A float64 that remembers how the file writes it."""

    written: str

    def __new__(cls, text: str) -> Self:
        """The float64 nearest to the decimal text."""
        number = super().__new__(cls, text)
        number.written = text
        return number


@dataclass(frozen=True)
class TomlFile:
    """A file that tomllib has read; the floats in `tables` are Written."""

    path: Path
    text: str
    tables: dict[str, Any]
    lines: Lines

    def place(self, key: Key) -> str:
        """`file:line`, of the key or of the nearest table that holds it."""
        return f"{escape(str(self.path))}:{self.lines.of(key)}"


def read(path: Path) -> TomlFile:
    """The file's text and tables; raises StudyError, with the line where there is one."""
    text = _decode(path, _content(path))
    try:
        lines = scan(text)
    except TooMuchError as error:
        raise _refusal(path, str(error), error.line) from None
    there = text if lines.fault is None else text[: lines.reach + BEYOND_FAULT]
    try:
        tables = tomllib.loads(there, parse_float=Written)
    except (ValueError, RecursionError) as error:
        raise _refusal(path, *_syntax(text, lines, shorten(str(error)))) from None
    return TomlFile(path, text, tables, lines)


def _refusal(path: Path, sentence: str, line: int | None = None) -> StudyError:
    return StudyError([escape(str(path)) + (f":{line}" if line else "") + f": {sentence}"])


def _content(path: Path) -> bytes:
    """The bytes of a regular file of at most MAX_BYTES; nothing else is opened."""
    try:
        with opened(path) as file:
            content = file.read(MAX_BYTES + 1)
    except NotRegularError:
        if path.is_dir():
            raise _refusal(path, "is a folder; give the study file in it") from None
        raise _refusal(path, "is not a regular file: a pipe or device could block") from None
    except FileNotFoundError:
        raise _refusal(path, f"no such file{_neighbour(path)}") from None
    except PermissionError:
        raise _refusal(path, "no permission to read it") from None
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror}") from None
    except ValueError as error:  # a NUL or a lone surrogate in the path
        raise _refusal(path, f"no such file: {error}") from None
    if len(content) > MAX_BYTES:
        raise _refusal(path, "larger than 1 MiB; logits belong in a file of their own (file = ...)")
    return content


def _neighbour(path: Path) -> str:
    """A suggestion among the TOML files beside the path."""
    return suggest(path.name, sorted(near.name for near in path.parent.glob("*.toml")))


def _decode(path: Path, content: bytes) -> str:
    """The text of UTF-8, with or without a byte-order mark."""
    for begin, kind in _NO_TEXT:
        if content.startswith(begin):
            raise _refusal(path, f"is {kind}, no study file; fpstudy reads TOML")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        mark = content[:2].hex(" ")
        raise _refusal(path, f"is UTF-16 (byte-order mark {mark}); save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = len(content) - len(error.object) + error.start  # a byte-order mark is cut before
        line = content.count(b"\n", 0, start) + 1
        fault = f"byte 0x{content[start]:02x} at offset {start} is not UTF-8"
        raise _refusal(path, f"{fault} (Latin-1?); save the file as UTF-8", line) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _refusal(path, "holds NUL characters: UTF-16, or no text; save it as UTF-8", line)
    if not text.strip():
        raise _refusal(path, "is empty; a study begins with schema = 1")
    return text


_NO_TEXT = (  # the first bytes of files that people pass by mistake
    (b"\x1f\x8b", "compressed by gzip"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\x7fELF", "a program"),
    (b"\x80", "a pickle, which is never loaded"),
    (b"\x93NUMPY", "an array; logits go into a study by file = ..."),
    (b"PAR1", "a Parquet file"),
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
)
_SPACE = re.compile(r"[^\S \t\r]|[\u200b-\u200f\u2028\u2029\u2060\ufeff]")
_MARKER = re.compile(r"(<{7}|={7}|>{7}|\|{7})(\s|$)")
_HINTS = (  # the first that fits the line which tomllib refuses
    (re.compile(r"[^#\"']*[=,\[]\s*[+-]?0[xX][\da-fA-F]*[.pP]"), 'a hex float is quoted: "0x1p3"'),
    (re.compile(r"[^#]*=\s*\{.*,\s*\}"), "no comma before the } of a table in one line"),
    (re.compile(r"\s*(- )?[\w-]+\s*:(\s|$)"), "this looks like YAML; fpstudy reads TOML, a = 1"),
    (re.compile(r"\s*[{<]"), "this looks like JSON or XML; fpstudy reads TOML, a = 1"),
    (re.compile(r"[^\"']*=[^\"']*[,;]\s*[\w-]+\s*="), "one key = value on each line"),
    (re.compile(r"[^#\"']*;"), "a line ends without a semicolon"),
    (
        re.compile(r".*[=,\[]\s*(True|False|[Yy]es|[Nn]o)\b"),
        "TOML has true and false, lower case",
    ),
    (re.compile(r".*[=,\[]\s*[+-]?(Infinity|Inf|INF|NaN|NAN)\b"), "TOML writes inf and nan"),
    (re.compile(r".*[=,\[]\s*[+-]?(\.\d|\d+\.(\D|$))"), "digits on both sides of a point: 0.5"),
    (re.compile(r".*[=,\[]\s*[+-]?0\d"), "a number begins with no zero"),
    (re.compile(r"[^\[]*=\s*[\d.]+\s*,"), "a point in a number, 1.5; a list in brackets, [1, 5]"),
    (re.compile(r".*[=,\[]\s*\("), "a list is written in square brackets"),
    (re.compile(r".*[=,\[]\s*[\w.]+\("), "TOML has no functions; {scale = ..., start, stop, num}"),
    (re.compile(r".*[=,\[]\s*\d{4}-\d"), "no date of the calendar"),
    (re.compile(r".*[=,\[]\s*(None|null|nil)\b"), "TOML has no null: leave the key out"),
    (
        re.compile(r".*[=,\[]\s*[\d.]+\s*(\*\*|[*/^+-])\s*[\d.(]"),
        "arithmetic is not TOML; write the number, or {scale = ..., start, stop, num}",
    ),
    (re.compile(r".*[\u2018\u2019\u201c\u201d]"), "typographic quotes; TOML's are \" and '"),
    (re.compile(r"[^=]*==|[^=]*=\s*(#|$)"), "a line is key = value"),
    (re.compile(r"(?!\s*\[).*[=,\[]\s*[A-Za-z_]"), 'a text wants quotes, "..."'),
)


_HEADER = re.compile(r"[ \t]*(\[\[?)[ \t]*([\w.-]+)[ \t]*\]", re.ASCII)


def _both_brackets(text: str, row: str) -> str | None:
    """The name in a row [name] where the text has [[name]] too, or the other way round."""
    if not (header := _HEADER.match(row)):
        return None
    brackets, name = header.groups()
    other = re.escape("[" if brackets == "[[" else "[[")
    there = re.search(rf"^[ \t]*{other}[ \t]*{re.escape(name)}[ \t]*\]", text, re.MULTILINE)
    return name if there else None


def _syntax(text: str, lines: Lines, message: str) -> tuple[str, int]:
    """tomllib's message and what probably happened, and the line where to look."""
    rows = text.split("\n")
    for number, row in enumerate(rows, 1):
        if _MARKER.match(row):
            return "a merge-conflict marker; resolve the conflict first", number
    where = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = int(where[1]) if where and where[1] else lines.fault or len(rows)
    message = message[: where.start()] if where else message
    if lines.again and message.startswith(("Cannot", "Duplicate")):
        key, line = lines.again[0]
        return f"{key_path(key)}: given twice, first on line {lines.first[key]}", line
    if name := _both_brackets(text, rows[line - 1]):
        return f"{name}: is both [{name}] and [[{name}]]; write all with two brackets", line
    if lines.unclosed and lines.unclosed < line:
        found = f"{message}, line {line}"
        return f"a bracket is not closed, or a comma is missing ({found})", lines.unclosed
    row = rows[line - 1][:MAX_ROW]
    hint = next((hint for pattern, hint in _HINTS if pattern.match(row)), None)
    if unusual := _SPACE.search(row):
        hint = f"it holds {spelled(unusual[0])}, which is no space of TOML's"
    elif row.startswith("\r"):
        hint = "its lines end in LF CR; save it with LF or CRLF"
    elif "\r" in row.rstrip("\r"):
        hint = "its lines end in CR alone; save it with LF or CRLF"
    return f"not TOML: {message}" + (f"; {hint}" if hint else ""), line
