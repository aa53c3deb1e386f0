"""Laws about dtypes: what each runs out of first, and what a dtype alone does not say."""

from collections.abc import Iterator

from fpstudy.report.laws.law import (
    Law,
    Measured,
    Tables,
    alike,
    at,
    fails,
    names,
    of,
    onset,
    ratio,
    row,
    samples,
    ulps,
    where,
)
from fpstudy.report.numbers import bits

HALVES = ("float16", "bfloat16")


def _libraries(tables: Tables) -> Iterator[Measured]:
    """Each dtype in which several libraries' own softmax was measured."""
    study = "libraries"
    cases = where(tables, study, variant="softmax", formula="library", distribution="uniform")
    for dtype in names(cases):
        own = cases[cases["dtype"] == dtype]
        worst = own.groupby("arithmetic", sort=False)["ulp_error_max"].max().sort_values()
        if len(worst) > 1:
            told = [f"{ulps(float(error))} in {who}" for who, error in worst.items()]
            yield Measured(
                dtype,
                ", ".join(told),
                ratio(float(worst.iloc[-1]), float(worst.iloc[0])) >= 4,
                samples(own),
                row(study, own[own["arithmetic"] == worst.index[-1]]),
            )


def _halves(tables: Tables) -> Iterator[Measured]:
    """Both 16-bit dtypes: where the naive formula fails, and what a good one keeps."""
    study = "magnitude_sweep"
    for problem, formula in (("softmax", "shifted"), ("logsumexp", "log1p")):
        cases = where(tables, study, variant=problem)
        naive = [of(cases, dtype, "naive") for dtype in HALVES]
        good = [at(of(cases, dtype, formula), 1.0) for dtype in HALVES]
        if any(part.empty for part in (*naive, *good)):
            continue
        kept = [float(part["bits_kept_min"].min()) for part in good]
        told = [
            f"in {dtype} naive {fails(part)} and {formula} keeps {bits(least)} bits at 1"
            for dtype, part, least in zip(HALVES, naive, kept, strict=True)
        ]
        yield Measured(
            problem,
            "; ".join(told),
            alike(*naive) and onset(naive[0]) < onset(naive[1]) and kept[0] > kept[1],
            samples(*naive, *good),
            row(study, good[0]),
        )


LIBRARY_DECIDES = Law(
    "A dtype alone has no error: what computes decides",
    "the worst library's largest error is four times the best one's or more, in every dtype",
    "Largest error in ulps of each library's own softmax on the same uniform logits:",
    _libraries,
)
RANGE_OR_DIGITS = Law(
    "float16 runs out of range first, bfloat16 of digits",
    "naive fails at a lesser magnitude in float16, and a good formula keeps more bits there",
    "Normal logits, by their magnitude:",
    _halves,
)
