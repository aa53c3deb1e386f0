"""The rules between the keys of a claim, and the names that its keys may take."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from math import isfinite
from typing import Any

from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS, Problem
from fpstudy.study_file import exact_numbers
from fpstudy.study_file.axes import among
from fpstudy.study_file.exact_numbers import nearest, rational
from fpstudy.study_file.mistakes import (
    MAX_MISTAKES,
    Mistake,
    MistakesError,
    at,
    got,
    quote,
    suggest,
)
from fpstudy.study_file.names import dtype_hint

Rule = Callable[[Any], Iterator[Mistake]]

EQUAL_LOGITS = ("softmax", "logsumexp")
TROUBLES = ("failure", "nan")
THRESHOLDS = ("log(largest)", "log(largest / n)", "none")
EDGES = (
    "exp(x) overflows",
    "exp(x) is 0",
    "exp(x) is subnormal",
    "p rounds to 1",
    "1 + exp(-g) is 1",
    "a sum of ones stands still",
)
ORDERS = ("larger", "smaller", "equal")
LSE_BOUNDS = ("mean + log n", "max", "max + log n")
GRADIENTS = ("p - q", "p sum(q) - q")
FUNCTIONS = ("max", "arg_max", "logsumexp")
QUANTITIES = ("least positive", "largest")
MAX_CURVES = 100  # of a figure, at one inverse temperature each


def formula_name(value: object) -> str:
    """A name; whether the problem has it is a rule between keys."""
    if not isinstance(value, str):
        raise ValueError(f"want the name of a formula, got {got(value)}")
    return value


def side(value: object) -> str:
    """One side of an equality: problem.formula."""
    if not isinstance(value, str):
        raise ValueError(f"want problem.formula, as logsumexp.naive, got {got(value)}")
    known = [f"{name}.{formula}" for name, p in PROBLEMS.items() for formula in p.formulas]
    if value not in known:
        hint = suggest(value, known) or "; see `fpstudy list formulas`"
        raise ValueError(f"{quote(value)} is no problem.formula{hint}")
    return value


def onsets(value: object) -> dict[str, str]:
    """A table of dtype and number."""
    if not isinstance(value, dict):
        raise ValueError(f"want a table, as {{float32 = 88.7}}, got {got(value)}")
    read, mistakes = {}, []
    for key, entry in value.items():
        try:
            read[among(tuple(FORMATS), "a dtype", dtype_hint)(key)] = exact_numbers.finite(entry)
        except ValueError as error:
            mistakes += at((str(key),), error)
    if mistakes:
        raise MistakesError(mistakes)
    return read


def broken(claim: Any) -> list[Mistake]:
    """The mistakes between the keys of a claim, each of which is well by itself."""
    keys = set(type(claim).model_fields)
    found = (mistake for needs, rule in RULES if needs <= keys for mistake in rule(claim))
    return list(islice(found, MAX_MISTAKES + 1))


def dtypes(claim: Any) -> tuple[str, ...]:
    """The dtypes of a claim that has one or several."""
    return (claim.dtype,) if isinstance(claim.dtype, str) else tuple(claim.dtype)


def problems(claim: Any) -> list[Problem]:
    """The problems that a claim speaks of."""
    named = [claim.left, claim.right] if hasattr(claim, "left") else [claim.problem]
    return [PROBLEMS[name.split(".")[0]] for name in named]


def _formula(claim: Any) -> Iterator[Mistake]:
    known = PROBLEMS[claim.problem].formulas
    if claim.formula is None:
        return
    if claim.formula not in known:
        of = f"is not a formula of {claim.problem}; known: {', '.join(known)}"
        sentence = f"{quote(claim.formula)} {of}{suggest(claim.formula, known)}"
        yield Mistake(("formula",), sentence)
        return
    given = {key: 1.0 for key in ("base", "beta") if getattr(claim, key, None) is not None}
    if reason := known[claim.formula].refusal(given):
        yield Mistake(("formula",), f"{claim.formula} {reason}")


def _sides(claim: Any) -> Iterator[Mistake]:
    given = {key: 1.0 for key in ("base", "beta") if getattr(claim, key) is not None}
    for key in ("left", "right"):
        problem, formula = getattr(claim, key).split(".")
        if reason := PROBLEMS[problem].formulas[formula].refusal(given):
            yield Mistake((key,), f"{formula} {reason}")


def _labelled(claim: Any) -> Iterator[Mistake]:
    """Labels or a target where the problem has them, as many as there are logits."""
    named = [key for key in ("labels", "target") if key in claim.model_fields_set]
    wants = any(p.labels for p in problems(claim))
    if not wants:
        for key in named:
            yield Mistake((key,), f"{problems(claim)[0].name} has no labels")
        return
    if claim.logits and len(named) != 1:
        yield Mistake((), "want either labels or a target for the logits")
    if not claim.logits:
        for key in named:
            yield Mistake((key,), "has no effect: random logits get random targets; give logits")
        return
    n = len(claim.logits)
    if claim.labels and len(claim.labels) != n:
        yield Mistake(("labels",), f"{len(claim.labels)} labels for {n} logits")
    for i, label in enumerate(claim.labels):
        if nearest(label) < 0:
            yield Mistake(("labels", i), f"must be >= 0, got {label}")
    if claim.target is not None and claim.target >= n:
        yield Mistake(("target",), f"index {claim.target} lies outside {n} logits")


def _parameters(claim: Any) -> Iterator[Mistake]:
    given = [key for key in ("base", "beta") if getattr(claim, key) is not None]
    if len(given) == 2:
        yield Mistake(("beta",), "base and beta exclude each other: b**x is exp(log(b) x)")
    for key in given:
        for problem in problems(claim):
            if key not in problem.parameters:
                yield Mistake((key,), f"{problem.name} takes no {key}")


def _expected(claim: Any) -> Iterator[Mistake]:
    want = len(claim.logits) if PROBLEMS[claim.problem].vector else 1
    if len(claim.expect) != want:
        numbers = f"{want} number{'s' * (want > 1)}"
        yield Mistake(("expect",), f"{claim.problem} gives {numbers} here, got {len(claim.expect)}")


def _stored(claim: Any) -> Iterator[Mistake]:
    """Every number fits the claim's dtypes."""
    for name in dtypes(claim):
        f = FORMATS[name]
        for key in ("logits", "labels", "base", "beta", "size"):
            value = getattr(claim, key, None)
            for i, entry in enumerate((value,) if isinstance(value, str) else value or ()):
                if key != "base" and abs(nearest(entry)) <= f.largest:
                    continue  # rounds to a finite number
                path = (key,) if isinstance(value, str) else (key, i)
                stored = f.parse(entry)
                if "inf" in entry and not f.infinity:
                    yield Mistake(path, f"{name} has no infinity")
                elif "inf" not in entry and not isfinite(stored):
                    yield Mistake(path, f"{entry} is beyond the largest {name}, {f.largest:.6g}")
                elif key == "base" and not 0 < stored < float("inf"):
                    yield Mistake(path, f"want a finite number above 0, got {entry} (in {name})")


def _random(claim: Any) -> Iterator[Mistake]:
    """Random logits stay inside the dtype: normal numbers beyond 16 never occur."""
    if not 0 < 16 * nearest(claim.magnitude) < FORMATS[claim.dtype].largest:
        yield Mistake(("magnitude",), f"must be > 0 and far inside {claim.dtype}'s range")


def _drawn(claim: Any) -> Iterator[Mistake]:
    """Random or given logits, not both; given ones are finite."""
    if claim.logits:
        for key in ("n", "magnitude", "samples", "seed"):
            if key in claim.model_fields_set:
                yield Mistake((key,), "has no effect beside logits, which are taken as they are")
    for i, entry in enumerate(claim.logits):
        if entry.endswith("inf"):
            yield Mistake(("logits", i), f"must be finite, got {entry}")


def _betas(claim: Any) -> Iterator[Mistake]:
    if beyond := list(_within_range(claim.betas, claim.dtype)):
        yield from beyond
        return
    betas = [nearest(beta) for beta in claim.betas]
    grows = all(0 < a < b or 0 > a > b for a, b in pairwise(betas))
    if len(betas) < 2 or 0 in betas or not grows:
        yield Mistake(("betas",), "want two or more of one sign, growing in size, as [1, 10, 100]")


def _drawn_betas(claim: Any) -> Iterator[Mistake]:
    """A figure's curves are at finite numbers of float64, and no more than one can tell apart."""
    if len(claim.betas) > MAX_CURVES:
        yield Mistake(("betas",), f"want at most {MAX_CURVES} curves, got {len(claim.betas):,}")
    yield from _within_range(claim.betas, "float64")


def _within_range(betas: Sequence[str], dtype: str) -> Iterator[Mistake]:
    largest = FORMATS[dtype].largest
    for i, beta in enumerate(betas):
        if abs(nearest(beta)) > largest:
            yield Mistake(("betas", i), f"{beta} is beyond the largest {dtype}, {largest:.6g}")


def _within(claim: Any) -> Iterator[Mistake]:
    within = nearest(claim.within)
    if within == 0 and rational(claim.within) > 0:
        yield Mistake(("within",), f"{claim.within} is not zero but reads as 0.0 in float64")
    elif within <= 0:
        yield Mistake(("within",), f"must be > 0, got {claim.within}")


def _onset(claim: Any) -> Iterator[Mistake]:
    if claim.threshold is None and not claim.expect:
        yield Mistake(("threshold",), 'missing; write threshold = "log(largest)", or expect')
    yield from _searched(claim)


def _threshold(claim: Any) -> Iterator[Mistake]:
    if claim.expect and len(claim.of) > 1:
        yield Mistake(("expect",), "goes with one name in `of`: write a claim for each")
    if claim.digits is not None and not claim.expect:
        yield Mistake(("digits",), "has no effect without expect")
    yield from _searched(claim)


def _searched(claim: Any) -> Iterator[Mistake]:
    for dtype in claim.expect:
        if dtype not in claim.dtype:
            yield Mistake(("expect", dtype), f"{dtype} is not among the dtypes searched")


def _between_neighbours(claim: Any) -> Iterator[Mistake]:
    f = FORMATS[claim.dtype]
    if not abs(f.parse(claim.size)) < f.largest:
        yield Mistake(("size",), f"has no neighbour above it in {claim.dtype}")


RULES: tuple[tuple[set[str], Rule], ...] = (
    ({"problem", "formula"}, _formula),
    ({"left", "right"}, _sides),
    ({"labels", "target"}, _labelled),
    ({"base", "beta"}, _parameters),
    ({"problem", "logits", "expect"}, _expected),
    ({"dtype"}, _stored),
    ({"magnitude", "samples"}, _random),
    ({"logits", "magnitude"}, _drawn),
    ({"to", "betas"}, _betas),
    ({"within"}, _within),
    ({"size", "betas"}, _drawn_betas),
    ({"size", "betas"}, _between_neighbours),
    ({"trouble", "threshold"}, _onset),
    ({"of", "expect"}, _threshold),
)
