"""A report folder that cannot be read back."""


class DamagedError(ValueError):
    """A record or manifest is not what this fpstudy writes; the message says which and what to do."""
