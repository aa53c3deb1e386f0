"""A table of the study file: frozen, unknown keys refused, every mistake in it at once."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from fpstudy.study_file.mistakes import Mistake, MistakesError, at, got, suggest


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
            unknown = {e["loc"] for e in error.errors() if e["type"] == "extra_forbidden"}
            missing = {e["loc"] for e in error.errors() if e["type"] == "missing"}
            raise MistakesError(
                Mistake(m.key, cls._unknown(m.key[-1]))
                if m.key in unknown
                else Mistake(m.key, cls._missing(m.key[-1]))
                if m.key in missing
                else m
                for m in at((), error)
            ) from None

    @classmethod
    def _unknown(cls, key: str | int) -> str:
        """The sentence about a key that this table does not have."""
        names = [field.alias or name for name, field in cls.model_fields.items()]
        if str(key) in cls.elsewhere:
            return f"unknown key here: {cls.elsewhere[str(key)]}"
        return f"unknown key{suggest(str(key), names) or '; known: ' + ', '.join(names)}"

    @classmethod
    def _missing(cls, key: str | int) -> str:
        """The sentence about a key that this table needs."""
        example = cls.required.get(str(key))
        return f"missing; write {example}" if example else "missing"


def tables(name: str) -> Callable[[object], object]:
    """Reads an array of tables [[name]]: refuses [name], which is one table, and plain values."""

    def read(value: object) -> object:
        if isinstance(value, dict):
            raise ValueError(f"write [[{name}]] with two brackets: there can be several")
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"want tables [[{name}]], got {got(value)}")
        return value

    return read
