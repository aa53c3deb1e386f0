"""What an arithmetic gives back: checked for dtype and shape at the door to the record."""


class BadOutputError(Exception):
    """A formula returned something that is not an array of the expected shape and dtype."""
