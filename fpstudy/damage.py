"""A report folder that cannot be read back, or that has not what was asked of it."""


class DamagedError(ValueError):
    """A record or manifest is not what fpstudy wrote; the message says which and what to do."""


class AbsentError(ValueError):
    """What was asked for is not there; the message names what is."""
