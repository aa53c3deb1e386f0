"""A table of the study file: frozen, unknown keys refused, every mistake in it at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from fpstudy.study_file.mistakes import (
    MAX_MISTAKES,
    Mistake,
    MistakesError,
    at,
    got,
    suggest,
)

MAX_TABLES = 500  # of one kind: more than any page can tell apart
MAX_FOUND = 10 * MAX_MISTAKES  # mistakes in tables, several of which may have one of [defaults]
UNREAD = f"more than {MAX_FOUND:,} mistakes; some of these tables are not looked at"


def check_found(info: ValidationInfo) -> None:
    """Refuse a table unread once so many mistakes are found: to say what is meant takes long."""
    if (info.context or {}).get("found", 0) > MAX_FOUND:
        raise ValueError(UNREAD)


def found(mistakes: Sequence[Mistake], info: ValidationInfo) -> MistakesError:
    """The error of a table's mistakes, which count for all tables of the file."""
    if info.context is not None:
        info.context["found"] = info.context.get("found", 0) + len(mistakes)
    return MistakesError(mistakes)


class Table(BaseModel):
    """The base of all models of the study file; turns pydantic's errors into sentences.

    elsewhere: keys that belong into another table, with a sentence that says where.
    required:  required keys, with an example of how each is written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    elsewhere: ClassVar[Mapping[str, str]] = {}
    required: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="wrap")
    @classmethod
    def _in_sentences(cls, keys: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(keys, (dict, cls)):
            raise ValueError(f"want a table, got {got(keys)}")
        try:
            return handler(keys)
        except ValidationError as error:
            kinds = {detail["loc"]: detail["type"] for detail in error.errors()}
            mistakes = at((), error)
            told = [cls._in_words(one, kinds.get(one.key)) for one in mistakes[:MAX_MISTAKES]]
            rest = mistakes[MAX_MISTAKES:]  # only counted: to look for what they mean takes long
            raise MistakesError([*told, *rest]) from None

    @classmethod
    def _in_words(cls, mistake: Mistake, kind: str | None) -> Mistake:
        """The mistake, with the table's own sentence about an unknown or a missing key."""
        key = str(mistake.key[-1]) if mistake.key else ""
        if kind == "extra_forbidden":
            return Mistake(mistake.key, cls._unknown(key))
        if kind == "missing" and key in cls.required:
            return Mistake(mistake.key, f"missing; write {cls.required[key]}")
        return mistake

    @classmethod
    def _unknown(cls, key: str) -> str:
        """The sentence about a key that this table does not have."""
        if key in cls.elsewhere:
            return f"unknown key here: {cls.elsewhere[key]}"
        names = [field.alias or name for name, field in cls.model_fields.items()]
        return f"unknown key{suggest(key, names) or '; known: ' + ', '.join(names)}"


def tables(name: str) -> Callable[[object], object]:
    """Reads an array of tables [[name]]: refuses [name], which is one table, and plain values."""

    def read(value: object) -> object:
        if isinstance(value, dict):
            raise ValueError(f"write [[{name}]] with two brackets: there can be several")
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"want tables [[{name}]], got {got(value)}")
        if len(value) > MAX_TABLES:
            raise ValueError(f"{len(value):,} tables [[{name}]]; the limit is {MAX_TABLES:,}")
        return value

    return read


def one_table(name: str) -> Callable[[object], object]:
    """Reads a table [name]: refuses [[name]], of which there can be several."""

    def read(value: object) -> object:
        if isinstance(value, (list, tuple)):
            raise ValueError(f"write [{name}] with one bracket: there is one such table")
        return value

    return read
