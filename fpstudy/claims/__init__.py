"""Claims: statements that somebody made, each checked by measurement.

`check` takes a [[claim]] of a study file and says what was found. A verdict is computed; there is
no way to write one down.
"""

from collections.abc import Callable
from typing import Any

from fpstudy.calculator import UndecidedError
from fpstudy.claims import choice, computed, identities, onset, shape, threshold
from fpstudy.claims.finding import Finding
from fpstudy.study_file.claims import KINDS, Claim

CHECKS: dict[str, Callable[[Any], Finding]] = {
    "computed": computed.computed,
    "exact": computed.exact,
    "onset": onset.onset,
    "threshold": threshold.threshold,
    "order": choice.order,
    "limit": choice.limit,
    "equal": identities.equal,
    "between": shape.between,
    "inside": shape.inside,
    "sum": shape.total,
    "convex": shape.convex,
    "gradient": identities.gradient,
    "differentiable": shape.differentiable,
    "product_quotient": computed.product_quotient,
    "jump": choice.jump,
    "format_number": computed.format_number,
    "underflow": computed.underflow,
}


def check(claim: Claim) -> dict[str, Any]:
    """What became of a claim, as JSON has it.

    Keys: kind, says, source, verdict ("confirmed", "refuted", or "undecided" where the cap of the
    working precision was met), evidence, reproduce, note; table and figure where there is one.
    """
    kind = next(name for name, model in KINDS.items() if type(claim) is model)
    try:
        found = CHECKS[kind](claim)
    except UndecidedError as error:
        found = Finding(None, f"{error}.")
    told: dict[str, Any] = {
        "kind": kind,
        "says": claim.says,
        "source": claim.source,
        "verdict": found.verdict,
        "evidence": found.evidence,
        "reproduce": found.reproduce,
        "note": claim.note,
    }
    extra = {"table": found.table, "figure": found.figure}
    return told | {key: data for key, data in extra.items() if data is not None}
