"""[[format]]: a number format of the study's own, as data."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from fpstudy.formats import DOUBLE, FORMATS, Format
from fpstudy.study_file.json_schema import integers
from fpstudy.study_file.mistakes import Mistake, got, show
from fpstudy.study_file.numbers import integer
from fpstudy.study_file.table import Table

# A float64 operation rounded again to p bits is the operation rounded once if 2 p + 2 <= 53.
MOST_PRECISION = 25
MOST_EXPONENT = 1023
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"want a name, got {got(value)}")
    if value.lower() in FORMATS:
        same = "" if value in FORMATS else f" but for its case, as {value.lower()}"
        raise ValueError(f"{show(value)} is built in{same}; give the format another name")
    if not _NAME.fullmatch(value):
        raise ValueError(f"{show(value)} is no name: want a letter, then letters, digits and _")
    return value


def _precision(value: object) -> int:
    p = integer(2, DOUBLE, f"2 .. {MOST_PRECISION}, or {DOUBLE}")(value)
    if MOST_PRECISION < p < DOUBLE:
        raise ValueError(
            f"want 2 .. {MOST_PRECISION}, or {DOUBLE}, got {p}: float64 carries it out"
        )
    return p


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"want true or false, got {got(value)}")
    return value


Precision = Annotated[int, BeforeValidator(_precision), WithJsonSchema(integers(2, DOUBLE))]
Emax = Annotated[
    int, BeforeValidator(integer(1, MOST_EXPONENT, "1 .. 1023")), WithJsonSchema(integers(1, 1023))
]
Emin = Annotated[
    int | None,
    BeforeValidator(integer(-1022, 0, "-1022 .. 0")),
    WithJsonSchema(integers(-1022, 0)),
]
Switch = Annotated[bool, BeforeValidator(_switch), WithJsonSchema({"type": "boolean"})]


class OwnFormat(Table):
    """One [[format]]: what fpstudy.formats.Format wants; emin is 1 - emax unless it is given."""

    required: ClassVar = {
        "name": 'name = "tf32"',
        "precision": "precision = 11",
        "emax": "emax = 127",
    }

    name: Annotated[str, BeforeValidator(_name)] = Field(description="the name of the dtype")
    precision: Precision = Field(
        description="bits of the significand with the leading one: at most 25, or 53"
    )
    emax: Emax = Field(description="exponent of the largest binade")
    emin: Emin = Field(default=None, description="exponent of the least normal number")
    infinity: Switch = Field(default=True, description="whether it has infinities")
    subnormals: Switch = Field(default=True, description="gradual underflow, or flush to zero")
    saturate: Switch = Field(default=False, description="overflow gives the largest number")

    @model_validator(mode="after")
    def _fits_float64(self) -> Self:
        f = self.format
        if f.emin - f.precision + 1 < -1074:
            raise ValueError(f"emin - precision + 1 = {f.emin - f.precision + 1} is below -1074")
        return self

    @property
    def format(self) -> Format:
        """The format."""
        emin = 1 - self.emax if self.emin is None else self.emin
        return Format(
            self.name, self.precision, self.emax, emin, self.infinity, self.subnormals,
            self.saturate,
        )  # fmt: skip


def names_in(tables: Any) -> tuple[str, ...]:
    """Names that [[format]] tables give; dtypes may use them."""
    if not isinstance(tables, list):
        return ()
    given = [table.get("name") for table in tables if isinstance(table, dict)]
    return tuple(name for name in given if isinstance(name, str) and _NAME.fullmatch(name))


def repeated(formats: Sequence[OwnFormat]) -> Iterator[Mistake]:
    """Formats whose name an earlier one has, be it in another case."""
    first: dict[str, int] = {}
    for i, own in enumerate(formats):
        before = first.setdefault(own.name.lower(), i)
        if before != i:
            sentence = f"{show(own.name)} is the name of format[{before + 1}] already"
            yield Mistake(("format", i, "name"), sentence)
