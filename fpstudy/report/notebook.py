"""A run in a notebook: what it asked, its counts, which formula to use, where the report is."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from fpstudy.report.claims import tally, told
from fpstudy.report.formats import formats_of
from fpstudy.report.method import witness_text
from fpstudy.report.numbers import count
from fpstudy.report.page import HTML
from fpstudy.report.tables import verdict_rows
from fpstudy.report.verdicts import verdicts
from fpstudy.visible import visible

MOST_ROWS = 40  # verdicts that a cell shows; a longer table is for the report


def html(directory: Path, summary: pd.DataFrame, manifest: Mapping[str, Any]) -> str:
    """The run as a piece of HTML, without colours of its own: a notebook may be light or dark."""
    table, formats = verdicts(summary), formats_of(manifest, summary)
    rows = [
        row for inputs in ("magnitudes", "given") for row in verdict_rows(table, inputs, formats)
    ]
    claims = told(manifest.get("claims") or [])
    return HTML.get_template("run.html.jinja").render(
        title=str(manifest.get("title") or manifest["name"]),
        question=str(manifest.get("question") or ""),
        counts=counts_text(manifest),
        witness=witness_text(manifest),
        claims=tally(claims),
        failed=[*manifest["witness"]["disagreements"], *manifest["violations"]],
        rows=rows[:MOST_ROWS],
        more=len(rows) - MOST_ROWS,
        link=_link(directory / "index.html"),
        place=_place(directory),
    )


def text(directory: Path, manifest: Mapping[str, Any]) -> str:
    """The run in a line: "<Run quickstart: 440 cases measured; ...>"."""
    said = f"{manifest['name']}: {counts_text(manifest)} {witness_text(manifest)}"
    return visible(f"<Run {said} Report: {_place(directory)}>")


def counts_text(manifest: Mapping[str, Any]) -> str:
    """What became of the cases: "440 cases measured, 2 skipped, 1 crashed."."""
    cases = manifest["cases"]
    said = [f"{count(cases['run'])} cases measured"]
    said += [f"{count(cases[name])} {name}" for name in ("skipped", "crashed") if cases[name]]
    return ", ".join(said) + "."


def _place(directory: Path) -> str:
    """The folder as the notebook's user would write it."""
    path = Path(os.path.relpath(directory)) if _below(directory) else directory
    return path.as_posix()


def _link(page: Path) -> str:
    """The page as a link from the notebook; "" if it does not lie below its folder."""
    return "./" + quote(Path(os.path.relpath(page)).as_posix()) if _below(page) else ""


def _below(path: Path) -> bool:
    return path.resolve().is_relative_to(Path.cwd())
