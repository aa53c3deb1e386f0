"""Plain numbers in CSV, for a program; a text that a spreadsheet would run is disarmed."""

import csv
import io

import numpy as np
import pandas as pd

from fpstudy.visible import visible

# A cell that begins so is a formula to a spreadsheet; an apostrophe before it makes it a text.
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def comma_separated(data: pd.DataFrame) -> str:
    """The data with a line of names; floats in the shortest form that reads back equal.

    NaN is an empty cell, infinity is inf.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_text(name) for name in data.columns])
    for row in data.itertuples(index=False, name=None):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else repr(float(value))
    return _text(value)


def _text(value: object) -> str:
    """A text with all its characters in sight, which no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    runs = text.startswith(RUNS) or text.lstrip().startswith(RUNS)  # any space may be passed over
    return ("'" if runs else "") + visible(text)
