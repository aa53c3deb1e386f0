"""The axes of a sweep: lists of distinct values, or numbers spaced evenly on a scale."""

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Annotated, ClassVar, TypeVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from fpstudy.study_file.json_schema import integers, names, numbers, one_or_some
from fpstudy.study_file.mistakes import MAX_MISTAKES, Mistake, MistakesError, at, got, show, suggest
from fpstudy.study_file.numbers import finite, integer
from fpstudy.study_file.table import Table

T = TypeVar("T")

MAX_AXIS = 100_000  # values on one axis: beyond it no table or figure of the study is readable
MAX_EXPONENT = 1_100  # |exponent| on a log scale: 2**-1074 is the least float64


def axis(element: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """Reader of a non-empty list of distinct values; a bare value is a list of one.

    Two values are the same when they have the same bits: 0.0 and -0.0 differ, and 0.1 and
    0.10000000000000001 do not.
    """

    def read_axis(value: object) -> tuple[T, ...]:
        entries = value if isinstance(value, (list, tuple)) else [value]
        if not entries:
            raise ValueError("must not be empty")
        if len(entries) > MAX_AXIS:
            raise ValueError(f"{len(entries):,} values on one axis; the limit is {MAX_AXIS:,}")
        read, mistakes = each(entries, element)
        first: dict[str, int] = {}
        for i, this in read:
            before = first.setdefault(repr(this), i)
            if before != i:
                mistakes.append(Mistake((i,), _repeated(entries[i], entries[before], before)))
                if len(mistakes) > MAX_MISTAKES:
                    break
        if mistakes:
            raise MistakesError(mistakes)
        return tuple(this for _, this in read)

    return read_axis


def each(
    entries: Sequence[object], element: Callable[[object], T]
) -> tuple[list[tuple[int, T]], list[Mistake]]:
    """The entries that `element` can read, with their indices, and the mistakes in the others."""
    read: list[tuple[int, T]] = []
    mistakes: list[Mistake] = []
    for i, entry in enumerate(entries):
        try:
            read.append((i, element(entry)))
        except ValueError as error:
            mistakes += at((i,), error)
            if len(mistakes) > MAX_MISTAKES:
                break
    return read, mistakes


def _repeated(entry: object, before: object, first: int) -> str:
    """The sentence about a value that stands on its axis already, at index `first`."""
    if show(entry) == show(before):
        return f"{show(entry)} is given twice, first at [{first + 1}]"
    same = f"{show(entry)} is the same as {show(before)} at [{first + 1}]"
    return f"{same} once both are read as float64"


def among(
    known: tuple[str, ...], what: str, hints: Callable[[str], str | None] = lambda name: None
) -> Callable[[object], str]:
    """Reader of one of the known names of a `what`; `hints` may know more than the spelling."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"want the name of {what}, got {got(value)}")
        if value in known:
            return value
        if hint := hints(value):
            raise ValueError(f"{show(value)} is not {what} here: {hint}")
        raise ValueError(
            f"{show(value)} is not {what}; known: {', '.join(known)}{suggest(value, known)}"
        )

    return read


SCALES = ("linear", "log2", "log10")
Number = Annotated[float, BeforeValidator(finite), WithJsonSchema(numbers())]


class Scale(Table):
    """num values from start to stop, evenly spaced on a scale; on a log scale those are exponents.

    Positions are rational arithmetic and powers rounded decimals, so every machine gets the same
    bits and 10**k and 2**k for integers k come out as the nearest float64.
    """

    required: ClassVar = {
        "scale": 'scale = "log10"',
        "start": "start = -2",
        "stop": "stop = 4",
        "num": "num = 7",
    }

    scale: Annotated[
        str, BeforeValidator(among(SCALES, "a scale")), WithJsonSchema(names(SCALES))
    ] = Field(description="spacing; on log2 and log10 start and stop are exponents")
    start: Number = Field(description="first value or exponent")
    stop: Number = Field(description="last value or exponent")
    num: Annotated[
        int,
        BeforeValidator(integer(2, MAX_AXIS, "2 .. 100,000")),
        WithJsonSchema(integers(2, MAX_AXIS)),
    ] = Field(description="how many values, both ends included")
    include: Annotated[
        tuple[float, ...], BeforeValidator(axis(finite)), WithJsonSchema(one_or_some(numbers()))
    ] = Field(default=(), description="values to have besides")

    def values(self) -> tuple[float, ...]:
        """The values with `include`, ascending, each once; ValueError where float64 has none."""
        if self.start >= self.stop:
            raise ValueError(f"start = {self.start!r} is not below stop = {self.stop!r}")
        if self.scale != "linear":
            for end in (self.start, self.stop):
                if not 0 < _power(int(self.scale[3:]), Fraction(end)) < float("inf"):
                    raise ValueError(f"{self.scale[3:]}**{end!r} is no positive float64")
        return tuple(sorted({*_points(self.scale, self.start, self.stop, self.num), *self.include}))


@lru_cache(maxsize=8)  # sweeps often share one, by [defaults]
def _points(scale: str, start: float, stop: float, num: int) -> tuple[float, ...]:
    """The float64 nearest to each position, or to the base raised to it.

    Position i is (a + b i) / d, for integers. The powers between those of integers are products of
    one ratio: to 60 digits the rounding of 100,000 products is far from any float64's.
    """
    first = Fraction(start)
    step = (Fraction(stop) - first) / (num - 1)
    d = lcm(first.denominator, step.denominator)
    numerators = range(int(first * d), int(first * d + step * d * num), int(step * d))
    if scale == "linear":
        return tuple(k / d for k in numerators)
    base = int(scale[3:])
    points = []
    with localcontext(prec=60) as context:
        power, ratio = (_raised(context, base, exponent) for exponent in (first, step))
        for k in numerators:
            points.append(float(power) if k % d else _power(base, Fraction(k, d)))
            power = context.multiply(power, ratio)
    return tuple(points)


def _power(base: int, exponent: Fraction) -> float:
    """The float64 nearest to the power: exact for integers, where 10**23 is a tie."""
    if abs(exponent) > MAX_EXPONENT:
        return 0.0 if exponent < 0 else float("inf")
    with localcontext(prec=30) as context:
        return float(_raised(context, base, exponent))


def _raised(context: Context, base: int, exponent: Fraction) -> Decimal:
    position = context.divide(Decimal(exponent.numerator), Decimal(exponent.denominator))
    return context.power(Decimal(base), position)


def scaled(element: Callable[[object], float]) -> Callable[[object], tuple[float, ...]]:
    """Reader of an axis of numbers that may be written as a Scale."""
    listed = axis(element)

    def read(value: object) -> tuple[float, ...]:
        if not isinstance(value, dict):
            return listed(value)
        values = Scale.model_validate(value).values()
        for end in (values[0], values[-1]):
            element(end)
        return values

    return read
