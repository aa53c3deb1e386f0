"""The line of every key of a TOML text, which tomllib does not tell, and bounds on the text.

`scan` walks the text once, in time linear in its length. It is meant for texts that tomllib reads;
of any other it maps the part before the fault, and tomllib says what the fault is. The bounds hold
for every text, so that nothing which passes them is slow or deep for tomllib:

* tomllib recurses once for each nested array or table, and Python's stack is finite;
* a dotted key of k parts costs it k**2 steps;
* int() of a long decimal text is quadratic, and refused by Python beyond 4300 digits.
"""

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass, field

from fpstudy.study_file.mistakes import Key

MAX_DEPTH = 32  # a study nests 3 deep
MAX_KEY_PARTS = 32  # a study's keys have at most 3
MAX_KEYS = 5_000  # 200 sweeps that give every key
MAX_BRACKETS = 20_000  # vectors, one by one
MAX_VALUES = 50_000  # as many numbers in full as MAX_BYTES holds
MAX_WORD = 1_000  # characters of a number or date; the longest float64 in full has 767 digits

# possessive quantifiers: the alternatives exclude each other, so there is no way back to keep
_BLANK = re.compile(r"[ \t]*+")
_GAP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_END_OF_LINE = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\r?\n|\Z)")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'""")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*+"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*+'{3,5}"
    r'|"(?!"")(?:[^"\\\n]|\\.)*+"'
    r"|'(?!'')[^'\n]*+'"
)
_WORD = re.compile(r"[^\s,\[\]{}#\"'=][^,\[\]{}#\"'=\n]*")  # a number, a date, true or false


class TooMuchError(ValueError):
    """The text exceeds a bound, on `line`."""

    def __init__(self, line: int, sentence: str) -> None:
        """The sentence does not name the line."""
        super().__init__(sentence)
        self.line = line


class _FaultError(Exception):
    """The text is no TOML from here on."""


@dataclass
class Lines:
    """What a scan found.

    first:    key path -> its line, counted from 1; an element of an array only where it begins on
              another line than the array
    again:    key path and line of keys and tables given once more
    fault:    line where the text stopped being TOML
    reach:    how many of its characters were read until there
    unclosed: line of the outermost bracket that was open there
    """

    first: dict[Key, int] = field(default_factory=dict)
    again: list[tuple[Key, int]] = field(default_factory=list)
    fault: int | None = None
    reach: int = 0
    unclosed: int | None = None

    def of(self, key: Key) -> int:
        """The line of the key, or of the nearest table or array that holds it."""
        while key and key not in self.first:
            key = key[:-1]
        return self.first.get(key, 1)


def _name(part: str) -> str:
    """What a part of a key names; an escape that is none stays as written."""
    if part[0] == '"' and "\\" in part:
        try:
            return str(tomllib.loads(f"name = {part}")["name"])
        except tomllib.TOMLDecodeError:
            pass
    return part[1:-1] if part[0] in "\"'" else part


def scan(text: str) -> Lines:
    """The lines of all keys; raises TooMuchError where the text exceeds a bound."""
    scanner = _Scanner(text)
    try:
        scanner.document()
    except _FaultError:
        scanner.lines.fault = scanner.line()
    scanner.lines.reach = scanner.offset
    return scanner.lines


class _Scanner:
    """A recursive descent over the text; `offset` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0
        self.ends = [match.start() for match in re.finditer("\n", text)]
        self.lines = Lines()
        self.arrays: dict[Key, int] = {}  # [[name]] -> how many so far
        self.headers: set[Key] = set()  # of [name]
        self.pairs: set[Key] = set()  # of name = value
        self.brackets_seen = 0
        self.keys = 0
        self.values = 0

    def line(self) -> int:
        """The line where the scanner stands, counted from 1."""
        return bisect_right(self.ends, self.offset - 1) + 1

    def take(self, pattern: re.Pattern[str]) -> str:
        """The text that the pattern matches here."""
        match = pattern.match(self.text, self.offset)
        if match is None:
            raise _FaultError
        self.offset = match.end()
        return match.group()

    def passes(self, mark: str) -> bool:
        """Whether the mark stands here; if so it is passed."""
        found = self.text.startswith(mark, self.offset)
        self.offset += len(mark) if found else 0
        return found

    def document(self) -> None:
        """Headers and pairs, one on a line."""
        table: Key = ()
        while self.take(_GAP) or self.offset < len(self.text):
            if self.offset == len(self.text):
                return
            if self.passes("[["):
                table = self.array_header()
            elif self.passes("["):
                table = self.header()
            else:
                self.pair(table, depth=0)
            self.take(_END_OF_LINE)

    def header(self) -> Key:
        """After the bracket of [name]."""
        line = self.line()
        key = self.path(self.key(), line)
        if not self.passes("]") or key in self.arrays:
            raise _FaultError
        if key in self.headers or key in self.pairs:
            self.lines.again.append((key, line))
        self.headers.add(key)
        self.lines.first.setdefault(key, line)
        return key

    def array_header(self) -> Key:
        """After the brackets of [[name]]; the path ends in the new table's index."""
        line = self.line()
        key = self.path(self.key(), line)
        if not self.passes("]]"):
            raise _FaultError
        index = self.arrays.get(key, 0)
        self.arrays[key] = index + 1
        self.lines.first.setdefault(key, line)
        self.lines.first[(*key, index)] = line
        return (*key, index)

    def path(self, names: list[str], line: int) -> Key:
        """The path that a header means: [a.b] after [[a]] is a table of the last a."""
        key: Key = (names[0],)
        for name in names[1:]:
            self.lines.first.setdefault(key, line)
            if key in self.arrays:
                key = (*key, self.arrays[key] - 1)
            key = (*key, name)
        return key

    def key(self) -> list[str]:
        """The parts of a dotted key."""
        line = self.line()
        self.keys += 1
        if self.keys > MAX_KEYS:
            raise TooMuchError(line, f"more than {MAX_KEYS:,} keys")
        names: list[str] = []
        while not names or self.passes("."):
            if len(names) == MAX_KEY_PARTS:
                raise TooMuchError(line, f"a key of more than {MAX_KEY_PARTS} parts")
            self.take(_BLANK)
            part = self.take(_KEY_PART)
            names.append(_name(part))
            self.take(_BLANK)
        return names

    def pair(self, table: Key, depth: int) -> None:
        """One key = value."""
        line = self.line()
        names = self.key()
        if not self.passes("="):
            raise _FaultError
        for i in range(1, len(names)):
            self.lines.first.setdefault((*table, *names[:i]), line)
        key = (*table, *names)
        if key in self.lines.first:
            self.lines.again.append((key, line))
        self.lines.first.setdefault(key, line)
        self.pairs.add(key)
        self.take(_BLANK)
        self.value(key, line, depth)

    def value(self, key: Key, line: int, depth: int) -> None:
        """A text, a word, an array or an inline table; `line` is where the key stands."""
        self.values += 1
        if self.values > MAX_VALUES:
            raise TooMuchError(line, f"more than {MAX_VALUES:,} values")
        if self.text.startswith(("[", "{"), self.offset):
            self.brackets(key, line, depth)
        elif string := _STRING.match(self.text, self.offset):
            self.offset = string.end()
        elif len(self.take(_WORD).rstrip()) > MAX_WORD:
            raise TooMuchError(line, f"a number of more than {MAX_WORD:,} characters")

    def brackets(self, key: Key, line: int, depth: int) -> None:
        """An array or an inline table, with commas between what it holds."""
        opened = self.line()
        self.brackets_seen += 1
        if depth == MAX_DEPTH:
            raise TooMuchError(opened, f"nested deeper than {MAX_DEPTH} levels")
        if self.brackets_seen > MAX_BRACKETS:
            raise TooMuchError(opened, f"more than {MAX_BRACKETS:,} lists and tables")
        array = self.text[self.offset] == "["
        close = "]" if array else "}"
        self.offset += 1
        try:
            self.take(_GAP)
            index = 0
            while not self.passes(close):
                if array:
                    self.element((*key, index), line, depth)
                else:
                    self.pair(key, depth + 1)
                index += 1
                self.take(_GAP)
                if not self.passes(",") and not self.text.startswith(close, self.offset):
                    raise _FaultError
                self.take(_GAP)
        except _FaultError:
            self.lines.unclosed = opened  # the outermost bracket writes last
            raise

    def element(self, key: Key, line: int, depth: int) -> None:
        """One value of an array whose key stands on `line`."""
        own = self.line()
        if own != line:
            self.lines.first[key] = own
        self.value(key, own, depth + 1)
