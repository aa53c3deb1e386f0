"""How a study measured, in sentences: its exact values, its inputs, its witness, its samples."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fpstudy.report.answers import samples_text
from fpstudy.report.numbers import count

ENGINES: dict[str, str] = {
    "double_double": "by pairs of float64 with a proven error radius; what they leave undecided "
    "goes to ball arithmetic (Arb)",
    "arb": "by ball arithmetic (Arb) at rising precision",
    "mpmath": "by mpmath at a precision chosen from the inputs, without proof",
}
INPUTS: dict[str, str] = {
    "shared": "Logits are rounded to values that all dtypes of a sweep hold, so that formulas and "
    "dtypes are compared on the same bits; what rounding the inputs costs is not in an error.",
    "per_dtype": "Logits are rounded to each dtype on its own, so dtypes see inputs that differ in "
    "their last bits; what rounding the inputs costs is not in an error.",
}


def method(manifest: Mapping[str, Any], summary: pd.DataFrame) -> list[str]:
    """The sentences, each a paragraph; of what the manifest does not say there is none."""
    engine = str(manifest.get("engine") or "")
    how = f", enclosed {ENGINES[engine]}" if engine in ENGINES else ""
    how = how.replace("enclosed by mpmath", "computed by mpmath")
    said = [
        "Each result is scored against the exact value of the function at the inputs as they are "
        f"stored{how}. No result of a wider dtype stands in for it.",
        witness_text(manifest),
    ]
    said += [INPUTS[name] for name in summary["inputs"].unique() if name in INPUTS]
    samples = samples_text(summary)
    if samples:
        seed = manifest.get("seed")
        drawn = "" if seed is None else f", drawn from seed {seed}"
        said.append(
            f"{size_text(summary)} There are {samples}{drawn}. A largest error is the largest of "
            "the samples measured and never a bound: other inputs may be off by more."
        )
    return said


def size_text(summary: pd.DataFrame) -> str:
    """How much was measured."""
    results, skipped = summary["components"].sum(), summary["skipped"].sum()
    return f"{count(len(summary))} cases, {count(results)} results, {count(skipped)} not run."


def witness_text(manifest: Mapping[str, Any]) -> str:
    """What mpmath, the independent witness, found."""
    witness = manifest.get("witness") or {}
    checked, agreed, total = (int(witness.get(key) or 0) for key in ("checked", "agreed", "total"))
    beyond, undecided = int(witness.get("beyond_budget") or 0), int(manifest.get("undecided") or 0)
    if not checked:
        said = "mpmath recomputed none of the truths."
    else:
        all_agree = "all agree" if agreed == checked else f"{count(checked - agreed)} DISAGREE"
        said = f"mpmath recomputed {count(checked)} of {count(total)} truths: {all_agree}."
    if beyond:
        said += f" {count(beyond)} were beyond its budget of precision."
    if manifest.get("proven") is False:
        said += " The truths are not proven: the engine gives no enclosures."
    return f"{said} Undecided truths: {count(undecided)}."
