"""A question's candidates tried: each result against the exact one, at the logits as they arrive.

Three errors are told apart, in the same metrics and the candidate's dtype:

    total        computed, against the exact result at the logits as they arrive
    arithmetic   computed, against the exact result at the logits as stored
    storage      the exact result at the logits as stored, against that at those that arrive
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from fpstudy.advice.candidate import Candidate, candidate
from fpstudy.advice.metrics import Scores, metrics_of
from fpstudy.advice.question import Question
from fpstudy.arithmetic.outputs import BadOutputError
from fpstudy.cases import Case
from fpstudy.divergences import diverge
from fpstudy.environment.floating_point import steady
from fpstudy.environment.threads import one_thread
from fpstudy.environment.uses import used_by
from fpstudy.errors import SampleErrors, score_samples
from fpstudy.formats import DOUBLE, Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.measurement import Answer, computed, formula_of_case, reason_to_skip
from fpstudy.outcomes import CODE, FAILURES, NAMES
from fpstudy.problems import PROBLEMS, Problem
from fpstudy.reasons import FAULTS, reason_of
from fpstudy.record import exact_parts, exact_text, input_text
from fpstudy.samples import logits, prepare, refusal, stored
from fpstudy.study import StudyError
from fpstudy.truth import State, Truth, enclose
from fpstudy.user_code import NO_CODE
from fpstudy.witness import Testimony, recompute

Metrics = dict[str, float]
Progress = Callable[[int, int], None]  # candidates tried, candidates in all
WITNESSED = 2**17  # mpmath recomputes one sample of up to so many logits: a second or two
FACTORS = tuple(2.0**k for k in range(1, 11))  # how many times as large logits are tried
NOISE = 2.0**-52  # relative, of a result rounded to float64 and held against another
REACHED_LOGITS = 2**17  # of whole samples, at each factor


@dataclass(frozen=True)
class Worst:
    """The sample that a limit is missed by most, or met with least room.

    logits:    as stored, in hex; of a long vector the component's and the largest
    component: the one with the largest error
    computed, exact: of that component, the exact one at the logits as they arrive
    outcome:   of the computed one against the exact one at the logits as stored
    """

    sample: int
    logits: str
    component: int
    computed: str
    exact: str
    outcome: str


@dataclass(frozen=True)
class Finding:
    """What was measured of a candidate.

    samples:    how many vectors of logits
    failing:    components that fail at the logits as stored, by outcome; of subnormals that were
                lost the errors tell
    total, arithmetic, storage: the worst over the samples of every metric (a share for flips)
    excess:     the largest of these over the limit: met up to 1; infinite where something fails.
                Each part counts by itself, so that nothing is met only because errors cancel.
    reason:     why it could not be run to its end, else ""
    """

    candidate: Candidate
    samples: int
    components: int
    failing: dict[str, int]
    total: Metrics
    arithmetic: Metrics
    storage: Metrics
    excess: float
    worst: Worst | None
    reason: str = ""

    @property
    def meets(self) -> bool:
        """Whether all limits are met without a failure, in the samples measured."""
        return self.excess <= 1


@dataclass(frozen=True)
class Reach:
    """How much larger the logits can be before a candidate fails.

    factor:  the largest power of two tried, times which no sample fails, nor at any smaller one
    ends:    what ends it: outcomes, or why the dtype cannot hold the logits; "" if nothing does
    samples: how many were tried, the first ones
    """

    factor: float
    ends: str
    samples: int


@dataclass(frozen=True)
class Trial:
    """What was measured of all candidates.

    refused:   candidates that cannot be run here, with the reason
    truths:    exact values at the logits as they arrive, of which so many are `infinite`, do not
               exist (`undefined`) or are not decided (`undecided`)
    rounded:   logits that were given and are no numbers of the format they are said to arrive in
    testimony: what mpmath found when it recomputed a sample of them
    """

    findings: tuple[Finding, ...]
    refused: tuple[tuple[Candidate, str], ...]
    truths: int
    infinite: int
    undefined: int
    undecided: int
    rounded: int
    testimony: Testimony


def trial(question: Question, progress: Progress = lambda done, total: None) -> Trial:
    """Try every candidate of a question; raises UnsteadyError as `run` does."""
    with one_thread(used_by(question.cases)), steady("advice"):
        return _tried(question, progress)


def _arriving(question: Question) -> Floats:
    """(samples, 1, n): the logits as they arrive."""
    x = logits(question.demand.draw) if question.x is None else question.x[:, None, :]
    return stored(x, (question.arrives,))


def reaches(question: Question, cases: Sequence[Case]) -> list[Reach]:
    """How much larger the logits can be before each case fails; their error is not looked at."""
    x = _arriving(question)
    x = x[: max(1, REACHED_LOGITS // x[0].size)]
    factor, ends = dict.fromkeys(cases, 1.0), dict.fromkeys(cases, "")
    with one_thread(used_by(cases)), steady("advice"):
        for larger in FACTORS:
            with np.errstate(over="ignore"):
                scaled = larger * x
            if (np.isinf(scaled) & np.isfinite(x)).any():  # beyond float64, which carries them
                break
            for f in {case.format for case in cases}:
                going = [case for case in cases if case.format == f and not ends[case]]
                ends |= _ends(going, stored(scaled, (f,)))
            factor |= {case: larger for case in cases if not ends[case]}
    return [Reach(factor[case], ends[case], len(x)) for case in cases]


def _ends(cases: Sequence[Case], x: Floats) -> dict[Case, str]:
    """What fails on these logits, or why a case cannot be run on them; "" where nothing does."""
    if not cases:
        return {}
    problem, inputs = PROBLEMS[cases[0].demand.problem], prepare(cases[0].demand, x)
    answer, found = None, {}
    for case in cases:
        found[case] = reason_to_skip(case, inputs) or ""
        if not found[case]:
            answer = answer or Answer(inputs, enclose(problem, inputs))
            found[case] = _broken(case, answer)
    return found


def _broken(case: Case, answer: Answer) -> str:
    """The outcomes of results that fail, in words; or what the formula raised."""
    try:
        formula = formula_of_case(case, NO_CODE)
        y = computed(case, formula, answer.inputs, answer.truth.hi.shape)
    except FAULTS as error:  # whatever a formula raises ends its reach
        return reason_of(error, 200)
    failing = _failing(_errors(y, answer, case.format))
    return ", ".join(name.replace("_", " ") for name in failing)


def _tried(question: Question, progress: Progress) -> Trial:
    problem, demand = PROBLEMS[question.problem], question.demand
    x = _arriving(question)
    arriving = prepare(demand, x)
    if beyond := refusal(arriving, question.arrives):
        raise StudyError([f"arrives_in: {beyond}"])
    target = Answer(arriving, enclose(problem, arriving))
    hi, state = target.truth.hi, target.truth.state
    if not np.isfinite(hi).any():
        raise StudyError([f"logits: no exact {problem.name} of them is a finite number"])
    findings: list[Finding] = []
    refused: list[tuple[Candidate, str]] = []
    for f, group in groupby(question.cases, key=lambda case: case.format):
        cases = list(group)
        inputs = prepare(cases[0].demand, stored(x, (f,)))
        reasons = [reason_to_skip(case, inputs) for case in cases]
        refused += [(candidate(c), r) for c, r in zip(cases, reasons, strict=True) if r is not None]
        running = [case for case, reason in zip(cases, reasons, strict=True) if reason is None]
        if running:
            own = target if _alike(inputs, arriving) else Answer(inputs, enclose(problem, inputs))
            findings += _of_dtype(question, running, own, target)
        progress(len(findings) + len(refused), len(question.cases))
    first = [0] if arriving.x[0].size <= WITNESSED else []
    return Trial(
        tuple(findings),
        tuple(refused),
        hi.size,
        int(np.isinf(hi).sum()),
        int((state == State.UNDEFINED).sum()),
        int((state == State.UNDECIDED).sum()),
        0 if question.x is None else int((x[:, 0] != question.x).sum()),
        recompute(problem, arriving, target.truth, first),
    )


def _alike(a: Inputs, b: Inputs) -> bool:
    """Whether storing changed nothing."""
    same = all(np.array_equal(p, q) for p, q in zip(a.arrays, b.arrays, strict=True))
    return same and a.parameters == b.parameters


def _of_dtype(
    question: Question, cases: Sequence[Case], own: Answer, target: Answer
) -> Iterator[Finding]:
    """Findings of candidates that store the same."""
    f = cases[0].format
    storage = _storage(PROBLEMS[question.problem], own, target, f)
    for case in cases:
        formula = formula_of_case(case, NO_CODE)
        try:
            y = computed(case, formula, own.inputs, own.truth.hi.shape)
        except BadOutputError as error:
            yield _not_run(case, own, "bad_output", error)
        except FAULTS as error:  # whatever a formula raises is a finding about it
            yield _not_run(case, own, "crashed", error)
        else:
            yield _finding(question, case, y, own, target, storage)


def _errors(y: Floats, answer: Answer, f: Format) -> SampleErrors:
    return score_samples(y, answer.yardsticks(f), answer.inputs.infinite)


def _scores(problem: Problem, y: Floats, answer: Answer, f: Format) -> Scores:
    divergences = diverge(y, answer.targets) if problem.distribution else None
    return Scores(_errors(y, answer, f), divergences)


def _storage(problem: Problem, own: Answer, target: Answer, f: Format) -> Metrics:
    """What storing alone costs: the exact results, to float64, scored against each other.

    What is no larger than that rounding can make it counts as 0.
    """
    if own is target:
        return {metric.name: 0.0 for metric in metrics_of(problem)}
    found = _over(problem, _scores(problem, _as_float64(own.truth), target, f))
    noise = {"ulp_error": 2.0 ** (f.precision - DOUBLE), "kl_divergence": NOISE**2}
    return {name: x if x > noise.get(name, NOISE) else 0.0 for name, x in found.items()}


def _as_float64(t: Truth) -> Floats:
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(t.hi, np.clip(t.exponent, -3000, 3000).astype(np.int32))


def _over(problem: Problem, scores: Scores) -> Metrics:
    return {metric.name: metric.over(scores) for metric in metrics_of(problem)}


def _finding(
    question: Question, case: Case, y: Floats, own: Answer, target: Answer, storage: Metrics
) -> Finding:
    problem = PROBLEMS[question.problem]
    arithmetic = _scores(problem, y, own, case.format)
    total = arithmetic if own is target else _scores(problem, y, target, case.format)
    failing = _failing(arithmetic.errors)
    parts = (_over(problem, total), _over(problem, arithmetic), storage)
    excess = max(
        limit.excess(part[limit.metric.name]) for limit in question.limits for part in parts
    )
    k = _worst_sample(question, total, arithmetic)
    return Finding(
        candidate(case),
        len(y),
        y.size,
        failing,
        *parts,
        np.inf if failing else excess,
        _worst(k, y, own, target, arithmetic.errors, total.errors),
    )


def _failing(errors: SampleErrors) -> dict[str, int]:
    """Components that a user would call broken, by outcome; without the lost subnormals."""
    counts = dict(zip(NAMES, errors.counts.sum(axis=0).tolist(), strict=True))
    counts["spurious_underflow"] -= int(errors.flushed.sum())
    return {name: counts[name] for name in FAILURES if counts[name]}


def _worst_sample(question: Question, total: Scores, arithmetic: Scores) -> int:
    """A sample with a failure, the one with most; else the one nearest to a limit or beyond it."""
    broken = arithmetic.errors.counts[:, [CODE[name] for name in FAILURES]].sum(axis=1)
    broken = broken - arithmetic.errors.flushed
    if broken.any():
        return int(broken.argmax())
    room = np.zeros(len(broken))
    for limit in question.limits:
        values = limit.metric.values(total) / (limit.value or 1.0)
        room = np.fmax(room, values)
    return int(room.argmax())


def _worst(
    k: int, y: Floats, own: Answer, target: Answer, arithmetic: SampleErrors, total: SampleErrors
) -> Worst:
    failed = NAMES[int(arithmetic.outcome[k])] in FAILURES
    errors = arithmetic if failed else total
    j = int(errors.component[k])
    at = (np.array([k]), np.array([j]))
    exact, exponent = exact_parts(target.truth, at)
    return Worst(
        k,
        _input(own.inputs, k, j),
        j,
        float(y.reshape(len(y), -1)[k, j]).hex(),
        exact_text(float(exact[0]), int(exponent[0])),
        NAMES[int(arithmetic.outcome[k])],
    )


def _input(inputs: Inputs, k: int, component: int) -> str:
    """A sample's logits, and its label; of a long vector the logits that the result is about."""
    x = inputs.x[k]
    if inputs.q is None:
        return input_text(x, component)
    q = inputs.q[k]
    target = int(q.argmax())
    label = f"target {target}" if q[target] == 1 else f"largest label {q[target]!r} at {target}"
    return f"{input_text(x, target)}; {label}"


def _not_run(case: Case, own: Answer, outcome: str, error: BaseException) -> Finding:
    problem = PROBLEMS[case.demand.problem]
    everything = {metric.name: math.inf for metric in metrics_of(problem)}
    components = own.truth.hi.size
    return Finding(
        candidate(case), len(own.inputs.x), components, {outcome: components}, everything,
        everything, everything, np.inf, None, reason_of(error),
    )  # fmt: skip
