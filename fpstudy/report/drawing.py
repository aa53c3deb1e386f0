"""A figure as the pages need it: drawn already, and with its words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Data:
    """What a figure shows, in numbers: the table that stands beside it, all plain text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Drawing:
    """A figure with the words that go with it, all plain text; `name` is the stem of its file.

    data: the numbers that are drawn, if the figure has them
    """

    name: str
    problem: str
    title: str
    caption: str
    alternative: str
    svg: str
    data: Data | None = None
