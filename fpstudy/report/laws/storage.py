"""Laws about what is stored and what is computed: rounding the logits, and rounding once."""

from collections.abc import Iterator

import pandas as pd

from fpstudy.report.laws.law import (
    ARROW,
    COMPUTED,
    Law,
    Measured,
    Tables,
    at,
    names,
    ratio,
    row,
    samples,
    where,
)
from fpstudy.report.numbers import bits, count, magnitude, number
from fpstudy.report.variants import computed_by

STUDY = "storage"
MAGNITUDES = (1.0, 10.0, 100.0)


def _growing(tables: Tables) -> Iterator[Measured]:
    """Each format that logits were stored in, as they are."""
    for store, cases in _stores(tables, "downcast").items():
        parts = [at(cases, M)["relative_error_max"] for M in MAGNITUDES]
        if any(part.empty for part in parts):
            continue
        error = [float(part.max()) for part in parts]
        told = [f"{number(e)} at {magnitude(M)}" for e, M in zip(error, MAGNITUDES, strict=True)]
        yield Measured(
            f"stored in {store}",
            ", ".join(told),
            ratio(error[-1], error[0]) >= 100,
            samples(*(at(cases, M) for M in MAGNITUDES)),
            row(STUDY, cases),
        )


def _centred(tables: Tables) -> Iterator[Measured]:
    """Each format that logits were stored in both as they are and without their maximum."""
    plain = _stores(tables, "downcast")
    for store, centred in _stores(tables, "centred_downcast").items():
        both = [at(cases, 10.0) for cases in (plain.get(store, centred[:0]), centred)]
        if any(part.empty for part in both):
            continue
        before, after = (float(part["normwise_error_max"].max()) for part in both)
        yield Measured(
            f"stored in {store}",
            f"{number(before)} as they are, {number(after)} less their maximum",
            ratio(after, before) <= 0.5,
            samples(*both),
            row(STUDY, centred),
        )


def _stores(tables: Tables, stem: str) -> dict[str, pd.DataFrame]:
    """The cases of softmax by the format in which the formula `stem` stores logits."""
    table = where(tables, STUDY, variant="softmax")
    options = {name: name.partition("[store=") for name in names(table, "formula")}
    return {
        store.rstrip("]"): table[table["formula"] == name]
        for name, (own, _, store) in options.items()
        if own == stem and store
    }


def _rounding_once(tables: Tables) -> Iterator[Measured]:
    """Every study with a formula beside the same one computing in another format, by setting."""
    for study, table in tables.items():
        for dtype, who, inside, pairs in _pairs(table):
            gain = pairs["bits_kept_min_inside"] - pairs["bits_kept_min"]
            before, after = ((pairs[name] > 0).sum() for name in ("failing", "failing_inside"))
            yield Measured(
                f"{dtype} ({who}) beside {inside}",
                f"{bits(float(gain.median()))} bits more in the median of {count(len(pairs))}"
                f" cases ({bits(float(gain.min()))} at least, {bits(float(gain.max()))} at most);"
                f" cases with a failure {count(before)} {ARROW} {count(after)}",
                bool(gain.median() > 0 and (gain >= 0).mean() >= 0.95),
                2 * samples(pairs),
                row(study, pairs),
            )


_SAME = [
    "variant", "formula", "dtype", "arithmetic", "accumulation", "n", "distribution", "magnitude",
    "offset", "base", "beta", "target", "labels", "ignored", "masked", "inputs", "samples",
]  # fmt: skip


def _pairs(table: pd.DataFrame) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Dtype, what computed in it, the wider format inside, and the cases of formulas with both.

    Wider is what has more bits of precision. The columns of the cases that compute in that format
    end in "_inside".
    """
    parts = table["formula"].astype(str).str.extract(COMPUTED)
    wide = table.assign(formula=parts[0], inside=parts[1])
    wide = wide[wide["inside_precision"] > wide["precision"]]
    columns = [*_SAME, "bits_kept_min", "failing"]
    both = table[columns].merge(wide[[*columns, "inside"]], on=_SAME, suffixes=("", "_inside"))
    both = both.dropna(subset=["bits_kept_min", "bits_kept_min_inside"])
    keys = ["dtype", "arithmetic", "accumulation", "inside"]
    for (dtype, arithmetic, accumulation, inside), pairs in both.groupby(keys, sort=False):
        yield str(dtype), computed_by(str(arithmetic), str(accumulation)), str(inside), pairs


STORAGE_FIXES_MAGNITUDE = Law(
    "Only storage fixes magnitude",
    "the largest relative error grows a hundredfold or more from magnitude 1 to 100, in every"
    " format that logits were stored in",
    "Largest relative error of a probability, by the magnitude of normal logits that were stored"
    " in a narrower format and all else computed in float64:",
    _growing,
)
CENTRE_BEFORE_STORING = Law(
    "Subtract the maximum before storing logits",
    "the normwise error becomes half as large or less, in every format that logits were stored in",
    "Largest normwise error of softmax, normal logits of magnitude 10 stored in a narrower format"
    " and all else computed in float64:",
    _centred,
)
ROUND_ONCE = Law(
    "Compute in float32 and round once",
    "the same formula keeps more bits in the median case, and fewer in one case of twenty at most,"
    " in every dtype",
    "The same formula on the same logits, first operation by operation in the dtype, then in a"
    " wider format and rounded once:",
    _rounding_once,
)
