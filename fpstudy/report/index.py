"""The page over all reports: one table for choosing a dtype, then the reports themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fpstudy.formats import FORMATS, Format
from fpstudy.report.environment import unlike
from fpstudy.report.formats import described, formats_of
from fpstudy.report.page import MARKDOWN
from fpstudy.report.tables import Row, verdict_row
from fpstudy.report.variants import SETTING, computed_by, with_variants
from fpstudy.report.verdicts import each_verdict, verdicts

Study = tuple[str, pd.DataFrame, Mapping[str, Any]]  # folder, summary, manifest
DRAWN = ("normal", "uniform")  # distributions whose magnitude is a spread of logits


@dataclass(frozen=True)
class Cell:
    """One verdict of the table, and the report that it comes from."""

    row: Row
    study: str


@dataclass(frozen=True)
class Sweep:
    """What a study measured of one problem in one setting, over so many decades of magnitude."""

    decades: float
    study: str
    cases: pd.DataFrame


def index(studies: Sequence[Study]) -> str:
    """reports/README.md for the studies, in the order given."""
    widest = _widest(studies)
    formats = dict.fromkeys([*FORMATS.values(), *(f for sweeps in widest.values() for f in sweeps)])
    columns = [f for f in formats if any(f in sweeps for sweeps in widest.values())]
    built_in = FORMATS.values()
    facts = [f"{f.precision} bits" if f in built_in else described(f) for f in columns]
    heads = [f"{f.name}, {said}" for f, said in zip(columns, facts, strict=True)]
    problems = dict.fromkeys(problem for problem, _ in widest)
    rows = [
        (problem, who, [_cell(sweeps.get(f), f) for f in columns])
        for problem in problems
        for (of, who), sweeps in widest.items()
        if of == problem
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


def _widest(studies: Sequence[Study]) -> dict[tuple[str, str], dict[Format, Sweep]]:
    """The sweep over most magnitudes, the first among equals, by problem and what computed.

    Two studies may give one name to formats of their own that differ: these are kept apart.
    """
    found: dict[tuple[str, str], dict[Format, Sweep]] = {}
    for folder, summary, manifest in studies:
        formats, table = formats_of(manifest, summary), with_variants(summary)
        table = table[table["distribution"].isin(DRAWN) & (table["measured"] > 0)]
        table = table[table["magnitude"].astype(float) > 0]
        for key, cases in table.groupby(["variant", *SETTING], sort=False):
            problem, dtype, *who = map(str, key)
            low, high = cases["magnitude"].min(), cases["magnitude"].max()
            sweep = Sweep(float(np.log10(high) - np.log10(low)), folder, cases)
            sweeps = found.setdefault((problem, computed_by(*who)), {})
            best = sweeps.get(formats[dtype])
            if sweep.decades > (best.decades if best else 0):
                sweeps[formats[dtype]] = sweep
    return {key: sweeps for key, sweeps in found.items() if sweeps}


def _cell(sweep: Sweep | None, f: Format) -> Cell | None:
    """The verdict of a sweep."""
    if sweep is None:
        return None
    (verdict,) = each_verdict(verdicts(sweep.cases))
    return Cell(verdict_row(verdict, f.precision), sweep.study)
