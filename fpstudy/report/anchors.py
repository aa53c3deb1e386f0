"""Where a page can be linked to: a name for each verdict, alike in README.md and index.html."""

import re


def verdict_anchor(
    problem: str, dtype: str, arithmetic: str, accumulation: str, inputs: str
) -> str:
    """The fragment of a verdict's row: "verdict-softmax-float16-numpy-native-magnitudes".

    problem: as a reader names it, "softmax (base b)"; inputs: "magnitudes" or "given"
    """
    words = " ".join(("verdict", problem, dtype, arithmetic, accumulation, inputs))
    return re.sub(r"[^a-z0-9_.]+", "-", words.lower()).strip("-")
