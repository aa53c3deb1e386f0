"""A report's folder read back: its summary and manifest, or what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from fpstudy.cases import AXES
from fpstudy.damage import DamagedError
from fpstudy.record import COUNTS, TEXT_AXES
from fpstudy.summary import read_csv

AGAIN = "run the study again"
NEEDED: tuple[str, ...] = (*AXES, "components", "ulp_error_max", *COUNTS)


def summary_path(path: Path) -> Path:
    """The summary.csv of a report's folder, or the file itself; raises DamagedError for neither."""
    found = path / "summary.csv" if path.is_dir() else path
    if not found.is_file():
        raise DamagedError(f"{path}: no summary.csv here; want the folder of a report, as of run")
    return found


def read_summary(path: Path) -> pd.DataFrame:
    """The rows of a summary.csv; raises DamagedError where it is none or holds no case."""
    try:
        summary = read_csv(path)
    except ValueError as error:  # of pandas, and of what is no UTF-8
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise DamagedError(f"{path} is damaged ({first}); {AGAIN}") from None
    missing = [name for name in NEEDED if name not in summary]
    if missing:
        raise DamagedError(f"{path} is no summary: it has no column {missing[0]}; {AGAIN}")
    if summary.empty:
        raise DamagedError(f"{path} holds no case")
    for name in NEEDED:
        if name not in TEXT_AXES and not pd.api.types.is_numeric_dtype(summary[name]):
            raise DamagedError(f"{path} is damaged (column {name} is not numbers); {AGAIN}")
    return summary


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a report's folder; raises DamagedError where there is none to read."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DamagedError(f"{path} is missing; want the folder of a report, as of run") from None
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged ({error}); {AGAIN}") from None
    if not isinstance(manifest, dict):
        raise DamagedError(f"{path} is damaged (not a table); {AGAIN}")
    return manifest
