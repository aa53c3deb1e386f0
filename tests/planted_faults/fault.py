"""One planted fault: a mistake that people really make, as a change of one place in one file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A mistake, and the tests that are meant to see it.

    name:    of the fault, unique
    mistake: what is wrong with fpstudy then, in a sentence
    file:    relative to the checkout
    old:     text that occurs exactly once in the file
    new:     what stands there instead
    tests:   files or node ids, those that see it first
    """

    name: str
    mistake: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def planted(self, text: str) -> str:
        """The file's text with the fault; raises ValueError where it does not fit the text."""
        found = text.count(self.old)
        if found != 1:
            raise ValueError(f"{self.name}: {found} places in {self.file} read {self.old!r}, not 1")
        return text.replace(self.old, self.new)
