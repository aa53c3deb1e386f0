"""A report as README.md for a code host and as index.html that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from fpstudy.report import markdown
from fpstudy.report.claims import Told, tally
from fpstudy.report.drawing import Drawing
from fpstudy.report.environment import surroundings
from fpstudy.report.formats import Formats, described, own_formats
from fpstudy.report.numbers import NONE, count
from fpstudy.report.reading import TERMS
from fpstudy.report.svg import inline
from fpstudy.report.tables import failure_rows, skipped_rows, verdict_rows
from fpstudy.report.verdicts import verdicts
from fpstudy.report.visible import visible
from fpstudy.report.worst import worst_rows

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


# two languages, two escapes: HTML by jinja's own, Markdown by `markdown.finalize`
HTML = jinja2.Environment(autoescape=True, finalize=_shown, **_STRICT)
HTML.filters["inline"] = lambda drawing: Markup(inline(drawing.svg, drawing.name))
MARKDOWN = jinja2.Environment(autoescape=False, finalize=markdown.finalize, **_STRICT)
MARKDOWN.filters.update(
    {f.__name__: f for f in (markdown.block, markdown.code, markdown.note, markdown.path)}
)
MARKDOWN.globals.update(br=markdown.Markdown("<br>"), dash=NONE)


UNDRAWN = "The figures were not drawn; fpstudy report draws them from the record."


@dataclass(frozen=True)
class Fact:
    """One line about the run: what, and how it was."""

    name: str
    value: str


def contents(
    record: pd.DataFrame,
    summary: pd.DataFrame,
    manifest: Mapping[str, Any],
    formats: Formats,
    claims: Sequence[Told],
    drawings: Sequence[Drawing] | None,
) -> dict[str, Any]:
    """What the templates of both pages print; without drawings they say so."""
    drawn = drawings or []
    table = verdicts(summary)
    return {
        "title": str(manifest.get("title") or manifest.get("name") or "report"),
        "question": str(manifest.get("question") or ""),
        "swept": verdict_rows(table, "magnitudes", formats),
        "given": verdict_rows(table, "given", formats),
        "claims": claims,
        "tally": tally(claims),
        "problems": {
            problem: [drawing for drawing in drawn if drawing.problem == problem]
            for problem in dict.fromkeys(drawing.problem for drawing in drawn)
        },
        "undrawn": UNDRAWN if drawings is None else "",
        "worst": worst_rows(record, summary, table),
        "failures": failure_rows(summary),
        "skipped": skipped_rows(summary),
        "size": _size(summary),
        "witness": witness_text(manifest),
        "terms": TERMS,
        "formats": [Fact(f.name, described(f)) for f in own_formats(formats)],
        "facts": facts(manifest),
        "command": str(manifest.get("command") or ""),
    }


def _size(summary: pd.DataFrame) -> str:
    """How much was measured."""
    results, skipped = summary["components"].sum(), summary["skipped"].sum()
    return f"{count(len(summary))} cases, {count(results)} results, {count(skipped)} not run."


def witness_text(manifest: Mapping[str, Any]) -> str:
    """What mpmath, the independent witness, found."""
    witness = manifest.get("witness") or {}
    checked, agreed, total = (int(witness.get(key) or 0) for key in ("checked", "agreed", "total"))
    beyond, undecided = int(witness.get("beyond_budget") or 0), int(manifest.get("undecided") or 0)
    if not checked:
        said = "mpmath recomputed none of the truths."
    else:
        all_agree = "all agree" if agreed == checked else f"{count(checked - agreed)} DISAGREE"
        said = f"mpmath recomputed {count(checked)} of {count(total)} truths: {all_agree}."
    if beyond:
        said += f" {count(beyond)} were beyond its budget of precision."
    if manifest.get("proven") is False:
        said += " The truths are not proven: the engine gives no enclosures."
    return f"{said} Undecided truths: {count(undecided)}."


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
    """The report as one page with its figures within."""
    return HTML.get_template("index.html.jinja").render(content)
