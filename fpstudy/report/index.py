"""The page over all reports: one table for choosing a dtype, then the reports themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fpstudy.formats import FORMATS
from fpstudy.report.environment import unlike
from fpstudy.report.page import MARKDOWN
from fpstudy.report.tables import Row, verdict_row
from fpstudy.report.variants import SETTING, computed_by, in_order, settings, with_variants
from fpstudy.report.verdicts import each_verdict, verdicts

Study = tuple[str, pd.DataFrame, Mapping[str, Any]]  # folder, summary, manifest
DRAWN = ("normal", "uniform")  # distributions whose magnitude is a spread of logits


@dataclass(frozen=True)
class Cell:
    """One verdict of the table, and the report that it comes from."""

    row: Row
    study: str


def index(studies: Sequence[Study]) -> str:
    """reports/README.md for the studies, in the order given."""
    drawn = [
        (folder, table[(table["measured"] > 0) & table["distribution"].isin(DRAWN)])
        for folder, table in ((folder, with_variants(summary)) for folder, summary, _ in studies)
    ]
    pooled = pd.concat([table for _, table in drawn]) if drawn else pd.DataFrame()
    columns = settings(pooled) if len(pooled) else []
    rows = [
        (problem, [_cell(drawn, problem, setting) for setting in columns])
        for problem in (in_order(pooled["variant"]) if len(pooled) else [])
    ]
    heads = [
        f"{dtype}, {FORMATS[dtype].precision} bits ({computed_by(*who)})" for dtype, *who in columns
    ]
    reports = [
        {
            "folder": folder,
            "title": str(manifest.get("title") or manifest.get("name") or folder),
            "question": str(manifest.get("question") or ""),
        }
        for folder, _, manifest in studies
    ]
    template = MARKDOWN.get_template("reports.md.jinja")
    environments = unlike([(folder, manifest) for folder, _, manifest in studies])
    return template.render(columns=heads, rows=rows, reports=reports, environments=environments)


def _cell(
    drawn: Sequence[tuple[str, pd.DataFrame]], problem: str, setting: tuple[str, str, str]
) -> Cell | None:
    """The verdict of the study with the widest range of magnitudes, the first among equals."""
    best: tuple[float, str, pd.DataFrame] | None = None
    for folder, table in drawn:
        here = table[
            (table["variant"] == problem)
            & (table[SETTING].astype(str) == list(setting)).all(axis=1)
            & (table["magnitude"] > 0)
        ]
        if len(here):
            width = float(np.log(here["magnitude"].max()) - np.log(here["magnitude"].min()))
            if best is None or width > best[0]:
                best = (width, folder, here)
    if best is None:
        return None
    _, folder, here = best
    (verdict,) = each_verdict(verdicts(here))
    return Cell(verdict_row(verdict), folder)
