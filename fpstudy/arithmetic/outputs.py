"""What an arithmetic gives back: checked for dtype and shape at the door to the record."""

from typing import Any

from fpstudy.inputs import Inputs


class BadOutputError(Exception):
    """A formula returned something that is not an array of the expected shape and dtype."""


def demand_rows(shape: tuple[int, ...], inputs: Inputs) -> None:
    """Raises BadOutputError unless an array of the shape has a row for each of the samples.

    Of a batch whose losses are to be reduced it has one number for each row of each sample.
    """
    fits = shape[:1] == inputs.x.shape[:1]
    if inputs.counted is not None:
        fits = shape == inputs.counted.shape
    if not fits:
        raise BadOutputError(f"returned shape {shape} for logits {inputs.x.shape}")


def type_of(y: Any) -> str:
    """What somebody returned, by the name of its type."""
    return "None" if y is None else type(y).__name__
