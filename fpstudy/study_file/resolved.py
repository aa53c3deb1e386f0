"""A study's sweeps and formats as plain keys, which a report keeps so that it stands alone.

What JSON cannot write is written as a study file would: infinities as texts. Files of logits are
named without their folder, and the claims, which no case depends on, are left out.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fpstudy.study_file.table import Table

Keys = dict[str, Any]


def resolved(seed: int, sweeps: Sequence[Table], formats: Sequence[Table]) -> Keys:
    """The keys that decide the cases; every sweep has the defaults merged into it."""
    keys: Keys = {
        "seed": seed,
        "sweep": [_plain(sweep.model_dump(exclude_unset=True)) for sweep in sweeps],
    }
    own = [_plain(table.model_dump(exclude_unset=True)) for table in formats]
    return keys | ({"format": own} if own else {})


def _plain(value: Any) -> Any:
    """The value with lists, names of files and texts for infinities."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, Path):
        return value.name
    if isinstance(value, float):  # one of a study file also remembers how it was written
        return repr(float(value)) if math.isinf(value) else float(value)
    return value
