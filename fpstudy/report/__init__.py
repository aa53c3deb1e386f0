"""Reports: verdicts, figures and pages, all made from a study's summary and record."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fpstudy import whole_file
from fpstudy.report.claims import told
from fpstudy.report.drawing import Drawing
from fpstudy.report.formats import formats_of
from fpstudy.report.index import index
from fpstudy.report.page import contents, html, readme
from fpstudy.report.sweeps import Study
from fpstudy.report.tables import outcomes
from fpstudy.report.verdicts import verdicts
from fpstudy.report_folder import read_report

__all__ = ["outcomes", "verdicts", "write_index", "write_report"]


def write_report(
    directory: Path,
    record: pd.DataFrame,
    summary: pd.DataFrame,
    manifest: Mapping[str, Any],
    claims: Sequence[Mapping[str, Any]] = (),
    *,
    figures: bool = True,
    recorded: bool = False,
) -> None:
    """Write README.md, index.html and figures/*.svg below the directory.

    figures:  whether to draw them; without them the pages say so
    recorded: whether the pages will stand beside the record

    The same arguments give the same bytes. Raises ValueError for a dtype that is neither built in
    nor described in the manifest's "formats".
    """
    formats = formats_of(manifest, summary)
    drawings, of_claims = None, {}
    if figures:
        from fpstudy.report.claim_curves import claim_drawings  # matplotlib takes a second
        from fpstudy.report.figures import figures as drawn

        drawings, of_claims = list(drawn(summary, record, formats)), claim_drawings(claims)
    statements = told(claims, of_claims)
    content = contents(
        record, summary, manifest, formats, statements, drawings,
        recorded=recorded,
    )  # fmt: skip
    _write_figures(directory, [*(drawings or []), *of_claims.values()])
    _write(directory / "README.md", readme(content))
    _write(directory / "index.html", html(content))


def _write_figures(directory: Path, drawings: Sequence[Drawing]) -> None:
    folder = directory / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    for drawing in drawings:
        _write(folder / f"{drawing.name}.svg", drawing.svg)


def write_index(reports: Path) -> None:
    """Write reports/README.md from every report's summary.csv and manifest.json below.

    Raises DamagedError where one of them is not what fpstudy writes.
    """
    studies = [
        Study(path.parent.name, *read_report(path.parent))
        for path in sorted(reports.glob("*/summary.csv"))
        if (path.parent / "manifest.json").is_file()
    ]
    whole_file.write(reports / "README.md", index(studies).encode())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
