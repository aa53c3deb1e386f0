"""Where a page can be linked to: a name for each verdict, alike in README.md and index.html."""

import re


def verdict_anchor(
    problem: str, dtype: str, arithmetic: str, accumulation: str, inputs: str, how: str = ""
) -> str:
    """The fragment of a verdict's row: "verdict-softmax-float16-numpy-native-magnitudes".

    problem: as a reader names it, "softmax (base b)"; inputs: "magnitudes" or "given"; how: as
    "computing in float32", or nothing
    """
    return _anchor("verdict", problem, dtype, arithmetic, accumulation, how, inputs)


def formula_anchor(
    problem: str, formula: str, dtype: str, arithmetic: str, accumulation: str
) -> str:
    """The fragment of a formula's row of numbers: "formula-softmax-naive-float16-numpy-native"."""
    return _anchor("formula", problem, formula, dtype, arithmetic, accumulation)


def offset_anchor(
    problem: str, formula: str, dtype: str, arithmetic: str, accumulation: str
) -> str:
    """The fragment of a formula's row by offset: "offset-softmax-naive-float16-numpy-native"."""
    return _anchor("offset", problem, formula, dtype, arithmetic, accumulation)


def problem_anchor(problem: str) -> str:
    """The fragment of a problem's table in the reference."""
    return _anchor("at-a-glance", problem)


def _anchor(*words: str) -> str:
    return re.sub(r"[^a-z0-9_.]+", "-", " ".join(words).lower()).strip("-")
