"""The page over all reports: the reference for choosing a dtype, then the reports themselves."""

from collections.abc import Sequence

from fpstudy.report.choices import choices, onsets
from fpstudy.report.environment import unlike
from fpstudy.report.glance import glances
from fpstudy.report.laws import laws
from fpstudy.report.lengths import length_table
from fpstudy.report.page import MARKDOWN
from fpstudy.report.sweeps import Study, sweeps


def index(studies: Sequence[Study]) -> str:
    """reports/README.md for the studies, in the order given."""
    found = sweeps(studies)
    reports = [
        {
            "folder": folder,
            "title": str(manifest.get("title") or manifest.get("name") or folder),
            "question": str(manifest.get("question") or ""),
        }
        for folder, _, manifest in studies
    ]
    return MARKDOWN.get_template("reports.md.jinja").render(
        tables=glances(found),
        lengths=length_table(found),
        laws=laws(studies),
        choices=choices(found),
        onsets=onsets(found),
        reports=reports,
        environments=unlike([(folder, manifest) for folder, _, manifest in studies]),
    )
