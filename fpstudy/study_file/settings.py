"""The keys of a sweep, each by itself: what may be written, what it means, its default."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from fpstudy.arithmetic import EVALUATORS
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS
from fpstudy.study_file import entries
from fpstudy.study_file.axes import Scale, among, axis, scaled
from fpstudy.study_file.elsewhere import COMMAND_LINE
from fpstudy.study_file.entries import DISTRIBUTIONS, INPUTS, LABELS, MAX_N, REDUCTIONS, TARGETS
from fpstudy.study_file.json_schema import (
    EXTENDED,
    integers,
    names,
    numbers,
    one_or_some,
    some,
)
from fpstudy.study_file.names import arithmetic_hint
from fpstudy.study_file.numbers import extended, finite, integer, positive, share
from fpstudy.study_file.table import Table

MAX_SAMPLES = 10**6  # the largest of a million errors is still no bound; more rows show no more
INT64 = 2**63 - 1  # what labels are stored in

SCALE = Scale.model_json_schema()

Problems = Annotated[
    tuple[str, ...],
    BeforeValidator(axis(among(tuple(PROBLEMS), "a problem"))),
    WithJsonSchema(one_or_some(names(PROBLEMS))),
]
Formulas = Annotated[
    tuple[str, ...],
    BeforeValidator(axis(entries.formula)),
    WithJsonSchema(one_or_some({"type": "string"})),
]
Dtypes = Annotated[
    tuple[str, ...],
    BeforeValidator(entries.dtypes),
    WithJsonSchema(one_or_some({"anyOf": [names(FORMATS), {"type": "string"}]})),
]
Arithmetics = Annotated[
    tuple[str, ...],
    BeforeValidator(axis(among(EVALUATORS, "an arithmetic", arithmetic_hint))),
    WithJsonSchema(one_or_some(names(EVALUATORS))),
]
Accumulations = Annotated[
    tuple[str, ...],
    BeforeValidator(axis(entries.accumulation)),
    WithJsonSchema(one_or_some({"type": "string"})),
]
Lengths = Annotated[
    tuple[int, ...],
    BeforeValidator(axis(integer(1, MAX_N, "1 .. 2**24"))),
    WithJsonSchema(one_or_some(integers(1, MAX_N))),
]
Magnitudes = Annotated[
    tuple[float, ...],
    BeforeValidator(scaled(positive)),
    WithJsonSchema({"anyOf": [*one_or_some(numbers(exclusiveMinimum=0))["anyOf"], SCALE]}),
]
Offsets = Annotated[
    tuple[float, ...],
    BeforeValidator(scaled(finite)),
    WithJsonSchema({"anyOf": [*one_or_some(numbers())["anyOf"], SCALE]}),
]
Distributions = Annotated[
    tuple[str, ...],
    BeforeValidator(axis(among(DISTRIBUTIONS, "a distribution"))),
    WithJsonSchema(one_or_some(names(DISTRIBUTIONS))),
]
Vectors = Annotated[
    tuple[tuple[float, ...], ...],
    BeforeValidator(axis(entries.logits)),
    WithJsonSchema(some(some(EXTENDED))),
]
LogitFile = Annotated[
    Path | None, BeforeValidator(entries.file), WithJsonSchema({"type": "string"})
]
Bases = Annotated[
    tuple[float | None, ...],
    BeforeValidator(axis(positive)),
    WithJsonSchema(one_or_some(numbers(exclusiveMinimum=0))),
]
Betas = Annotated[
    tuple[float | None, ...], BeforeValidator(axis(extended)), WithJsonSchema(one_or_some(EXTENDED))
]
Targets = Annotated[
    tuple[str | int, ...],
    BeforeValidator(axis(entries.target)),
    WithJsonSchema(one_or_some(names(TARGETS), integers(0, MAX_N - 1))),
]
Labels = Annotated[
    tuple[str | tuple[float, ...], ...],
    BeforeValidator(axis(entries.label)),
    WithJsonSchema(
        {"anyOf": [names(LABELS), some({"anyOf": [names(LABELS), some(numbers(minimum=0))]})]}
    ),
]
Reductions = Annotated[
    tuple[str, ...],
    BeforeValidator(axis(among(REDUCTIONS, "a reduction"))),
    WithJsonSchema(one_or_some(names(REDUCTIONS))),
]
Shares = Annotated[
    tuple[float, ...],
    BeforeValidator(axis(share)),
    WithJsonSchema(one_or_some(numbers(minimum=0, maximum=1))),
]
Count = Annotated[
    int,
    BeforeValidator(integer(1, MAX_SAMPLES, "1 .. 10**6")),
    WithJsonSchema(integers(1, MAX_SAMPLES)),
]
Index = Annotated[
    int,
    BeforeValidator(integer(-INT64 - 1, INT64, "an int64")),
    WithJsonSchema(integers(-INT64 - 1, INT64)),
]
Inputs = Annotated[
    str, BeforeValidator(among(INPUTS, "a kind of inputs")), WithJsonSchema(names(INPUTS))
]
Tolerance = Annotated[float, BeforeValidator(positive), WithJsonSchema(numbers(exclusiveMinimum=0))]


class Settings(Table):
    """What [defaults] may hold: any key of a sweep, none of them required."""

    elsewhere: ClassVar = COMMAND_LINE | dict.fromkeys(
        ("schema", "name", "title", "question", "seed", "engine"),
        "it belongs to the study, above the first [table] of the file",
    )

    problem: Problems = Field(default=(), description="the problems, by name")
    formula: Formulas = Field(
        default=("all",),
        description='"all", or the names of formulas; each must belong to a problem here',
    )
    dtype: Dtypes = Field(
        default=(), description="number formats of inputs, arithmetic and results"
    )
    arithmetic: Arithmetics = Field(default=("numpy",), description="what carries the formulas out")
    accumulation: Accumulations = Field(
        default=(),
        description='how sums are added up: "native", or for rounded "sequential", "pairwise",'
        ' "blocked", "kahan", "neumaier", "exact", each also in a wider format ("kahan:float32")',
    )
    n: Lengths = Field(default=(10,), description="lengths of the vectors of logits, 1 .. 2**24")
    magnitude: Magnitudes = Field(
        default=(1.0,), description="factors on the logits, > 0; a list, or a table {scale, ...}"
    )
    offset: Offsets = Field(
        default=(0.0,), description="added to all logits before they are rounded to the dtype"
    )
    distribution: Distributions = Field(
        default=("normal",),
        description="how logits are drawn; explicit takes `vectors`, file takes `file`",
    )
    vectors: Vectors = Field(
        default=(), description='logits as given, with distribution = "explicit"'
    )
    file: LogitFile = Field(
        default=None,
        description="logits in a .npy, .npz or .csv file, relative to the study file's folder",
    )
    base: Bases = Field(default=(None,), description="softmax with b**x for exp(x); excludes beta")
    beta: Betas = Field(
        default=(None,), description="softmax of beta x, infinities allowed; excludes base"
    )
    target: Targets = Field(
        default=("random",),
        description="the true class: drawn, the largest or least logit, or an index",
    )
    labels: Labels = Field(
        default=("hard",), description="kinds of labels, or vectors of label weights"
    )
    reduction: Reductions = Field(
        default=("none",), description="of a batch of losses: none, mean or sum"
    )
    batch: Count = Field(default=32, description="rows of a batch, with reduction mean or sum")
    ignored: Shares = Field(
        default=(0.0,), description="share of a batch's targets that are ignore_index"
    )
    ignore_index: Index = Field(default=-100, description="the target of a row that does not count")
    masked: Shares = Field(default=(0.0,), description="share of a vector's entries that are -inf")
    samples: Count = Field(default=16, description="inputs drawn for each case, 1 .. 10**6")
    inputs: Inputs = Field(
        default="shared",
        description="whether all dtypes see the same numbers, or each rounds its own",
    )
    tolerance: Tolerance = Field(
        default=4.0, description="error in ulps that still counts as accurate"
    )
