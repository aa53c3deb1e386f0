"""A report's summary.csv and manifest read back, or what is wrong with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fpstudy.cases import AXES
from fpstudy.damage import DamagedError
from fpstudy.formats import FORMATS
from fpstudy.manifest import DIGESTS, SUMMARY, check_digest, check_signature
from fpstudy.manifest_fields import AGAIN, FILE, read_manifest
from fpstudy.reasons import first_line
from fpstudy.record import COUNTS, TEXT_AXES
from fpstudy.regular_file import opened
from fpstudy.summary import COLUMNS, read_csv

NEEDED: tuple[str, ...] = (*AXES, "components", "ulp_error_max", *COUNTS)
TEXTS = (*TEXT_AXES, "reason")
MAX_TEXT = 2_000  # characters of a name: of a formula with all its options, of a file
MAX_HEAD = 2**14  # bytes of the first line, with columns that somebody added
MAX_COUNT = 2**62
ANEW = f"fpstudy report makes it anew from the record, or {AGAIN}"
WHOLE = {"n": 1, "samples": 1, "batch": 0} | dict.fromkeys(("components", *COUNTS), 0)
FINITE = ("magnitude", "offset", "ignored", "masked")
SIZES = (
    "magnitude", "ignored", "masked", "base", "top1_flips",
    *(name for name in COLUMNS if name.endswith(("_median", "_max", "_min"))),
)  # fmt: skip


def summary_path(path: Path) -> Path:
    """The summary.csv of a report's folder, or the file itself; raises DamagedError for neither."""
    found = path / SUMMARY if path.is_dir() else path
    if not found.is_file():
        raise DamagedError(f"{path}: no {SUMMARY} here; want the folder of a report, as of run")
    return found


def read_report(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The summary in a report's folder, or itself, and the manifest beside it, both as written.

    Raises DamagedError where one is not, or is missing.
    """
    path = summary_path(path)
    summary, manifest = read_summary(path), read_manifest(path.parent)
    check_signature(path.parent / FILE, manifest)
    check_digest(path, manifest.get(DIGESTS[SUMMARY]), ANEW)
    return summary, manifest


def read_summary(path: Path) -> pd.DataFrame:
    """The rows of a summary.csv; raises DamagedError where it is none or holds no case."""
    try:
        with opened(path) as file:
            if len(file.readline(MAX_HEAD + 1)) > MAX_HEAD:
                raise ValueError(f"its first line has more than {MAX_HEAD:,} bytes")
        summary = read_csv(path)
    except ValueError as error:  # of pandas, and of what is no UTF-8
        raise DamagedError(f"{path} is damaged ({first_line(error)}); {AGAIN}") from None
    missing = [name for name in NEEDED if name not in summary]
    if missing:
        raise DamagedError(f"{path} is no summary: it has no column {missing[0]}; {AGAIN}")
    if summary.empty:
        raise DamagedError(f"{path} holds no case")
    if fault := what_is_wrong(summary):
        raise DamagedError(f"{path} is damaged ({fault}); {AGAIN}")
    return summary


def what_is_wrong(summary: pd.DataFrame) -> str:
    """The first column of which no run gives what it holds, as a sentence; "" for none."""
    for name in summary.columns:
        column = summary[name]
        if name in TEXTS:
            if not all(map(_is_name, column)):
                return f"column {name} is not names"
        elif name in COLUMNS and not pd.api.types.is_numeric_dtype(column):
            return f"column {name} is not numbers"
        elif name in WHOLE and not (
            pd.api.types.is_integer_dtype(column) and column.between(WHOLE[name], MAX_COUNT).all()
        ):
            return f"column {name} is not whole numbers of at least {WHOLE[name]}"
        elif name in SIZES and not (column.isna() | (column >= 0)).all():
            return f"column {name} has numbers below 0"
        elif name in FINITE and not np.isfinite(column).all():
            return f"column {name} has numbers that are not finite"
    return ""


def _is_name(value: object) -> bool:
    r"""A text that reads back from summary.csv as it was; a bare \r would end the line there."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        return False
    return "\r" not in value or "\n" in value  # a text with \n is quoted


def not_of(samples: pd.DataFrame, summary: pd.DataFrame, manifest: Mapping[str, Any]) -> str:
    """Where a record's samples, its summary and its manifest do not fit; "" for nowhere."""
    cases = samples["case"]
    if len(samples) == len(summary) == 0:  # of a study of claims alone
        return ""
    if cases.min() != 0 or cases.max() != len(summary) - 1:
        return f"its cases are not 0 to {len(summary) - 1}"
    for name in summary["dtype"].unique():
        if name not in FORMATS and name not in manifest.get("formats", {}):
            return f"no format {name!r} in {FILE}"
    return ""
