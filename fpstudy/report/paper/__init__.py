"""A report's numbers as tables for a paper: in LaTeX, Markdown or CSV."""

from collections.abc import Mapping
from typing import Any

from fpstudy.report.paper.cells import comma_separated
from fpstudy.report.paper.errors import errors
from fpstudy.report.paper.failures import failure_table
from fpstudy.report.paper.latex import PACKAGES, label, latex
from fpstudy.report.paper.markdown import markdown
from fpstudy.report.paper.table import Tables
from fpstudy.report.paper.verdicts import verdict_table

__all__ = ["errors", "failure_table", "verdict_table", "written"]


def written(tables: Tables, language: str, digits: int, manifest: Mapping[str, Any]) -> str:
    """The tables in a language: "latex", "markdown" or "csv"; the last has every digit."""
    if language == "csv":
        return comma_separated(tables.data)
    if language == "markdown":
        return "\n".join(markdown(table, digits) for table in tables.tables)
    study, taken = str(manifest.get("name") or "study"), dict[str, int]()
    parts = []
    for table in tables.tables:
        name = label(study, table.name)
        taken[name] = taken.get(name, 0) + 1
        unique = name if taken[name] == 1 else f"{name}-{taken[name]}"
        parts.append(latex(table, unique, digits))
    return PACKAGES + "\n".join(parts)
