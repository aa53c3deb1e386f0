"""Markdown in which text stays text: what is not made here is escaped where it is printed."""

import re
from typing import Any
from urllib.parse import quote

from fpstudy.visible import visible


class Markdown(str):
    """Text that is Markdown already; everything else is escaped by `finalize`."""

    __slots__ = ()


_SPECIAL = re.compile(r"([\\`*_\[\]{}<>|~$#&@])")
_SPACE = re.compile("[^\\S\xa0]+")  # but for the space that keeps numbers on one line
_INNER = re.compile(r"(?<=\w)\\_(?=\w)")  # an underscore within a word emphasises nothing
_OPENING = re.compile(r"^([-+=](?=[\s=-]|$)|\d+(?=[.)](?:\s|$)))")


def escape(text: object) -> Markdown:
    """The text on one line, none of it markup: no HTML, emphasis, table cell, link or formula.

    An address is left without its scheme's force: "://" is broken so that no host links it.
    """
    line = visible(_SPACE.sub(" ", str(text)).strip())
    line = _SPECIAL.sub(lambda found: _ESCAPES.get(found[1], "\\" + found[1]), line)
    line = line.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
    line = _INNER.sub("_", line)
    return Markdown(_OPENING.sub(lambda found: f"&#{ord(found[1][0])};{found[1][1:]}", line))


_ESCAPES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;", "$": "&#36;"}


def code(text: object) -> Markdown:
    """The text as a code span that also stands in a table: longer fences, escaped bars."""
    line = visible(" ".join(str(text).split())) or " "
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or line == " " else ""
    return Markdown(f"{fence}{pad}{line}{pad}{fence}".replace("|", "\\|"))


def block(text: object) -> Markdown:
    """The text as an indented code block, which nothing within can end."""
    lines = [visible(line) for line in str(text).strip().splitlines()] or [""]
    return Markdown("\n".join(f"    {line}" for line in lines) + "\n")


def path(text: object) -> Markdown:
    """The text as the path of a link."""
    return Markdown(quote(str(text)))


def anchor(name: object) -> Markdown:
    """A place that a link can lead to, by a name of letters, digits, "-", "_" and "."."""
    return Markdown(f'<a id="{re.sub(r"[^A-Za-z0-9_.-]", "-", str(name))}"></a>')


def link(text: object, address: str) -> Markdown:
    """The text as a link to an address that `path` and `anchor` have made."""
    return Markdown(f"[{finalize(text)}]({address})")


def note(text: str) -> Markdown:
    """The text in brackets, after a space; nothing for no text."""
    return Markdown(f" ({escape(text)})" if text else "")


def finalize(value: Any) -> Any:
    """For a template's printed expressions: Markdown passes, None vanishes, text is escaped."""
    if value is None:
        return ""
    return value if isinstance(value, Markdown) else escape(value)


FILTERS = (anchor, block, code, link, note, path)  # for a template, by their names
