"""A problem: a mathematical function, the ways to compute it, and the texts that define it."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fpstudy.formats import FORMATS
from fpstudy.problems.computing import computed_in

Array = Any  # an array of whatever namespace runs the text
Text = Callable[..., Any]


def plainly(text: Text, /, *arguments: Any, **parameters: Any) -> Any:
    """text(*arguments, **parameters)."""
    return text(*arguments, **parameters)


@dataclass(frozen=True)
class Formula:
    """One way to compute a problem: text(xp, x, ...) -> y over an array namespace xp.

    needs:   the parameters ("base", "beta") of which one must be given; empty for a formula of the
             plain problem, which takes none.
    options: keyword arguments of the text that a study may choose, with their defaults, as in
             "blocked[block=64]"
    special: whether the formula is run only where a study names it; one with options always is
    compute: the format that the text computes in, an option of every formula, as in
             "shifted[compute=float32]": arguments are cast to it, and the result back; "same"
             is the format of the case
    around:  how an arithmetic calls the text, or what it compiled of it: around(text, xp, x, ...)
    """

    text: Text
    needs: tuple[str, ...] = ()
    options: tuple[tuple[str, int | str], ...] = ()
    special: bool = False
    compute: str = "same"
    around: Callable[..., Any] = plainly

    @property
    def mathematics(self) -> str:
        """The formula itself: the docstring up to its first empty line."""
        return " ".join(_paragraphs(self.text)[0].split())

    def chosen(self, choices: dict[str, str]) -> "Formula":
        """The formula with options chosen; raises ValueError for an unknown one or a bad value."""
        values = dict(self.options) | {"compute": self.compute}
        for name, choice in choices.items():
            if name not in values:
                raise ValueError(f"no option {name!r}; known: {', '.join(values)}")
            values[name] = _option(name, choice, values[name])
        compute = str(values.pop("compute"))
        text = partial(self.text, **values) if values else self.text
        text = text if compute == "same" else computed_in(text, compute)
        return replace(self, text=text, options=(), compute=compute)

    @property
    def everyday(self) -> bool:
        """Whether formula = "all" means it too."""
        return not self.special and not self.options

    @property
    def ours(self) -> bool:
        """Whether its text is of fpstudy.problems, with no way to change but what it returns."""
        text = getattr(self.text, "func", self.text)  # a text with options is a partial
        return str(getattr(text, "__module__", "")).startswith(f"{__package__}.")

    @property
    def fails(self) -> str:
        """Where the formula goes wrong, from the docstring's paragraph "Fails: ..."."""
        return _labelled(self.text, "Fails:")

    @property
    def source(self) -> str:
        """Who published or ships the formula, from the docstring's paragraph "Source: ..."."""
        return _labelled(self.text, "Source:")

    def refusal(self, parameters: dict[str, float]) -> str | None:
        """Why the formula cannot take these parameters; None when it can."""
        if self.needs and not any(name in parameters for name in self.needs):
            return f"needs {' or '.join(self.needs)}"
        if not self.needs and parameters:
            return f"takes no {' or '.join(parameters)}"
        return None


@dataclass(frozen=True)
class Problem:
    """A function of a vector of logits, with everything that is known about it.

    definition: the textbook formula, which says what the problem means; mpmath runs it.
    reference:  a well-conditioned text that returns (head, tail) with value head + tail. The head
                is exact on the inputs (differences and products only) and the tail keeps its
                relative accuracy however small it is, so that a value that lies a tiny tail away
                from a number of a format is decided by the tail's sign.
    definition_error: bound on the definition's error when every operation is rounded to relative
                error eps, divided by eps: a function of (n, |value|, sum of labels).
    vector:     whether the result has the shape of x; else it is one number for each vector.
    distribution: whether that vector is a probability distribution: it sums to 1.
    labels:     whether the texts take labels q after x.
    parameters: optional parameters of the problem.
    reductions: whether a batch of rows can be reduced to its mean or sum.
    rational:   the exact values of one vector where algebra shows them to be rational, as
                numerators and their denominator, else None: what no enclosure can decide.
    """

    name: str
    mathematics: str
    definition: Text
    reference: Text
    definition_error: Callable[[int, float, float], float]
    formulas: dict[str, Formula]
    vector: bool
    distribution: bool = False
    labels: bool = False
    parameters: tuple[str, ...] = ()
    reductions: bool = False
    rational: Callable[..., tuple[list[int], int] | None] | None = None


def _option(name: str, text: str, default: int | str) -> int | str:
    """An option's value: a positive whole number, or the name of a format."""
    if isinstance(default, int):
        if not re.fullmatch("[1-9][0-9]{0,8}", text):
            raise ValueError(f"{name}: want a whole number of 1 .. 999,999,999, got {text[:20]!r}")
        return int(text)
    if text != default and text not in FORMATS:
        raise ValueError(f"{name}: no format {text!r}; known: {', '.join(FORMATS)}")
    return text


def named(formulas: Mapping[str, Formula], name: str) -> Formula | None:
    """The formula of a name such as "shifted" or "blocked[block=64,state=float32]", if any.

    Raises ValueError for options that it does not have.
    """
    stem, bracket, rest = name.partition("[")
    if stem not in formulas or (bracket and not rest.endswith("]")):
        return None
    if bracket and len(options_of(name)) != rest.count(",") + 1:
        raise ValueError("an option is given twice")
    return formulas[stem].chosen(options_of(name))


def options_of(name: str) -> dict[str, str]:
    """The options in a formula's name, as written: {"state": "float32"} of "a[state=float32]"."""
    _, bracket, rest = name.partition("[")
    pairs = [entry.partition("=") for entry in rest.removesuffix("]").split(",")] if bracket else []
    return {key: value for key, _, value in pairs}


def _paragraphs(text: Text) -> list[str]:
    return (inspect.getdoc(getattr(text, "func", text)) or "").split("\n\n")


def _labelled(text: Text, label: str) -> str:
    for paragraph in _paragraphs(text):
        if paragraph.startswith(label):
            return " ".join(paragraph.removeprefix(label).split())
    return ""
