"""JSON Schema of the values that a study file may hold, as they are written."""

from collections.abc import Iterable
from typing import Any

from fpstudy.study_file.numbers import HEX_PATTERN

Schema = dict[str, Any]


def integers(least: int, most: int) -> Schema:
    """An integer in least .. most."""
    return {"type": "integer", "minimum": least, "maximum": most}


def names(known: Iterable[str]) -> Schema:
    """One of the names."""
    return {"type": "string", "enum": list(known)}


def numbers(**bounds: float) -> Schema:
    """A number within the bounds (minimum, maximum, exclusiveMinimum), or a hex float."""
    return {"anyOf": [{"type": "number", **bounds}, HEX]}


def some(item: Schema) -> Schema:
    """A non-empty list."""
    return {"type": "array", "items": item, "minItems": 1}


def one_or_some(*items: Schema) -> Schema:
    """A value or a non-empty list of them."""
    item = items[0] if len(items) == 1 else {"anyOf": list(items)}
    return {"anyOf": [item, some(item)]}


HEX: Schema = {"type": "string", "pattern": HEX_PATTERN}
EXTENDED: Schema = {"anyOf": [{"type": "number"}, HEX, names(("inf", "+inf", "-inf"))]}
