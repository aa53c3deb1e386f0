"""A mistake in a study file: a key path and a plain sentence; all of them are reported at once.

A check raises ValueError(sentence), or MistakesError for several; pydantic carries them up and `at`
lays them out with their key paths. What the file says is shown escaped and shortened, never raw.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

Key = tuple[str | int, ...]

MAX_SHOWN = 80  # characters of a quoted value: a message still fits two lines of a terminal
MAX_MISTAKES = 100  # more than anybody mends in one go; the report on a bomb stays small

WANTED = {  # pydantic's error types: the thing that was wanted
    "bool_type": "true or false",
    "int_type": "an integer",
    "float_type": "a number",
    "string_type": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a table",
}


class StudyError(ValueError):
    """What is wrong with a study file; `problems` holds one line for each mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        """The error whose text is the lines of `problems`."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Mistake:
    """One sentence about the value at `key`, a path of names and of indices counted from 0."""

    key: Key
    sentence: str

    def __str__(self) -> str:
        return f"{key_path(self.key)}: {self.sentence}" if self.key else self.sentence


class MistakesError(ValueError):
    """Several mistakes found in one place."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        """The error that carries `mistakes`."""
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes[:MAX_MISTAKES])))


def at(key: Key, error: ValueError) -> list[Mistake]:
    """The mistakes that `error` carries, found under `key`."""
    if isinstance(error, ValidationError):
        details = error.errors(include_url=False)
        return [mistake for detail in details for mistake in _of_pydantic(key, detail)]
    if isinstance(error, MistakesError):
        return [Mistake((*key, *mistake.key), mistake.sentence) for mistake in error.mistakes]
    return [Mistake(key, str(error))]


def _of_pydantic(key: Key, detail: Mapping[str, Any]) -> list[Mistake]:
    """The mistakes in one entry of ValidationError.errors(), without pydantic's wording."""
    key = (*key, *detail["loc"])
    raised = detail.get("ctx", {}).get("error")
    if isinstance(raised, ValueError):
        return at(key, raised)
    if detail["type"] == "missing":
        return [Mistake(key, "missing")]
    if detail["type"] in WANTED:
        return [Mistake(key, f"want {WANTED[detail['type']]}, got {got(detail['input'])}")]
    return [Mistake(key, f"{detail['msg']}, got {got(detail['input'])}")]


def key_path(key: Key) -> str:
    """The key as a reader counts, from 1: ("sweep", 1, "dtype", 0) is sweep[2].dtype[1]."""
    path = ""
    for part in key:
        if isinstance(part, int):
            path += f"[{part + 1}]"
        else:
            name = part if re.fullmatch(r"[\w-]{1,80}", part, re.ASCII) else quote(part)
            path += f".{name}" if path else name
    return path


def quote(text: str) -> str:
    """The text in quotes, shortened and escaped."""
    return f"'{shorten(text)}'"


def show(value: object) -> str:
    """A value of the file as it was written, as far as that is known and short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return _show_integer(value)
    if isinstance(value, float):
        return shorten(str(getattr(value, "written", repr(float(value)))))
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    if isinstance(value, dict):
        return "a table"
    return f"{type(value).__name__} {shorten(str(value))}"


def _show_integer(value: int) -> str:
    digits = value.bit_length() * 30103 // 100000 + 1  # log10(2) < 0.30103: never too few
    return str(value) if digits <= MAX_SHOWN else f"an integer of about {digits} digits"


def got(value: object) -> str:
    """As show, with "the text" before a text, for sentences that want another kind of value."""
    return f"the text {show(value)}" if isinstance(value, str) else show(value)


def shorten(text: str) -> str:
    """The text without quotes, shortened and escaped as in quote."""
    return escape(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "...")


def escape(text: str) -> str:
    """The text with all that does not print escaped: control, bidi, unassigned, surrogates."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def suggest(name: str, known: Iterable[str]) -> str:
    """The ending " - did you mean ...?", or nothing when no known name is near.

    A letter that only looks like one of the known name's is spelled out.
    """
    known = {candidate.lower(): candidate for candidate in known}
    plain = unicodedata.normalize("NFKC", name[:MAX_SHOWN]).lower()
    near = difflib.get_close_matches(plain, known, n=1, cutoff=0.6)
    if not near:
        return ""
    alike = next((c for c in name[:MAX_SHOWN] if not c.isascii()), None)
    here = f" (here with {spelled(alike)})" if alike else ""
    return f" - did you mean {known[near[0]]}?{here}"


def spelled(character: str) -> str:
    """A character by its number and name: "U+0435 CYRILLIC SMALL LETTER IE"."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
