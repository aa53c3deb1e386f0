"""Why something failed, in one line that can be stored and shown, whatever was raised."""

LONGEST = 500  # characters of a reason
NO_WORDS = "what it says cannot be read"
# What a formula can raise of itself; an interruption from outside is neither.
FAULTS = (Exception, SystemExit, GeneratorExit, BaseExceptionGroup)


def reason_of(error: BaseException, longest: int = LONGEST) -> str:
    r"""The type of the error and its message, as "ValueError: no"; of a group, its first five too.

    One line of at most `longest` characters, each in sight: a control, or half of a surrogate
    pair, is spelled out, as \u001b.
    """
    text = _told(error)
    if isinstance(error, BaseExceptionGroup):
        text += "".join(f"; {_told(one)[:100]}" for one in error.exceptions[:5])
    line = " ".join(text[: 4 * longest].split())
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)[:longest]


def first_line(error: BaseException) -> str:
    """What the error says in its first line; its type where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _told(error: BaseException) -> str:
    name = type(error).__name__
    try:
        # str's own slice: the message may be of a class that the formula derived from it
        message = str.__getitem__(str(error), slice(4 * LONGEST))
    except FAULTS:
        message = NO_WORDS
    return f"{name}: {message}" if message else name
