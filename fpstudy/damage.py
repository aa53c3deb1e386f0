"""A report folder that cannot be read back."""


class DamagedError(ValueError):
    """A record or manifest is not what fpstudy wrote; the message says which and what to do."""
