"""A study file: read, checked as a whole, every mistake in it reported at once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema, model_validator

from fpstudy.formats import FORMATS, Format
from fpstudy.logit_files import LogitsError, file_logits
from fpstudy.study_file.axes import among
from fpstudy.study_file.claims import OneClaim
from fpstudy.study_file.defaults import too_much, with_defaults
from fpstudy.study_file.elsewhere import COMMAND_LINE, STUDY_TABLES
from fpstudy.study_file.json_schema import integers, names
from fpstudy.study_file.mistakes import (
    MAX_MISTAKES,
    Key,
    Mistake,
    MistakesError,
    StudyError,
    at,
    escape,
    key_path,
    show,
)
from fpstudy.study_file.names import ENGINES
from fpstudy.study_file.numbers import integer
from fpstudy.study_file.own_format import OwnFormat, names_in, repeated
from fpstudy.study_file.rules import misfits, overflows
from fpstudy.study_file.settings import INT64, Settings
from fpstudy.study_file.sweep import Sweep, cases, logits
from fpstudy.study_file.table import MAX_TABLES, UNREAD, Table, one_table, tables
from fpstudy.study_file.texts import MAX_NAME, study_name, text
from fpstudy.study_file.toml_file import TomlFile, read

__all__ = ["Given", "Study", "StudyError", "Sweep", "from_keys", "json_schema", "load", "study_of"]

SCHEMA = 1
MAX_CASES = 2_000_000  # one row of the summary each: far beyond what a report can show
MAX_LOGITS = 10**10  # 80 GB of inputs in float64, each with a proven truth to come


def _schema_version(value: object) -> int:
    if value is True or value != SCHEMA or not isinstance(value, int):
        raise ValueError(f"want schema = {SCHEMA}, which this fpstudy reads, got {show(value)}")
    return SCHEMA


SchemaVersion = Annotated[int, BeforeValidator(_schema_version), WithJsonSchema({"const": SCHEMA})]
StudyName = Annotated[
    str,
    BeforeValidator(study_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_NAME}),
]
Seed = Annotated[
    int, BeforeValidator(integer(0, INT64, "0 .. 2**63 - 1")), WithJsonSchema(integers(0, INT64))
]
Engine = Annotated[
    str, BeforeValidator(among(ENGINES, "an engine")), WithJsonSchema(names(ENGINES))
]


class StudyKeys(Table):
    """The keys of a study file; [defaults] is merged into every sweep that lacks the key."""

    elsewhere: ClassVar = (
        COMMAND_LINE
        | STUDY_TABLES
        | dict.fromkeys(Settings.model_fields, "it belongs in [defaults] or in a [[sweep]]")
    )
    required: ClassVar = {"schema": f"schema = {SCHEMA}", "name": 'name = "..."'}

    schema_version: SchemaVersion = Field(
        alias="schema", description=f"version of this file's format: {SCHEMA}"
    )
    name: StudyName = Field(description="name of the study and of the folder of its report")
    title: Annotated[str, BeforeValidator(text(200))] = Field(
        default="", description="title of the report; by default the name"
    )
    question: Annotated[str, BeforeValidator(text(2_000))] = Field(
        default="", description="what the study asks"
    )
    seed: Seed = Field(default=0, description="seed of all random inputs")
    engine: Engine = Field(
        default="double_double",
        description="what computes the truth: double_double, which leaves to arb what it does not"
        " decide, and arb prove it; mpmath does not",
    )
    defaults: Annotated[Settings, BeforeValidator(one_table("defaults"))] = Field(
        default_factory=Settings, description="keys for all sweeps that do not give them"
    )
    sweep: Annotated[tuple[Sweep, ...], BeforeValidator(tables("sweep"))] = Field(
        (), description="axes to cross; there can be several sweeps"
    )
    claim: Annotated[tuple[OneClaim, ...], BeforeValidator(tables("claim"))] = Field(
        (), description="statements to check; there can be several claims"
    )

    format: Annotated[tuple[OwnFormat, ...], BeforeValidator(tables("format"))] = Field(
        (), description='number formats of the study\'s own, for arithmetic = "rounded"'
    )

    @property
    def formats(self) -> dict[str, Format]:
        """The formats that the study knows: those built in, and its own."""
        return FORMATS | {own.name: own.format for own in self.format}

    @model_validator(mode="before")
    @classmethod
    def _merge_defaults(cls, keys: Any) -> Any:
        if not isinstance(keys, dict):
            return keys
        defaults, sweeps = keys.get("defaults"), keys.get("sweep")
        if not isinstance(sweeps, (list, tuple)) or len(sweeps) > MAX_TABLES:  # refused below
            return keys
        if sentence := too_much(sweeps, defaults):
            raise MistakesError([Mistake(("sweep",), sentence)])
        if not isinstance(defaults, dict):
            return keys
        merged = [with_defaults(sweep, defaults) for sweep in sweeps]
        return keys | {"sweep": merged}

    @model_validator(mode="after")
    def _as_a_whole(self) -> Self:
        if mistakes := list(repeated(self.format)):
            raise MistakesError(mistakes)
        if not self.sweep and not self.claim:
            sentence = "missing; a study has at least one [[sweep]] or one [[claim]]"
            raise MistakesError([Mistake(("sweep",), sentence)])
        size = (sum(map(cases, self.sweep)), sum(map(logits, self.sweep)))
        for count, limit, what in zip(
            size, (MAX_CASES, MAX_LOGITS), ("cases", "logits"), strict=True
        ):
            if count > limit:
                sentence = f"a study too large: {count:,} {what}; the limit is {limit:,}"
                raise MistakesError([Mistake(("sweep",), sentence)])
        return self


class Study(StudyKeys):
    """A study, and the file that it was read from."""

    path: Path | None = None
    text: str = ""


Given = str | Path | Mapping[str, Any] | Study  # a study's file, its keys, or itself


def study_of(given: Given) -> Study:
    """The study: as it is, from its keys, or from its file. Raises StudyError as `load` does."""
    if isinstance(given, Study):
        return given
    return from_keys(given) if isinstance(given, Mapping) else load(given)


def load(path: str | Path) -> Study:
    """The study in the file; raises StudyError with a line for every mistake in it."""
    file = read(Path(path))
    try:
        values = _values(file.tables, file.path.parent)
    except MistakesError as error:
        raise StudyError(_lines(file, list(error.mistakes))) from None
    return Study.model_construct(**values, path=file.path, text=file.text)


def from_keys(keys: Mapping[str, Any], folder: Path | None = None) -> Study:
    """A study from the keys of a file that there is not.

    keys:   as a TOML reader gives them, {"name": ..., "sweep": [{...}, ...]}; the schema may be
            left out. Tuples, ranges and arrays are lists.
    folder: where the files of logits that it names are; by default the current one
    Raises StudyError with a line for every mistake, as `load` does.
    """
    plain = {"schema": SCHEMA} | _plain(keys)
    try:
        values = _values(plain, folder or Path())
    except MistakesError as error:
        placed = dict.fromkeys(_placed_all(plain, list(error.mistakes)))
        raise StudyError([str(mistake) for mistake in placed][:MAX_MISTAKES]) from None
    return Study.model_construct(**values)


def _plain(value: Any) -> Any:
    """What Python programs write for the tables, lists and numbers of a file, as those."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # arrays and their scalars
        return _plain(value.tolist())
    if isinstance(value, (list, tuple, range)):
        return [_plain(entry) for entry in value]
    return value


def _values(tables: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The fields of a study whose files start from the folder; MistakesError with all mistakes."""
    context = {"folder": folder, "formats": names_in(tables.get("format"))}
    try:
        keys = StudyKeys.model_validate(tables, context=context)
    except ValidationError as error:
        raise MistakesError(at((), error)) from None
    if mistakes := list(_unreadable(keys)):
        raise MistakesError(mistakes)
    return dict(keys) | {"title": keys.title.strip() or keys.name}


def _unreadable(keys: StudyKeys) -> Iterator[Mistake]:
    """Files of logits that cannot be used, and labels and targets that do not fit their rows.

    A report knows a file by its name alone, so that two of one name cannot be told apart.
    """
    named: dict[str, Path] = {}
    for i, sweep in enumerate(keys.sweep):
        if sweep.file is not None:
            first = named.setdefault(sweep.file.name, sweep.file)
            if first != sweep.file:
                both = f"{escape(str(first))} and {escape(str(sweep.file))}"
                sentence = f"two files of one name, by which a report knows them: {both}"
                yield Mistake(("sweep", i, "file"), sentence)
                continue
            try:
                x = file_logits(sweep.file).x
            except LogitsError as error:
                yield Mistake(("sweep", i, "file"), escape(str(error)))
                continue
            largest = float(np.abs(x[np.isfinite(x)]).max(initial=0.0))
            for mistake in [*misfits(sweep, [x.shape[1]]), *overflows(sweep, [largest])]:
                yield Mistake(("sweep", i, *mistake.key), mistake.sentence)


def json_schema() -> dict[str, Any]:
    """JSON Schema of the file as it is written, for editors."""
    schema = StudyKeys.model_json_schema()
    schema["$schema"] = "http://json-schema.org/draft-07/schema#"  # what TOML editors know best
    schema["anyOf"] = [
        {"required": [key], "properties": {key: {"minItems": 1}}} for key in ("sweep", "claim")
    ]
    schema["$defs"]["Sweep"].pop("required")  # [defaults] may give these keys
    for table in (schema, *schema["$defs"].values()):
        for key in table["properties"].values():
            if key.get("default") in ([], [None], None, ""):
                key.pop("default", None)  # stands for "not given", which TOML cannot write
    return schema


def _lines(file: TomlFile, mistakes: list[Mistake]) -> Iterator[str]:
    """`file:line: key path: sentence` for each mistake, in the order of the file."""
    placed = dict.fromkeys(_placed_all(file.tables, mistakes))
    ordered = sorted(placed, key=lambda mistake: file.lines.of(mistake.key))
    for mistake in ordered[:MAX_MISTAKES]:
        yield f"{file.place(mistake.key)}: {mistake}"
    if len(ordered) > MAX_MISTAKES:
        more = len(ordered) - MAX_MISTAKES
        yield f"{file.place(())}: and {more:,} {'mistake' if more == 1 else 'mistakes'} more"


def _placed_all(tables: dict[str, Any], mistakes: list[Mistake]) -> list[Mistake]:
    """Each mistake at the key as the tables have it; several sweeps may give the same."""
    of_defaults = {mistake for mistake in mistakes if mistake.key[:1] == ("defaults",)}
    return [_placed(tables, mistake, of_defaults) for mistake in mistakes]


def _placed(tables: dict[str, Any], mistake: Mistake, of_defaults: set[Mistake]) -> Mistake:
    """The mistake at the key as the file has it.

    A value that a sweep took from [defaults] stands there; the sweep is named unless the mistake is
    one of [defaults] alone. A bare value has no [1].
    """
    key, sentence = mistake.key, mistake.sentence
    if sentence == UNREAD:
        return Mistake(key[:1], sentence)
    merged = key[:1] == ("sweep",) and len(key) > 2 and _value(tables, key[:3]) is None
    if merged and _value(tables, ("defaults", key[2])) is not None:
        key = ("defaults", *key[2:])
        if Mistake(key, sentence) not in of_defaults:
            sentence += f" (in {key_path(mistake.key[:2])})"
    while key and isinstance(key[-1], int) and not isinstance(_value(tables, key[:-1]), list):
        key = key[:-1]
    return Mistake(key, sentence)


def _value(tables: Any, key: Key) -> Any:
    """What the file has at the key; None where it has nothing."""
    for part in key:
        if isinstance(part, int):
            tables = tables[part] if isinstance(tables, list) else None
        else:
            tables = tables.get(part) if isinstance(tables, dict) else None
    return tables
