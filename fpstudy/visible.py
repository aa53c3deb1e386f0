"""Text from outside with every character in sight: controls and turns of direction spelled out."""

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and newline
    "\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # no width, or another direction
    "\ud800-\udfff\ufffe\uffff]"  # no characters at all; XML refuses them
)


def visible(text: object) -> str:
    r"""The text with what cannot be seen written as \u202e."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", str(text))
