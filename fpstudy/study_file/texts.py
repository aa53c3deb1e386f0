"""The texts that a study file gives: its name, which becomes a folder, its title, its question."""

import re
import unicodedata
from collections.abc import Callable

from fpstudy.study_file.mistakes import got, show, spelled

MAX_NAME = 100  # characters: several times a line of a report's contents
MAX_NAME_BYTES = 240  # a folder's name has at most 255 bytes on common file systems
# controls, turns of direction, surrogates, what is no character, separators of lines
_UNSEEN = ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])\s*(\.|$)", re.IGNORECASE)


def study_name(value: object) -> str:
    """A name that is a folder's name on every system, in any language."""
    if not isinstance(value, str):
        raise ValueError(f"want a text, got {got(value)}")
    if not value:
        raise ValueError("must not be empty")
    if len(value) > MAX_NAME or len(value.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        raise ValueError(f"longer than {MAX_NAME} characters or {MAX_NAME_BYTES} bytes of UTF-8")
    for character in value:
        if character not in " ._-" and unicodedata.category(character)[0] not in "LMN":
            raise ValueError(f"may hold letters, digits, space, . _ - only; got {_name(character)}")
    if value[0] in ".-" or value[0] == " " or value[-1] in ". ":
        raise ValueError(
            f"must not begin with . - or a space, nor end with . or a space: {show(value)}"
        )
    if _RESERVED.match(value):
        raise ValueError(f"{show(value)} is a reserved name on Windows")
    if value.lower() == "readme.md":
        raise ValueError(f"{show(value)} is the name of the index of all reports")
    return value


def text(longest: int) -> Callable[[object], str]:
    """Reader of a text for people: lines and tabs, but no other control or bidi character."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"want a text, got {got(value)}")
        if len(value) > longest:
            raise ValueError(f"longer than {longest:,} characters")
        for character in value:
            if unicodedata.category(character) in _UNSEEN and character not in "\n\t":
                raise ValueError(f"must not hold {_name(character)}")
        return value

    return read


def _name(character: str) -> str:
    """A character as the user can find it."""
    if character.isprintable():
        return f"'{character}'"
    if unicodedata.category(character) in ("Cc", "Cf"):
        return f"the control or bidi character {spelled(character)}"
    return f"the character {spelled(character)}, which does not print"
