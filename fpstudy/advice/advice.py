"""The advice: the cheapest candidate that meets every limit without a failure, and its neighbours.

Cheapest is fewest bytes stored, then the narrowest accumulator; among equals the one with most room
below the limits, and where that is all but the same or ample, the one that holds on the largest
logits. A choice on drawn logits is confirmed on fresh samples, many more of them; one that fails
there is passed over. All of it is a statement about the samples measured.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from fpstudy.advice.candidate import Candidate
from fpstudy.advice.question import Limit, Question, question
from fpstudy.advice.trial import Finding, Progress, Reach, Trial, reaches, trial
from fpstudy.environment import environment
from fpstudy.environment.uses import used_by
from fpstudy.formats import FORMATS
from fpstudy.samples import given_logits

if TYPE_CHECKING:
    import pandas as pd  # only the table needs it

LIKE = 1.1  # errors that differ by less are all but the same
AMPLE = 0.01  # of a limit: more room than that decides nothing
HEADROOM = 2  # a worst of N samples is no bound: tests get so many times as much


@dataclass(frozen=True)
class Tolerances:
    """What a test of the advised computation can ask for, against the exact result at the logits
    as stored: |y - t| <= rtol |t| + atol, or |y - t| <= max_ulp ulp(t).

    Twice `relative` and `ulps`, the worst of all samples measured, rounded up; atol is rtol times
    the least normal number, below which an error is taken relative to that.
    """  # noqa: D205 (the first sentence is the mathematics)

    rtol: float
    atol: float
    max_ulp: int
    relative: float
    ulps: float


@dataclass(frozen=True, repr=False)
class Advice:
    """What to use, and what that rests on.

    question:     as it was asked, with the limits
    trial:        every candidate's finding
    recommended:  None where nothing meets the limits
    reach:        how much larger the logits can be before it fails
    confirmed:    the same candidate on fresh samples; None where there are none to be had
    passed_over:  cheaper choices that met the limits, but not on fresh samples
    nearest:      of the candidates that fail, the one that misses the limits least
    better:       the next dearer one with more room below the limits
    tolerances:   for tests of the recommended one
    environment:  the id of where it was measured
    """

    question: Question
    trial: Trial
    recommended: Finding | None
    reach: Reach | None
    confirmed: Finding | None
    passed_over: tuple[Finding, ...]
    nearest: Finding | None
    better: Finding | None
    tolerances: Tolerances | None
    environment: str

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits, all of which are to be met."""
        return self.question.limits

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All candidates that were run, the cheapest first."""
        return tuple(sorted(self.trial.findings, key=_rank))

    def meets(self, finding: Finding) -> bool:
        """Whether a candidate meets the limits, on fresh samples too if it was tried on those."""
        return finding.meets and all(
            finding.candidate != again.candidate for again in self.passed_over
        )

    @property
    def storage(self) -> dict[str, dict[str, float]]:
        """By dtype, what storing the logits in it costs before any formula runs."""
        return {f.candidate.dtype: f.storage for f in self.trial.findings if not f.reason}

    @property
    def table(self) -> "pd.DataFrame":
        """A row for each candidate, the cheapest first."""
        import pandas as pd

        rows = [_row(finding, self) for finding in self.findings]
        return pd.DataFrame(rows, columns=_columns(self))

    def as_dict(self) -> dict[str, Any]:
        """The same for machines to read: an infinity is "inf" and NaN None, as JSON has neither."""
        demand, draw = self.question.demand, self.question.demand.draw
        told: dict[str, Any] = _plain({
            "problem": self.question.problem,
            "logits": {
                "distribution": draw.distribution, "n": draw.n, "magnitude": draw.magnitude,
                "samples": draw.samples, "arrive_in": self.question.arrives.name,
                "seed": draw.seed, "offset": draw.offset, "masked": draw.masked,
                "target": demand.target, "labels": demand.labels, "base": demand.base,
                "beta": demand.beta,
            },
            "limits": {limit.metric.option: limit.value for limit in self.limits},
            "recommended": _finding(self.recommended),
            "reach": None if self.reach is None else asdict(self.reach),
            "confirmed_on_fresh_samples": _finding(self.confirmed),
            "passed_over": [_finding(finding) for finding in self.passed_over],
            "nearest_that_fails": _finding(self.nearest),
            "next_better": _finding(self.better),
            "storage": self.storage,
            "tolerances_for_tests": None if self.tolerances is None else asdict(self.tolerances),
            "candidates": [
                asdict(finding) | {"meets": self.meets(finding)} for finding in self.findings
            ],
            "refused": [asdict(c) | {"reason": reason} for c, reason in self.trial.refused],
            "exact_values": self.trial.truths,
            "infinite": self.trial.infinite,
            "undefined": self.trial.undefined,
            "undecided": self.trial.undecided,
            "environment": self.environment,
        })  # fmt: skip
        return told

    def __repr__(self) -> str:
        """The advice in words, as the command prints it."""
        from fpstudy.advice.words import text

        return text(self)

    def _repr_html_(self) -> str:
        from fpstudy.advice.words import html

        return html(self)


def advise(
    problem: str,
    logits: Any = None,
    *,
    tolerance: float | None = None,
    ulp: float | None = None,
    sum_error: float | None = None,
    total_variation: float | None = None,
    kl: float | None = None,
    top1_flips: float | None = None,
    mass_lost: float | None = None,
    dtypes: str | Sequence[str] = ("float16", "bfloat16", "float32", "float64"),
    arithmetic: str | Sequence[str] = "numpy",
    accumulation: str | Sequence[str] | None = None,
    formula: str | Sequence[str] = "all",
    compute: str | Sequence[str] = ("same", "float32"),
    arrives_in: str = "float64",
    n: int = 10,
    magnitude: float = 1.0,
    distribution: str = "normal",
    offset: float = 0.0,
    masked: float = 0.0,
    target: str | int = "random",
    labels: str | Sequence[Sequence[float]] = "hard",
    base: float | None = None,
    beta: float | None = None,
    samples: int | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> Advice:
    """The cheapest dtype, accumulation and formula whose error stays below every limit.

    logits:     (rows, n) numbers, each row one vector; or they are drawn: n, magnitude,
                distribution, offset, masked as in a [[sweep]], `samples` vectors of them
    tolerance:  limit on the relative error of the worst component; 1e-3 if no limit is given
    ulp:        on its error in ulps of the candidate's dtype
    sum_error, total_variation, kl, top1_flips, mass_lost: on a softmax's distribution, see
                fpstudy.divergences; flips as a share of the samples
    compute:    formats that a formula computes in; "same" is the dtype that it stores
    arrives_in: the format that the logits are in before they are stored in a candidate's dtype:
                "bfloat16" where they come out of a bfloat16 layer. What rounding to that costs has
                been paid; what storing costs beyond it counts.
    The other arguments are the keys of a [[sweep]], one value each. The errors are against the
    exact result at the logits as they arrive. Raises StudyError with a line for every argument that
    is none, and ValueError for logits that are none.
    """
    x = None if logits is None else given_logits(logits)
    limits = {
        "tolerance": tolerance, "ulp": ulp, "sum_error": sum_error, "kl": kl,
        "total_variation": total_variation, "top1_flips": top1_flips, "mass_lost": mass_lost,
    }  # fmt: skip
    settings = {
        "dtypes": dtypes, "arithmetic": arithmetic, "accumulation": accumulation,
        "formula": formula, "compute": compute, "arrives_in": arrives_in, "n": n,
        "magnitude": magnitude, "distribution": distribution, "offset": offset, "masked": masked,
        "target": target, "labels": labels, "base": base, "beta": beta, "samples": samples,
        "seed": seed,
    }  # fmt: skip
    return answer(question(problem, x, limits, settings), progress)


def answer(asked: Question, progress: Progress = lambda done, total: None) -> Advice:
    """The advice on a question: candidates tried, and the choice confirmed on fresh samples."""
    tried = trial(asked, progress)
    ranked = sorted(tried.findings, key=_rank)
    choice = _choice(asked, ranked)
    failing = [finding for finding in ranked if not finding.meets]
    chosen = choice.finding
    return Advice(
        asked,
        tried,
        chosen,
        choice.reach,
        choice.confirmed,
        tuple(choice.passed_over),
        min(failing, key=lambda finding: _distance(asked, finding), default=None),
        _better(asked, ranked, chosen) if chosen else None,
        _tolerances(chosen, choice.confirmed) if chosen else None,
        str(environment(used_by(asked.cases))["environment"]),
    )


def _rank(finding: Finding) -> tuple[tuple[int, int], float, str]:
    return finding.candidate.cost, finding.excess, finding.candidate.formula


def _distance(asked: Question, finding: Finding) -> tuple[float, float]:
    """How far a finding is from meeting the limits; where a limit is 0, by the error itself."""
    errors = [finding.total[limit.metric.name] for limit in asked.limits]
    return finding.excess, math.inf if finding.failing or math.isnan(sum(errors)) else max(errors)


@dataclass(frozen=True)
class _Choice:
    finding: Finding | None
    reach: Reach | None
    confirmed: Finding | None
    passed_over: list[Finding]


def _choice(asked: Question, ranked: list[Finding]) -> _Choice:
    """The first that meets the limits, here and on fresh samples.

    Once one of them fails there all that are left are tried on them, as they share exact values.
    """
    left = [finding for finding in ranked if finding.meets]
    passed: list[Finding] = []
    known: dict[Candidate, Finding] = {}
    held: dict[Candidate, Reach] = {}
    while left:
        finding, reached = _furthest(asked, left, held)
        if not asked.random:
            return _Choice(finding, reached, None, passed)
        if finding.candidate not in known:
            known |= _afresh(asked, left if passed else [finding])
        again = known[finding.candidate]
        if again.meets:
            return _Choice(finding, reached, again, passed)
        passed.append(again)
        left.remove(finding)
    return _Choice(None, None, None, passed)


def _afresh(asked: Question, findings: list[Finding]) -> dict[Candidate, Finding]:
    """The candidates on fresh samples; some of those a dtype may be unable to hold."""
    of = {finding.candidate: finding for finding in findings}
    tried = trial(asked.fresh([asked.case(candidate) for candidate in of]))
    refused = {c: replace(of[c], excess=math.inf, reason=reason) for c, reason in tried.refused}
    return {finding.candidate: finding for finding in tried.findings} | refused


def _furthest(
    asked: Question, ranked: list[Finding], held: dict[Candidate, Reach]
) -> tuple[Finding, Reach]:
    """Of those that are as good as the first, the one that holds on the largest logits.

    held: the reaches that are known; those that are found are added
    """
    like = [finding for finding in ranked if _as_good(finding, ranked[0])]
    new = [finding.candidate for finding in like if finding.candidate not in held]
    held |= zip(new, reaches(asked, [asked.case(one) for one in new]), strict=True)
    best = max(like, key=lambda finding: held[finding.candidate].factor)
    return best, held[best.candidate]


def _better(asked: Question, ranked: list[Finding], chosen: Finding) -> Finding | None:
    """The cheapest of those dearer than the chosen one that have more room."""
    dearer = [
        finding
        for finding in ranked
        if finding.candidate.cost > chosen.candidate.cost and finding.excess < chosen.excess
    ]
    return _furthest(asked, dearer, {})[0] if dearer else None


def _as_good(finding: Finding, best: Finding) -> bool:
    """Whether both cost the same, and have room that is all but the same, or ample."""
    same = finding.candidate.cost == best.candidate.cost
    return same and finding.excess <= max(LIKE * best.excess, AMPLE)


def _tolerances(chosen: Finding, confirmed: Finding | None) -> Tolerances:
    """Of the worst of all samples measured, at the logits as stored; u where all was exact."""
    f = FORMATS[chosen.candidate.dtype]
    found = [finding.arithmetic for finding in (chosen, confirmed) if finding is not None]
    relative = max(f.unit_roundoff, *(metrics["relative_error"] for metrics in found))
    ulps = max(0.5, *(metrics["ulp_error"] for metrics in found))
    rtol = _two_digits_up(HEADROOM * relative)
    atol = _two_digits_up(rtol * f.least_normal)
    return Tolerances(rtol, atol, math.ceil(HEADROOM * ulps), relative, ulps)


def _two_digits_up(x: float) -> float:
    """The least decimal number of two significant digits that is not below x > 0."""
    exact = Decimal(x)
    step = Decimal((0, (1,), exact.adjusted() - 1))
    return float(exact.quantize(step, rounding=ROUND_CEILING))


def _finding(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    return asdict(finding) | {"meets": finding.meets}


def _columns(advice: Advice) -> list[str]:
    """Of the table, which may have no row."""
    names = [limit.metric.name for limit in advice.limits]
    errors = [f"{part}_{name}" for name in names for part in ("worst", "storing", "arithmetic")]
    return [
        "dtype", "arithmetic", "accumulation", "formula", "bytes", "accumulator", "meets", *errors,
        "failing", "samples", "reason",
    ]  # fmt: skip


def _row(finding: Finding, advice: Advice) -> dict[str, Any]:
    names = [limit.metric.name for limit in advice.limits]
    return {
        "dtype": finding.candidate.dtype,
        "arithmetic": finding.candidate.arithmetic,
        "accumulation": finding.candidate.accumulation,
        "formula": finding.candidate.formula,
        "bytes": finding.candidate.bytes,
        "accumulator": finding.candidate.accumulator,
        "meets": advice.meets(finding),
        **{f"worst_{name}": finding.total[name] for name in names},
        **{f"storing_{name}": finding.storage[name] for name in names},
        **{f"arithmetic_{name}": finding.arithmetic[name] for name in names},
        "failing": sum(finding.failing.values()),
        "samples": finding.samples,
        "reason": finding.reason,
    }


def _plain(value: Any) -> Any:
    """The value without numbers that JSON lacks: an infinity as "inf", NaN as None."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value
