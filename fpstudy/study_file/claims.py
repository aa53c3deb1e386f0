"""The claims of a study file: statements that somebody made, each to be checked by measurement.

A kind of claim is a model here and a function in `fpstudy.claims`; KINDS lists them. What a claim
asserts are its keys; whether that is so is never written in the file.
"""

from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BeforeValidator, Field, Strict, WithJsonSchema, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler, WrapValidator
from pydantic_core.core_schema import ValidationInfo

from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS
from fpstudy.study_file import claim_rules, exact_numbers
from fpstudy.study_file.axes import among, axis
from fpstudy.study_file.json_schema import integers, names, one_or_some
from fpstudy.study_file.mistakes import Mistake, MistakesError, at, got
from fpstudy.study_file.names import dtype_hint
from fpstudy.study_file.numbers import HEX_PATTERN, integer
from fpstudy.study_file.settings import INT64
from fpstudy.study_file.table import Table, check_found, found
from fpstudy.study_file.texts import text

MAX_DIGITS = 100
MAX_SAMPLES = 10_000  # random vectors of one claim: seconds of Arb
MAX_DRAWN = 10_000  # their length
MAX_TERMS = 100_000  # equal logits of an onset: float16's sum overflows from 65,520 on

_NUMBER = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": HEX_PATTERN}]}
_RESULT = {"anyOf": [*_NUMBER["anyOf"], names(("inf", "-inf", "nan"))]}


def _prose(longest: int) -> Any:
    read = text(longest)

    def some(value: object) -> str:
        if not read(value).strip():
            raise ValueError("must not be empty")
        return read(value).strip()

    return BeforeValidator(some)


def _one_of(known: Any, what: str) -> Any:
    """Annotations of one of a few names."""
    return BeforeValidator(among(tuple(known), what)), WithJsonSchema(names(known))


def _from_to(least: int, most: int) -> Any:
    """Annotations of an integer in least .. most."""
    read = integer(least, most, f"{least:,} .. {most:,}")
    return BeforeValidator(read), WithJsonSchema(integers(least, most))


Number = Annotated[str, BeforeValidator(exact_numbers.finite), WithJsonSchema(_NUMBER)]
Parameter = Annotated[str | None, BeforeValidator(exact_numbers.number), WithJsonSchema(_RESULT)]
FiniteParameter = Annotated[
    str | None, BeforeValidator(exact_numbers.finite), WithJsonSchema(_NUMBER)
]
Vector = Annotated[
    tuple[str, ...],
    BeforeValidator(exact_numbers.vector(exact_numbers.number)),
    WithJsonSchema(one_or_some(_RESULT)),
]
Finite = Annotated[
    tuple[str, ...],
    BeforeValidator(exact_numbers.vector(exact_numbers.finite)),
    WithJsonSchema(one_or_some(_NUMBER)),
]
Results = Annotated[
    tuple[str, ...],
    BeforeValidator(exact_numbers.vector(exact_numbers.result)),
    WithJsonSchema(one_or_some(_RESULT)),
]
Result = Annotated[str, BeforeValidator(exact_numbers.result), WithJsonSchema(_RESULT)]
Betas = Annotated[
    tuple[str, ...],
    BeforeValidator(axis(exact_numbers.finite)),
    WithJsonSchema(one_or_some(_NUMBER)),
]
Digits = Annotated[int, *_from_to(1, MAX_DIGITS)]
Index = Annotated[int | None, *_from_to(0, exact_numbers.MAX_ENTRIES - 1)]
Dtype = Annotated[
    str,
    BeforeValidator(among(tuple(FORMATS), "a dtype", dtype_hint)),
    WithJsonSchema(names(FORMATS)),
]
Dtypes = Annotated[
    tuple[str, ...],
    BeforeValidator(axis(among(tuple(FORMATS), "a dtype", dtype_hint))),
    WithJsonSchema(one_or_some(names(FORMATS))),
]
ProblemName = Annotated[str, *_one_of(PROBLEMS, "a problem")]
Onsets = Annotated[
    dict[str, str],
    BeforeValidator(claim_rules.onsets),
    WithJsonSchema(
        {"type": "object", "propertyNames": names(FORMATS), "additionalProperties": _NUMBER}
    ),
]
Edges = Annotated[
    tuple[str, ...],
    BeforeValidator(axis(among(claim_rules.EDGES, "an edge"))),
    WithJsonSchema(one_or_some(names(claim_rules.EDGES))),
]
FormulaName = Annotated[
    str, BeforeValidator(claim_rules.formula_name), WithJsonSchema({"type": "string"})
]


class Claim(Table):
    """A statement, who made it, and what to say besides the evidence."""

    required: ClassVar = {"says": 'says = "..."', "kind": 'kind = "computed"'}

    says: Annotated[str, _prose(600)] = Field(description="the statement, in a sentence")
    source: Annotated[str, BeforeValidator(text(300))] = Field(
        default="", description="who said it, and where"
    )
    note: Annotated[str, BeforeValidator(text(1_000))] = Field(
        default="", description="shown after the evidence: for example what would be right"
    )

    @model_validator(mode="after")
    def _keys_together(self) -> Self:
        if mistakes := claim_rules.broken(self):
            raise MistakesError(mistakes)
        return self


class Inputs(Claim):
    """A claim about inputs; their numbers are rounded once, to the dtype."""

    required: ClassVar = Claim.required | {
        "problem": 'problem = "softmax"',
        "logits": "logits = [1000, 0]",
        "expect": "expect = [1, 0]",
        "formula": 'formula = "naive"',
    }

    logits: Vector = Field(description="a vector of logits")
    labels: Finite = Field(default=(), description="a vector of label weights")
    target: Index = Field(default=None, description="or the index of a hard label")
    base: Parameter = Field(default=None, description="softmax with b**x for exp(x)")
    beta: Parameter = Field(default=None, description="softmax of beta x, infinities allowed")

    @property
    def parameters(self) -> dict[str, str]:
        """Base or beta, where given."""
        given = {"base": self.base, "beta": self.beta}
        return {name: value for name, value in given.items() if value is not None}


class Given(Inputs):
    """A claim about a problem at one vector of logits."""

    problem: ProblemName = Field(description="the problem, by name")


class Random(Claim):
    """A claim about all inputs, tried at random normal logits."""

    dtype: Dtype = Field(default="float64", description="the format of the logits")
    n: Annotated[int, *_from_to(1, MAX_DRAWN)] = Field(default=10, description="their number")
    magnitude: Number = Field(default="10", description="their standard deviation")
    samples: Annotated[int, *_from_to(1, MAX_SAMPLES)] = Field(
        default=100, description="how many random vectors"
    )
    seed: Annotated[int, *_from_to(0, INT64)] = Field(
        default=0, description="of the random vectors"
    )


class Drawn(Inputs, Random):
    """A claim about all inputs, tried at random normal logits or at given ones."""

    logits: Vector = Field(default=(), description="a vector, instead of random ones")


class Computed(Given):
    """A formula in a dtype gives `expect` at the logits."""

    kind: Literal["computed"] = Field(description="a formula's result in a dtype")
    formula: FormulaName = Field(description="a formula of the problem")
    dtype: Dtypes = Field(default=("float32",), description="every dtype in which it holds")
    expect: Results = Field(description="the result; rounded to the dtype unless digits are given")
    digits: Digits | None = Field(default=None, description="significant digits that agree")


class Exact(Given):
    """The exact value at the logits is `expect`."""

    kind: Literal["exact"] = Field(description="the certified value")
    dtype: Dtype = Field(default="float64", description="the format of the inputs")
    expect: Results = Field(description="the value")
    digits: Digits = Field(default=17, description="significant digits that agree")


class Onset(Claim):
    """Where a formula begins to fail as the logit M of n equal ones grows."""

    required: ClassVar = Given.required
    kind: Literal["onset"] = Field(description="the largest equal logits before a trouble")
    problem: Annotated[str, *_one_of(claim_rules.EQUAL_LOGITS, "a problem of equal logits")] = (
        Field(description="the problem")
    )
    formula: FormulaName = Field(description="a formula of the problem")
    dtype: Dtypes = Field(description="the dtypes to search")
    n: Annotated[int, *_from_to(1, MAX_TERMS)] = Field(default=1, description="how many logits")
    trouble: Annotated[str, *_one_of(claim_rules.TROUBLES, "a trouble")] = Field(
        default="failure", description='what to look for: "failure" (0, inf or NaN) or "nan"'
    )
    threshold: Annotated[str | None, *_one_of(claim_rules.THRESHOLDS, "a threshold")] = Field(
        default=None, description="the claimed onset in every dtype; or expect"
    )
    then: Result | None = Field(
        default=None, description="the result just above the onset, in every dtype"
    )
    expect: Onsets = Field(
        default_factory=dict, description="the claimed onset in some dtypes: {float32 = 88.7}"
    )
    digits: Digits = Field(default=3, description="significant digits of expect that agree")


class Threshold(Claim):
    """The numbers at which a format runs out, with every operation correctly rounded."""

    required: ClassVar = Claim.required | {"of": 'of = "exp(x) overflows"'}
    kind: Literal["threshold"] = Field(description="where exp, a probability or a sum runs out")
    of: Edges = Field(description="what runs out; several for one table of them")
    dtype: Dtypes = Field(default=tuple(FORMATS), description="the dtypes to search")
    expect: Onsets = Field(
        default_factory=dict,
        description="the claimed last number before it (of a sum: where it stands still), by dtype",
    )
    digits: Digits | None = Field(
        default=None, description="significant digits of expect that agree; else the number itself"
    )


class Order(Given):
    """Larger logits get larger (smaller, equal) values."""

    kind: Literal["order"] = Field(description="what larger logits get")
    problem: Annotated[str, *_one_of(("softmax", "log_softmax"), "a problem here")] = Field(
        default="softmax", description="the problem"
    )
    dtype: Dtype = Field(default="float64", description="the format of the inputs")
    logits: Finite = Field(description="a vector of logits")
    beta: FiniteParameter = Field(default=None, description="softmax of beta x")
    larger_get: Annotated[str, *_one_of(claim_rules.ORDERS, "an order")] = Field(
        description="larger, smaller or equal"
    )


class Limit(Claim):
    """As |beta| grows, softmax(beta x) (or the arg max, which has no beta) nears a limit."""

    required: ClassVar = Claim.required | {
        "logits": "logits = [3, 1, 2]",
        "betas": "betas = [1, 10, 100]",
        "to": 'to = "arg_max"',
    }
    kind: Literal["limit"] = Field(description="the limit of large inverse temperatures")
    of: Annotated[str, *_one_of(("softmax", "arg_max"), "a function here")] = Field(
        default="softmax", description="what is said to converge"
    )
    to: Annotated[str, *_one_of(("arg_max", "arg_min"), "a limit")] = Field(
        description="the limit, uniform over ties"
    )
    logits: Finite = Field(description="a vector of logits")
    betas: Betas = Field(description="inverse temperatures of one sign, growing in size")
    within: Number = Field(default="1e-9", description="the distance at the last beta is below")
    dtype: Dtype = Field(default="float64", description="the format of the inputs")


class Equal(Drawn):
    """Two formulas are the same function, problem by problem and formula by formula."""

    kind: Literal["equal"] = Field(description="two formulas mean the same")
    left: Annotated[str, BeforeValidator(claim_rules.side)] = Field(
        description="problem.formula, as logsumexp.naive"
    )
    right: Annotated[str, BeforeValidator(claim_rules.side)] = Field(
        description="problem.formula, as logsumexp.shifted"
    )
    required: ClassVar = Given.required | {
        "left": 'left = "logsumexp.naive"',
        "right": 'right = "logsumexp.shifted"',
    }


class Between(Drawn):
    """Log-sum-exp lies between two bounds."""

    required: ClassVar = Given.required | {"low": 'low = "max"', "high": 'high = "max + log n"'}
    kind: Literal["between"] = Field(description="bounds of log-sum-exp")
    problem: Annotated[str, *_one_of(("logsumexp",), "a problem here")] = Field(
        default="logsumexp", description="the problem"
    )
    low: Annotated[str, *_one_of(claim_rules.LSE_BOUNDS, "a bound")] = Field(
        description="bound from below"
    )
    high: Annotated[str, *_one_of(claim_rules.LSE_BOUNDS, "a bound")] = Field(
        description="bound from above"
    )


class Inside(Drawn):
    """Softmax lies in the open interval (0, 1): exactly, or as a formula computes it."""

    kind: Literal["inside"] = Field(description="probabilities are above 0 and below 1")
    problem: Annotated[str, *_one_of(("softmax",), "a problem here")] = Field(
        default="softmax", description="the problem"
    )
    formula: FormulaName | None = Field(
        default=None, description="a formula to run; the exact value without"
    )


class Sum(Drawn):
    """Softmax sums to 1: exactly, or as a formula computes it."""

    kind: Literal["sum"] = Field(description="probabilities sum to 1")
    problem: Annotated[str, *_one_of(("softmax",), "a problem here")] = Field(
        default="softmax", description="the problem"
    )
    formula: FormulaName | None = Field(
        default=None, description="a formula to run; the exact value without"
    )


class Convex(Random):
    """A scalar problem is convex (or concave) in the logits."""

    kind: Literal["convex"] = Field(description="convexity, at midpoints of random logits")
    problem: Annotated[str, *_one_of(("logsumexp", "cross_entropy"), "a problem here")] = Field(
        default="logsumexp", description="the problem"
    )
    shape: Annotated[str, *_one_of(("convex", "concave"), "a shape")] = Field(
        default="convex", description="convex or concave"
    )


class Gradient(Drawn):
    """The gradient of cross-entropy with respect to the logits has a closed form."""

    required: ClassVar = Given.required | {"form": 'form = "p - q"'}
    kind: Literal["gradient"] = Field(description="a closed form against the loss's differences")
    problem: Annotated[str, *_one_of(("cross_entropy",), "a problem here")] = Field(
        default="cross_entropy", description="the problem"
    )
    form: Annotated[str, *_one_of(claim_rules.GRADIENTS, "a gradient")] = Field(
        description="the closed form"
    )


class Differentiable(Claim):
    """A function of the logits has (or has no) derivative in one of them at a point."""

    required: ClassVar = Claim.required | {
        "function": 'function = "max"',
        "logits": "logits = [1, 0]",
        "expect": "expect = true",
    }
    kind: Literal["differentiable"] = Field(description="difference quotients of both sides meet")
    function: Annotated[str, *_one_of(claim_rules.FUNCTIONS, "a function here")] = Field(
        description="max, arg_max or logsumexp"
    )
    logits: Finite = Field(description="the point")
    expect: Annotated[bool, Strict()] = Field(
        description="whether there is a derivative in the first logit"
    )
    dtype: Dtype = Field(default="float64", description="the format of the logits")


class ProductQuotient(Claim):
    """What x * y / y gives in a dtype, x and y rounded to it first."""

    required: ClassVar = Claim.required | {
        "x": "x = 1",
        "y": "y = 1e-50",
        "expect": 'expect = "nan"',
    }
    kind: Literal["product_quotient"] = Field(description="x * y / y in a dtype")
    x: Number = Field(description="any number")
    y: Number = Field(description="any number")
    dtype: Dtypes = Field(default=("float32",), description="every dtype in which it holds")
    expect: Result = Field(description="the result")


class Jump(Claim):
    """Softmax at beta jumps from (0, 1) to (1, 0) as one of two equal logits moves by an ulp."""

    required: ClassVar = Claim.required
    kind: Literal["jump"] = Field(description="a jump at a tie, and a figure of it")
    beta: Annotated[str, BeforeValidator(exact_numbers.number), WithJsonSchema(_RESULT)] = Field(
        default="inf", description="inf is the arg max"
    )
    size: Number = Field(default="1", description="the logit that stays")
    dtype: Dtype = Field(default="float32", description="the format of the logits")
    betas: Betas = Field(default=(), description="curves to draw beside the arg max, in a figure")


class FormatNumber(Claim):
    """The least positive or the largest number of a format."""

    required: ClassVar = Claim.required | {
        "quantity": 'quantity = "least positive"',
        "expect": "expect = 1.4013e-45",
    }
    kind: Literal["format_number"] = Field(description="an extreme number of a format")
    quantity: Annotated[str, *_one_of(claim_rules.QUANTITIES, "a number of a format")] = Field(
        description="which number"
    )
    dtype: Dtype = Field(default="float32", description="the format")
    expect: Number = Field(description="the number")
    digits: Digits = Field(default=5, description="significant digits that agree")


class Underflow(Claim):
    """A function of one number underflows: some result in a dtype is 0 or subnormal."""

    required: ClassVar = Claim.required | {"function": 'function = "log"'}
    kind: Literal["underflow"] = Field(description="whether a function's results underflow")
    function: Annotated[str, *_one_of(("exp", "log"), "a function here")] = Field(
        description="exp or log"
    )
    dtype: Dtypes = Field(default=("float32",), description="every dtype in which it holds")


AnyClaim = (
    Computed | Exact | Onset | Threshold | Order | Limit | Equal | Between | Inside | Sum | Convex
    | Gradient | Differentiable | ProductQuotient | Jump | FormatNumber | Underflow
)  # fmt: skip
KINDS: dict[str, type[Claim]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(AnyClaim)
}


def _read(value: Any, handler: ModelWrapValidatorHandler[Any], info: ValidationInfo) -> Claim:
    """The claim by its kind; key paths do not name the kind, as a plain union's would."""
    if isinstance(value, Claim):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"want a table, got {got(value)}")
    check_found(info)
    if "kind" not in value:
        sentence = f'missing; write kind = "..."; known: {", ".join(KINDS)}'
        raise MistakesError([Mistake(("kind",), sentence)])
    try:
        kind = among(tuple(KINDS), "a kind of claim")(value["kind"])
    except ValueError as error:
        raise MistakesError(at(("kind",), error)) from None
    try:
        return KINDS[kind].model_validate(value, context=info.context)
    except ValueError as error:
        raise found(at((), error), info) from None


OneClaim = Annotated[
    Annotated[AnyClaim, Field(discriminator="kind")],
    WrapValidator(_read),
]
