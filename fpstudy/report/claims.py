"""Claims with their verdicts as both pages print them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fpstudy.report.drawing import Drawing


@dataclass(frozen=True)
class Told:
    """A claim in words, none of them markup; rows are of `columns`' length, and may be none."""

    number: int
    says: str
    verdict: str
    evidence: str
    note: str
    reproduce: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    drawing: Drawing | None


def told(
    claims: Sequence[Mapping[str, Any]], drawings: Mapping[int, Drawing] | None = None
) -> list[Told]:
    """The claims of a manifest, in their order, numbered from 1, with the drawings of some."""
    drawn = drawings or {}
    return [_told(number, claim, drawn.get(number)) for number, claim in enumerate(claims, start=1)]


def tally(claims: Sequence[Told]) -> str:
    """How many claims have which verdict: "12 confirmed, 3 refuted"."""
    verdicts = [claim.verdict for claim in claims]
    return ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(sorted(verdicts)))


def _told(number: int, claim: Mapping[str, Any], drawing: Drawing | None) -> Told:
    table = claim.get("table") or {}
    texts = {
        key: str(claim.get(key) or "")
        for key in ("says", "verdict", "evidence", "note", "reproduce", "source")
    }
    return Told(
        number,
        **texts,
        columns=tuple(map(str, table.get("columns", ()))),
        rows=tuple(tuple(map(str, row)) for row in table.get("rows", ())),
        drawing=drawing,
    )
