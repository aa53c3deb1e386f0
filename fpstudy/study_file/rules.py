"""The rules between the keys of a sweep: each yields the mistakes that it finds."""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from math import isinf

from fpstudy.arithmetic import adds, usual
from fpstudy.arithmetic.evaluators import formulas
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS, Formula, named
from fpstudy.problems.problem import options_of
from fpstudy.study_file.entries import GENERATED, TARGETED
from fpstudy.study_file.mistakes import MAX_MISTAKES, Mistake, quote, suggest
from fpstudy.study_file.settings import Settings

Rule = Callable[[Settings], Iterator[Mistake]]


def broken(sweep: Settings, unsure: Collection[str] = ()) -> list[Mistake]:
    """The mistakes between keys; rules that look at an `unsure` key are left out."""
    sure = (rule for keys, rule in RULES if not set(keys) & set(unsure))
    return list(islice((mistake for rule in sure for mistake in rule(sweep)), MAX_MISTAKES + 1))


def _given(sweep: Settings, *keys: str) -> list[str]:
    return [key for key in keys if key in sweep.model_fields_set]


def _named_formulas(sweep: Settings) -> Iterator[Mistake]:
    """Every name is a formula of some problem here, and every problem has one of the names."""
    if sweep.formula == ("all",):
        return
    known: dict[str, Formula] = {}
    for problem in sweep.problem:
        for arithmetic in sweep.arithmetic:
            known |= formulas(problem, arithmetic)
    first: dict[object, int] = {}
    for i, name in enumerate(sweep.formula):
        if name == "all":
            yield Mistake(("formula", i), "'all' stands alone: it means every formula")
            continue
        if ":" in name:
            continue
        try:
            found = named(known, name)
        except ValueError as error:
            yield Mistake(("formula", i), f"{quote(name)}: {error}")
            continue
        if found is None:
            here = f"known: {', '.join(sorted(known))}{suggest(name, known)}"
            of = " or ".join(sweep.problem)
            yield Mistake(("formula", i), f"{quote(name)} is not a formula of {of}; {here}")
        elif "," in name:  # several options, in any order
            choice = (name.partition("[")[0], frozenset(options_of(name).items()))
            before = first.setdefault(choice, i)
            if before != i:
                same = f"{quote(name)} is the same as {quote(sweep.formula[before])}"
                yield Mistake(("formula", i), f"{same} at [{before + 1}]")
    if any(":" in name for name in sweep.formula):
        return
    stems = {name.partition("[")[0] for name in sweep.formula}
    for i, problem in enumerate(sweep.problem):
        has = {name for how in sweep.arithmetic for name in formulas(problem, how)}
        if stems <= set(known) and not stems & has:
            here = ", ".join(sorted(has))
            yield Mistake(("problem", i), f"{problem} has none of these formulas; known: {here}")


def _accumulations(sweep: Settings) -> Iterator[Mistake]:
    """Every accumulation is some arithmetic's here, and every arithmetic has one of them."""
    for i, name in enumerate(sweep.accumulation):
        if not any(adds(arithmetic, name) for arithmetic in sweep.arithmetic):
            knows = "only rounded knows it" if name != "native" else "rounded has no native sum"
            here = " and ".join(sweep.arithmetic)
            yield Mistake(("accumulation", i), f"{here} cannot add up {name}: {knows}")
    for i, arithmetic in enumerate(sweep.arithmetic):
        if sweep.accumulation and not any(adds(arithmetic, name) for name in sweep.accumulation):
            wanted = f'add "{usual(arithmetic)}" to accumulation, or leave {arithmetic} out'
            yield Mistake(("arithmetic", i), f"{arithmetic} knows none of these sums; {wanted}")


def _own_formats(sweep: Settings) -> Iterator[Mistake]:
    """A format of the study's own is carried out by `rounded` alone."""
    for i, name in enumerate(sweep.dtype):
        if name not in FORMATS and "rounded" not in sweep.arithmetic:
            sentence = f'only arithmetic = "rounded" carries out a format of your own, {name}'
            yield Mistake(("dtype", i), sentence)


def _source_of_logits(sweep: Settings) -> Iterator[Mistake]:
    """`vectors` and `file` come with their distribution, and it with them."""
    for key, distribution in (("vectors", "explicit"), ("file", "file")):
        given, wanted = _given(sweep, key), distribution in sweep.distribution
        if wanted and not given:
            yield Mistake((key,), f'missing; distribution = "{distribution}" needs it')
        if given and not wanted:
            yield Mistake((key,), f'has no effect without distribution = "{distribution}"')


def _drawn(sweep: Settings) -> Iterator[Mistake]:
    """`n` and `magnitude` only where logits are drawn; of a file every row is a sample."""
    if not set(GENERATED) & set(sweep.distribution):
        for key in _given(sweep, "n", "magnitude"):
            yield Mistake((key,), "has no effect: given logits have their own; leave it out")
    if set(sweep.distribution) == {"file"}:
        reduced = {"mean", "sum"} & set(sweep.reduction)  # else batch has another mistake
        for key in _given(sweep, "samples", *(["batch"] if reduced else [])):
            what = "each row is a sample" if key == "samples" else "it is one batch"
            yield Mistake((key,), f"has no effect: the file is taken whole, {what}")


def _finite_logits(sweep: Settings) -> Iterator[Mistake]:
    """No drawn or given logit overflows float64; normal numbers beyond 16 never occur."""
    offset = max(map(abs, sweep.offset))
    reach = 16.0 if "normal" in sweep.distribution else 1.0
    if set(GENERATED) & set(sweep.distribution):
        for i, magnitude in enumerate(sweep.magnitude):
            if isinf(reach * magnitude + offset):
                yield Mistake(("magnitude", i), f"logits of {magnitude:g} overflow float64")
    yield from overflows(sweep, [abs(x) for vector in sweep.vectors for x in vector])


def overflows(sweep: Settings, sizes: Iterable[float]) -> Iterator[Mistake]:
    """No offset takes a finite logit of these sizes beyond float64."""
    largest = max((size for size in sizes if not isinf(size)), default=0.0)
    for i, offset in enumerate(sweep.offset):
        if isinf(largest + abs(offset)):
            yield Mistake(("offset", i), f"logits of {largest:g} and {offset:g} overflow float64")


def _base_or_beta(sweep: Settings) -> Iterator[Mistake]:
    """One of base and beta, and only for problems that have it."""
    given = _given(sweep, "base", "beta")
    if len(given) == 2:
        yield Mistake(("beta",), "base and beta exclude each other: b**x is exp(log(b) x)")
    for key in given:
        takers = {name for name, p in PROBLEMS.items() if key in p.parameters}
        others = [name for name in sweep.problem if name not in takers]
        if others:
            yield Mistake((key,), f"{' and '.join(others)} cannot take it, only {_all(takers)} can")


def _labelled(sweep: Settings) -> Iterator[Mistake]:
    """Target and labels only where some problem takes labels."""
    takers = {name for name, problem in PROBLEMS.items() if problem.labels}
    yield from _needed(sweep, ("target", "labels"), takers)
    if takers & set(sweep.problem) and not set(TARGETED) & set(sweep.labels):
        for key in _given(sweep, "target"):
            yield Mistake((key,), f"has no effect: only {' and '.join(TARGETED)} labels have one")


def _reduced(sweep: Settings) -> Iterator[Mistake]:
    """A reduction only where some problem has one; what belongs to batches only with it."""
    yield from _needed(sweep, ("reduction",), {n for n, p in PROBLEMS.items() if p.reductions})
    reduced = {"mean", "sum"} & set(sweep.reduction)
    for key in _given(sweep, "batch", "ignored", "ignore_index"):
        if not reduced:
            yield Mistake((key,), 'has no effect without reduction = "mean" or "sum"')
    if reduced and _given(sweep, "ignored"):
        if "none" in sweep.reduction:
            yield Mistake(("ignored",), 'a single loss has no batch: leave reduction "none" out')
        if sweep.labels != ("hard",):
            yield Mistake(("ignored",), 'only hard labels have a target to ignore: labels = "hard"')
    if reduced and _given(sweep, "ignore_index") and not _given(sweep, "ignored"):
        yield Mistake(("ignore_index",), "has no effect without ignored, a share of the rows")


def _needed(sweep: Settings, keys: Collection[str], takers: set[str]) -> Iterator[Mistake]:
    """The keys speak to some problem of the sweep; the others do without."""
    if not takers & set(sweep.problem):
        for key in _given(sweep, *keys):
            none = " and ".join(sweep.problem)
            yield Mistake((key,), f"{none} cannot take it, only {_all(takers)} can")


def _all(problems: Collection[str]) -> str:
    return " and ".join(sorted(problems))


def _fitting_lengths(sweep: Settings) -> Iterator[Mistake]:
    """Targets and labels fit the vectors whose lengths are known without opening a file."""
    if n := lengths(sweep):
        yield from misfits(sweep, n)


def misfits(sweep: Settings, n: list[int]) -> Iterator[Mistake]:
    """A target index lies in every vector, and a vector of labels is as long as every vector.

    n: the lengths of the vectors, one or more
    """
    for i, target in enumerate(sweep.target):
        if isinstance(target, int) and target >= min(n):
            yield Mistake(("target", i), f"index {target} lies outside vectors of length {min(n)}")
    for i, labels in enumerate(sweep.labels):
        others = [length for length in n if length != len(labels)]
        if not isinstance(labels, str) and others:
            yield Mistake(
                ("labels", i), f"{len(labels)} labels do not fit vectors of length {others[0]}"
            )


def lengths(sweep: Settings) -> list[int]:
    """The lengths of the sweep's vectors, as far as they are known without opening its file."""
    generated = set(GENERATED) & set(sweep.distribution)
    return [*(sweep.n if generated else ()), *map(len, sweep.vectors)]


RULES: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (("problem", "formula"), _named_formulas),
    (("arithmetic", "accumulation"), _accumulations),
    (("dtype", "arithmetic"), _own_formats),
    (("distribution", "vectors", "file"), _source_of_logits),
    (("distribution", "n", "magnitude", "samples", "batch", "reduction"), _drawn),
    (("distribution", "magnitude", "offset", "vectors"), _finite_logits),
    (("problem", "base", "beta"), _base_or_beta),
    (("problem", "target", "labels"), _labelled),
    (("problem", "labels", "reduction", "batch", "ignored", "ignore_index"), _reduced),
    (("distribution", "n", "vectors", "target", "labels"), _fitting_lengths),
)
