"""The number formats that a report speaks of: those built in, and its study's own."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fpstudy.formats import FORMATS, Format

Formats = Mapping[str, Format]


def formats_of(manifest: Mapping[str, Any], summary: pd.DataFrame) -> Formats:
    """The formats by name, in order; raises ValueError for a dtype that nothing describes."""
    own = {str(name): Format(**facts) for name, facts in (manifest.get("formats") or {}).items()}
    formats = FORMATS | own
    unknown = [name for name in summary["dtype"].unique() if name not in formats]
    if unknown:
        said = ", ".join(map(repr, unknown))
        raise ValueError(f"no format {said} in the manifest; known: {', '.join(formats)}")
    return formats


def own_formats(formats: Formats) -> list[Format]:
    """Those that are not built in."""
    return [f for name, f in formats.items() if FORMATS.get(name) != f]


def described(f: Format) -> str:
    """A format in words: "11 bits, exponents -126 .. 127", and where it leaves IEEE 754."""
    notes = [f"{f.precision} bits", f"exponents {f.emin} .. {f.emax}"]
    notes += [] if f.infinity else ["no infinity"]
    notes += [] if f.subnormals else ["no subnormals"]
    notes += ["overflow gives the largest number"] if f.saturate else []
    return ", ".join(notes)
