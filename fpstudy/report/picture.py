"""A figure with the words that belong to it, which a notebook shows below it."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from markupsafe import escape
from matplotlib.figure import Figure
from PIL import Image

from fpstudy.report.palette import STYLE
from fpstudy.visible import visible

SCREEN = 96  # pixels of a page an inch
SHARPNESS = 1.5  # pixels of the image for each of those: a fine screen has more than one


@contextmanager
def styled() -> Iterator[None]:
    """The report's style alone, whatever the user's settings."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        # the reader's font has the glyph that ours lacks; only the layout is estimated
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


class Picture(Figure):
    """A matplotlib Figure that says what it shows.

    title:       what is drawn, "softmax: error against magnitude"
    caption:     who computed it, on what inputs, from how many samples, and how to read it
    alternative: the same for who cannot see it

    In a notebook it shows itself with title and caption below, pyplot or not. It can be changed and
    saved as any Figure; the words are plain text.
    """

    title = ""
    caption = ""
    alternative = ""

    def png(self) -> bytes:
        """The image, under the report's style; of few colours, as a notebook is kept and sent."""
        image, small = io.BytesIO(), io.BytesIO()
        with styled():
            self.savefig(image, format="png", dpi=SCREEN * SHARPNESS)
        colours = Image.open(image).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        colours.save(small, format="png", optimize=True)
        return small.getvalue()

    def _ipython_display_(self) -> None:
        """Called by a notebook: two outputs, for a page that shows images may show no HTML."""
        from IPython.display import display

        width, height = (round(inches * SCREEN) for inches in self.get_size_inches())
        size: dict[str, Any] = {"image/png": {"width": width, "height": height}}
        image = {"image/png": self.png(), "text/plain": repr(self)}
        display(image, raw=True, metadata=size)
        if self.caption:
            html = f"<p><small><b>{_html(self.title)}.</b> {_html(self.caption)}</small></p>"
            words = {"text/html": html, "text/plain": visible(f"{self.title}. {self.caption}")}
            display(words, raw=True)

    def __repr__(self) -> str:
        return f"<{visible(self.title) or 'Picture'}>"


def _html(text: str) -> str:
    return str(escape(visible(text)))
