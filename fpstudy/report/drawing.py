"""A figure as the pages need it: drawn already, and with its words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Drawing:
    """A figure with the words that go with it, all plain text; `name` is the stem of its file."""

    name: str
    problem: str
    title: str
    caption: str
    alternative: str
    svg: str
