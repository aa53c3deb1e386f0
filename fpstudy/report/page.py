"""A report as README.md for a code host and as index.html that needs nothing but itself."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from fpstudy.report import markdown
from fpstudy.report.answers import answers, sentences
from fpstudy.report.claims import Told, tally
from fpstudy.report.drawing import Drawing
from fpstudy.report.environment import surroundings
from fpstudy.report.facets import Facets, facets_of
from fpstudy.report.formats import Formats, described, own_formats
from fpstudy.report.inlining import inlined
from fpstudy.report.method import method, size_text, witness_text
from fpstudy.report.numbers import NONE
from fpstudy.report.offsets import offset_table
from fpstudy.report.reading import TERMS
from fpstudy.report.tables import (
    Failures,
    failure_rows,
    formula_rows,
    skipped_rows,
    verdict_rows,
)
from fpstudy.report.verdicts import verdicts
from fpstudy.report.worst import Measured, first_failures, worst_rows
from fpstudy.visible import visible

_LOADER = jinja2.PackageLoader("fpstudy.report")
_STRICT: dict[str, Any] = {
    "loader": _LOADER,
    "undefined": jinja2.StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}


def _shown(value: Any) -> Any:
    """A printed value with its unseen characters in sight; markup made here is left as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _whole(text: str) -> Markup:
    """The text with a chance to break its line after each word or number, and nowhere else."""
    words = re.findall(r"[^\s,;]+[,;]*|\s+|[,;]+", visible(text))
    kept = Markup("<span>{}</span><wbr>").format
    return Markup("").join(word if word.isspace() else kept(word) for word in words)


# two languages, two escapes: HTML by jinja's own, Markdown by `markdown.finalize`
HTML = jinja2.Environment(autoescape=True, finalize=_shown, **_STRICT)
HTML.filters["whole"] = _whole
MARKDOWN = jinja2.Environment(autoescape=False, finalize=markdown.finalize, **_STRICT)
MARKDOWN.filters.update({filter.__name__: filter for filter in markdown.FILTERS})
MARKDOWN.globals.update(br=markdown.Markdown("<br>"), dash=NONE)


UNDRAWN = "The figures were not drawn; fpstudy report draws them from the record."


@dataclass(frozen=True)
class Fact:
    """One line about the run: what, and how it was."""

    name: str
    value: str


@dataclass(frozen=True)
class Download:
    """A file beside the page, and what it holds."""

    path: str
    holds: str


@dataclass(frozen=True)
class Section:
    """The figures of one problem; tells: what they can be filtered by."""

    anchor: str
    problem: str
    tells: str
    figures: list[tuple[Drawing, str]]


def contents(
    record: pd.DataFrame,
    summary: pd.DataFrame,
    manifest: Mapping[str, Any],
    formats: Formats,
    claims: Sequence[Told],
    drawings: Sequence[Drawing] | None,
    *,
    recorded: bool = False,
) -> dict[str, Any]:
    """What the templates of both pages print; without drawings they say so.

    recorded: whether the record lies beside the pages
    """
    drawn = drawings or []
    table = verdicts(summary)
    return {
        "title": str(manifest.get("title") or manifest.get("name") or "report"),
        "question": str(manifest.get("question") or ""),
        "swept": verdict_rows(table, "magnitudes", formats),
        "given": verdict_rows(table, "given", formats),
        "formulas": formula_rows(summary, formats),
        "offsets": offset_table(summary),
        "claims": claims,
        "tally": tally(claims),
        "problems": {
            problem: [drawing for drawing in drawn if drawing.problem == problem]
            for problem in dict.fromkeys(drawing.problem for drawing in drawn)
        },
        "undrawn": UNDRAWN if drawings is None else "",
        "failures": failure_rows(summary),
        "skipped": skipped_rows(summary),
        "size": size_text(summary),
        "witness": witness_text(manifest),
        "terms": TERMS,
        "formats": [Fact(f.name, described(f)) for f in own_formats(formats)],
        "facts": facts(manifest),
        "command": str(manifest.get("command") or ""),
        "downloads": _downloads(recorded),
        "method": method(manifest, summary),
        **_filtered(record, summary, manifest, formats, table),
    }


def _filtered(
    record: pd.DataFrame, summary: pd.DataFrame, manifest: Mapping[str, Any], formats: Formats,
    table: pd.DataFrame,
) -> dict[str, Any]:  # fmt: skip
    """What can be filtered: the answers, the worst inputs and the first failures."""
    facets = facets_of(summary)
    measured = Measured(record, summary, manifest, formats, facets)
    return {
        "facets": facets,
        "sentences": sentences(summary, table, formats, facets),
        "answers": {
            inputs: answers(summary, table, inputs, formats, facets)
            for inputs in ("magnitudes", "given")
        },
        "worst": worst_rows(measured, table),
        "first_failures": first_failures(measured, table),
    }


def _downloads(recorded: bool) -> list[Download]:
    """The files that lie beside index.html."""
    return [
        Download("summary.csv", "a row for each case: its axes, errors and outcomes"),
        *[Download("record.parquet", "a row for each case and sample; not kept in a repository")]
        * recorded,
        Download("manifest.json", "seeds, versions, processor, witness, claims"),
        Download("README.md", "this report as Markdown"),
    ]


def facts(manifest: Mapping[str, Any]) -> list[Fact]:
    """The environment, line by line, in a fixed order."""
    named = {
        "study": "name",
        "study hash": "study_hash",
        "seed": "seed",
        "truth engine": "engine",
        "commit": "commit",
        "platform": "platform",
        "cases": "cases",
        "versions": "versions",
    }
    lines = [Fact(name, _flat(manifest.get(key))) for name, key in named.items()]
    lines += [Fact(name, _flat(value)) for name, value in surroundings(manifest)]
    seconds = manifest.get("duration_seconds")
    lines.append(Fact("duration", NONE if seconds is None else f"{float(seconds):.3g} s"))
    return lines


def _flat(value: Any) -> str:
    """A value of the manifest as one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_flat(entry)}" for key, entry in value.items()) or NONE
    if isinstance(value, list | tuple):
        return " ".join(_flat(entry) for entry in value) or NONE
    return NONE if value is None or value == "" else str(value)


def readme(content: Mapping[str, Any]) -> str:
    """The report as Markdown, with its figures beside it."""
    return MARKDOWN.get_template("README.md.jinja").render(content)


def html(content: Mapping[str, Any]) -> str:
    """The report as one page with its figures within, its style and script named by their hash."""
    of_claims = [claim.drawing for claim in content["claims"] if claim.drawing]
    of_problems = [drawing for drawings in content["problems"].values() for drawing in drawings]
    figures = inlined([*of_claims, *of_problems])
    style, script = _source("page.css") + figures.css, _source("page.js")
    return HTML.get_template("index.html.jinja").render(
        content,
        style=Markup(style),
        script=Markup(script),
        policy=Markup(  # of nothing but digests, in double quotes
            f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}';"
            " base-uri 'none'; form-action 'none'"
        ),
        figures=figures.figures,
        sections=_sections(content),
        row_keys=_row_keys(content["facets"]),
    )


def _sections(content: Mapping[str, Any]) -> list[Section]:
    """The figures problem by problem, in each the maps of failures first."""
    facets: Facets = content["facets"]
    found: dict[str, Section] = {}
    for problem, drawings in content["problems"].items():
        stem = re.sub(r"[^a-z0-9]+", "-", problem.lower()).strip("-")
        anchor = f"figures-{stem}"
        anchor += f"-{len(found)}" if anchor in found else ""
        ordered = sorted(drawings, key=lambda drawing: not drawing.name.startswith("failures"))
        figures = [(drawing, facets.keys_of(drawing)) for drawing in ordered]
        found[anchor] = Section(anchor, problem, facets.keys(problem=[problem]), figures)
    return list(found.values())


def _row_keys(facets: Facets) -> Any:
    """What a row of the table of failures can be filtered by."""

    def keys(row: Failures) -> str:
        return facets.keys(
            problem=[row.problem], formula=[row.formula], dtype=[row.dtype],
            arithmetic=[row.computed_by],
        )  # fmt: skip

    return keys


def _source(name: str) -> str:
    """A file of the page as it is, no template."""
    return _LOADER.get_source(HTML, name)[0]


def _digest(text: str) -> str:
    """How a content security policy names the text of a <style> or <script>."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
