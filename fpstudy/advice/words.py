"""An advice in words: sections of lines and small tables, for a terminal and for a notebook."""

import math
from dataclasses import dataclass, field

from markupsafe import Markup

from fpstudy.advice.advice import Advice
from fpstudy.advice.metrics import Metric
from fpstudy.advice.question import Limit
from fpstudy.advice.trial import Finding, Trial
from fpstudy.cases import Demand
from fpstudy.outcomes import OUTCOMES
from fpstudy.report.numbers import count, magnitude, number
from fpstudy.report.variants import accumulation_text
from fpstudy.visible import visible

MOST_PASSED = 3  # choices passed over that are spelled out
MEANING = {outcome.name: outcome.meaning for outcome in OUTCOMES}


@dataclass(frozen=True)
class Section:
    """A heading with lines below it, then perhaps a table, whose first row is its head."""

    heading: str
    lines: list[str] = field(default_factory=list)
    table: list[tuple[str, ...]] = field(default_factory=list)


def sections(advice: Advice) -> list[Section]:
    """All that is said, the answer first."""
    told = [_answer(advice), *([_by_dtype(advice)] if advice.findings else [])]
    if advice.nearest is not None:
        told.append(Section("The nearest that fails", _failing(advice.nearest, advice)))
    if advice.better is not None:
        told.append(Section("The next better one", _met(advice.better, advice)))
    if advice.tolerances is not None:
        told.append(_tests(advice))
    return [*told, _measured(advice)]


def text(advice: Advice) -> str:
    """The advice for a terminal."""
    parts = []
    for section in sections(advice):
        lines = [f"  {line}" for line in section.lines] + _columns(section.table)
        parts.append("\n".join([section.heading, *lines]))
    return "\n\n".join(parts)


def html(advice: Advice) -> str:
    """The advice for a notebook, everything escaped."""
    found = Markup("")
    for number_, section in enumerate(sections(advice)):
        tag = "strong" if number_ == 0 else "em"
        found += Markup(f"<p><{tag}>{{}}</{tag}></p>").format(section.heading)
        lines = Markup("<br>").join(section.lines)
        found += Markup("<p>{}</p>").format(lines) if section.lines else Markup("")
        found += _html_table(section.table) if section.table else Markup("")
    return str(Markup("<div>{}</div>").format(found))


def _html_table(rows: list[tuple[str, ...]]) -> Markup:
    head, *body = (
        Markup("").join(Markup("<{0}>{1}</{0}>").format(Markup(tag), cell) for cell in row)
        for tag, row in zip(["th"] + ["td"] * (len(rows) - 1), rows, strict=True)
    )
    lines = Markup("").join(Markup("<tr>{}</tr>").format(line) for line in body)
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, lines)


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    """The rows of a table below each other, each column as wide as its widest entry."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _answer(advice: Advice) -> Section:
    asked = " and ".join(_limit(limit) for limit in advice.limits)
    chosen = advice.recommended
    if not advice.findings:
        return Section("Nothing could be tried", ["The reasons are below."])
    if chosen is None:
        tried = count(len(advice.findings))
        lines = [f"None of {tried} candidates has {asked} and no failure.", *_advice(advice)]
        return Section("Nothing that was tried meets the limits", lines)
    return Section(f"Use {_name(chosen)}", _met(chosen, advice) + _fresh(advice) + _reach(advice))


def _advice(advice: Advice) -> list[str]:
    """What could be done where nothing meets the limits."""
    stored = [dtype for dtype in advice.storage if _storing_excess(advice, dtype) > 1]
    told = []
    if stored and advice.findings:
        told.append(
            f"Storing the logits in {', '.join(stored)} exceeds the limits by itself, and no advice"
            " rests on errors that cancel. Logits that are in a narrow dtype already lose nothing"
            " by it: say so (arrives_in, --arrives-in)."
        )
    if advice.passed_over:
        told += _passed(advice)
    return told


def _limit(limit: Limit) -> str:
    return f"{limit.metric.words} at most {number(limit.value)}"


def _name(finding: Finding) -> str:
    """The candidate in words: "float16 with log1p (numpy, native sums in float32)"."""
    of = finding.candidate
    order = accumulation_text(of.accumulation.partition(":")[0])
    who = f"{of.arithmetic}, {order} sums in {of.accumulator}"
    return f"{of.dtype} with {visible(of.formula)} ({who})"


def _met(finding: Finding, advice: Advice) -> list[str]:
    of = finding.candidate
    stored = f"{of.bytes} byte{'s' * (of.bytes > 1)} a number, sums in {of.accumulator}"
    told = [f"{_name(finding)}: {stored}" if finding is not advice.recommended else stored]
    return told + [_compared(limit, finding) for limit in advice.limits] + [_no_failure(finding)]


def _no_failure(finding: Finding) -> str:
    return f"no failure among {count(finding.components)} results of {_samples(finding)}"


def _compared(limit: Limit, finding: Finding) -> str:
    """A limit, and how far below or above it the candidate stays."""
    found = finding.total[limit.metric.name]
    excess = limit.excess(found)
    what = f"{limit.metric.words}, {_taken(limit.metric)} {_samples(finding)}"
    if found == 0 or excess == math.inf:
        return f"{what}: {number(found)}; limit {number(limit.value)}"
    room = f"{_times(1 / excess)} below" if excess <= 1 else f"{_times(excess)} above"
    return f"{what}: {_figure(limit.metric, found)}; limit {number(limit.value)}, {room}"


def _taken(metric: Metric) -> str:
    return "share of" if metric.share else "worst of"


def _times(ratio: float) -> str:
    """A ratio of at least 1 to two or three digits: "1.03 times", "3,400 times"."""
    if ratio > 1e6:
        return "more than a million times"
    return f"{ratio:.3g} times" if ratio < 10 else f"{float(f'{ratio:.2g}'):,.0f} times"


def _figure(metric: Metric, found: float) -> str:
    """A value; an error of less than 2**-25 ulp is known to be that small, and not its digits."""
    return "less than 3e-08" if metric.name == "ulp_error" and 0 < found < 2**-25 else number(found)


def _samples(finding: Finding) -> str:
    return f"{count(finding.samples)} sample{'s' * (finding.samples != 1)}"


def _fresh(advice: Advice) -> list[str]:
    again = advice.confirmed
    passed = _passed(advice)
    if again is None:
        return passed
    found = ", ".join(
        f"{limit.metric.words} {number(again.total[limit.metric.name])}" for limit in advice.limits
    )
    return [*passed, f"confirmed on {_samples(again)} afresh: {found}, no failure"]


def _passed(advice: Advice) -> list[str]:
    """Those that met the limits at first, with what fresh samples showed."""
    passed = advice.passed_over
    more = [f"passed over in the same way: {len(passed) - MOST_PASSED} more"]
    told = [
        f"passed over: {_name(again)}; on fresh samples: {_shortcoming(again, advice)}"
        for again in passed[:MOST_PASSED]
    ]
    return told + more * (len(passed) > MOST_PASSED)


def _shortcoming(finding: Finding, advice: Advice) -> str:
    if finding.reason:
        return visible(finding.reason)
    if finding.failing:
        return _outcomes(finding)
    return ", ".join(
        f"{limit.metric.words} {_figure(limit.metric, finding.total[limit.metric.name])}"
        for limit in advice.limits
    ) + f" ({_samples(finding)})"  # fmt: skip


def _outcomes(finding: Finding) -> str:
    return ", ".join(name.replace("_", " ") for name in finding.failing)


def _reach(advice: Advice) -> list[str]:
    """How much larger the logits can be, in words."""
    found = advice.reach
    if found is None:
        return []
    samples = f"{count(found.samples)} sample{'s' * (found.samples != 1)}"
    larger = f"the same logits {count(found.factor)} times as large"
    if not found.ends:
        return [f"no failure on {larger} either ({samples}); their error was not looked at"]
    if found.factor == 1:
        return [f"on logits twice as large: {visible(found.ends)} ({samples})"]
    twice = count(2 * found.factor)
    return [
        f"no failure on {larger} ({samples}; their error was not looked at);"
        f" {twice} times as large: {visible(found.ends)}"
    ]


def _failing(finding: Finding, advice: Advice) -> list[str]:
    if finding.reason:
        return [f"{_name(finding)}: {visible(finding.reason)}"]
    told = [_name(finding)]
    for name, n in finding.failing.items():
        told.append(f"{count(n)} of {count(finding.components)} results: {MEANING[name]}")
    beyond = [
        _compared(limit, finding)
        for limit in advice.limits
        if limit.excess(finding.total[limit.metric.name]) > 1
    ]
    told += beyond or [
        f"together the errors cancel; its {part} alone is above the limits"
        for part in _alone(finding, advice)
    ]
    at = finding.worst
    if at is not None:
        told += [
            f"on sample {at.sample}, component {at.component}:"
            f" computed {float.fromhex(at.computed)!r} ({at.computed}), exact {at.exact}",
            f"logits as stored: {at.logits}",
        ]
    return told


def _alone(finding: Finding, advice: Advice) -> list[str]:
    """Which parts of the error exceed a limit where the whole does not."""
    parts = {"storage": finding.storage, "arithmetic": finding.arithmetic}
    return [
        name
        for name, part in parts.items()
        if not finding.failing
        and any(limit.excess(part[limit.metric.name]) > 1 for limit in advice.limits)
    ]


def _storing_excess(advice: Advice, dtype: str) -> float:
    storage = advice.storage[dtype]
    return max(limit.excess(storage[limit.metric.name]) for limit in advice.limits)


def _by_dtype(advice: Advice) -> Section:
    """For each dtype its best candidate, and which part of the error is whose."""
    metric = advice.limits[0].metric
    rows: list[tuple[str, ...]] = [
        ("dtype", "storing", "best formula", "its arithmetic", "together", "verdict")
    ]
    for dtype in dict.fromkeys(finding.candidate.dtype for finding in advice.findings):
        own = [finding for finding in advice.findings if finding.candidate.dtype == dtype]
        told = [finding for finding in (advice.recommended, advice.better) if finding in own]
        best = told[0] if told else min(own, key=lambda finding: finding.excess)
        parts = (best.storage, best.arithmetic, best.total)
        storing, arithmetic, total = (_figure(metric, part[metric.name]) for part in parts)
        formula = f"{visible(best.candidate.formula)}, sums in {best.candidate.accumulator}"
        rows.append((dtype, storing, formula, arithmetic, total, _verdict(best, advice)))
    lines = [f"{metric.words}, {_taken(metric)} the samples:"]
    return Section("What storing costs before any formula runs, and what the formula adds",
                   lines, rows)  # fmt: skip


def _tightest(advice: Advice) -> Limit:
    """The limit that decides: the one that the nearest to fail misses most, or has least room."""
    told = advice.nearest or advice.recommended or advice.findings[0]
    return max(advice.limits, key=lambda limit: limit.excess(told.total[limit.metric.name]))


def _verdict(finding: Finding, advice: Advice) -> str:
    if finding.meets:
        return "meets the limits" if advice.meets(finding) else "met them, not on fresh samples"
    if finding.failing:
        return f"fails: {_outcomes(finding)}"
    if _storing_excess(advice, finding.candidate.dtype) > 1:
        return "above: storing alone is"
    return "above the limits"


def _tests(advice: Advice) -> Section:
    assert advice.tolerances is not None
    assert advice.recommended is not None
    t, dtype = advice.tolerances, advice.recommended.candidate.dtype
    return Section(
        f"For tests, y computed and t exact at the same {dtype} logits",
        [
            f"numpy.testing.assert_allclose(y, t, rtol={t.rtol:g}, atol={t.atol:g})",
            f"torch.testing.assert_close(y, t, rtol={t.rtol:g}, atol={t.atol:g})",
            f"in ulps of t: at most {t.max_ulp}",
            f"twice the worst at the logits as stored, fresh samples included, rounded up:"
            f" relative {number(t.relative)}, {number(t.ulps)} ulps",
        ],
    )


def _measured(advice: Advice) -> Section:
    asked, draw, tried = advice.question, advice.question.demand.draw, advice.trial
    source = (
        f"{_vectors(len(asked.x), asked.given)} of {count(draw.n)} logits"
        if asked.x is not None
        else f"{count(asked.demand.samples)} samples of {count(draw.n)} {draw.distribution} logits"
        f" of magnitude {magnitude(draw.magnitude)}, seed {draw.seed}"
    )
    arrive = "" if asked.arrives.name == "float64" else f", which arrive in {asked.arrives.name}"
    witness = tried.testimony
    told = [
        f"{asked.problem} of {source}{arrive}{_beside(asked.demand)}.",
        f"{count(tried.truths)} exact values, proven{_unusual(tried)}; mpmath recomputed"
        f" {count(witness.checked)}, of which"
        f" {count(witness.checked - len(witness.disagreements))} agree.",
        "All figures are of the samples measured, no bounds: other logits can do worse.",
    ]
    if tried.rounded:
        told.append(f"{count(tried.rounded)} logits are no {asked.arrives.name} numbers and were"
                    " rounded to some before anything was measured.")  # fmt: skip
    told += witness.disagreements
    reasons: dict[str, list[str]] = {}
    for candidate, reason in tried.refused:
        reasons.setdefault(reason, []).append(candidate.dtype)
    told += [
        f"Not run, {', '.join(dict.fromkeys(dtypes))}: {visible(reason)}."
        for reason, dtypes in reasons.items()
    ]
    return Section("What this rests on", told)


def _vectors(tried: int, given: int) -> str:
    if tried < given:
        return f"{count(tried)} of the {count(given)} given vectors, spread evenly,"
    return f"{count(given)} given vector{'s' * (given != 1)}"


def _beside(demand: Demand) -> str:
    """What else the question says: offset, masks, parameters, labels."""
    draw = demand.draw
    said = {
        "offset": magnitude(draw.offset) if draw.offset else "",
        "masked": number(draw.masked) if draw.masked else "",
        "base": "" if demand.base is None else f"{demand.base:g}",
        "beta": "" if demand.beta is None else f"{demand.beta:g}",
        "labels": demand.labels,
        "target": demand.target,
    }
    return "".join(f", {name} {value}" for name, value in said.items() if value)


def _unusual(tried: Trial) -> str:
    """How many exact values are no finite numbers, if any."""
    counts = {"infinite": tried.infinite, "not existing": tried.undefined}
    told = [f"{count(n)} {what}" for what, n in counts.items() if n]
    return "".join(f", {one}" for one in [*told, f"{count(tried.undecided)} undecided"])
