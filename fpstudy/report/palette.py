"""How every figure looks: colours that colour-blind readers tell apart, and never colour alone.

The colours of lines are found by a search: under full protanopia and deuteranopia (Machado,
Oliveira and Fernandes 2009) any two stay 0.12 apart in OKLab (Okabe and Ito's with a grey come to
0.04), and each has a contrast of 3 with the paper of both themes. The theme colours have a name for
each, by which a page may replace them (see `svg.inline`).
"""

from dataclasses import dataclass
from typing import Any, Literal

INK = "#1b1f24"  # text, axes
MUTED = "#5b636d"  # second text, reference lines
RULE = "#d5d9de"  # grid
STRIP = "#f1f3f5"  # where values stand that have no place on the axis
PAPER = "#fffffe"  # behind everything
THEME: dict[str, str] = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    STRIP: "--strip",
    PAPER: "--paper",
}

ORANGE, BLUE, TEAL, GREY = "#f56814", "#0959e8", "#0e7081", "#959592"
BROWN, PERIWINKLE = "#a44c18", "#738cfd"
FAILING, KEPT = "#d55e00", "#0072b2"  # the deepest fields of the maps

FONT = "DejaVu Sans"  # ships with matplotlib, so the layout is the same everywhere
BASE, SMALL = 9.5, 8.5  # points: titles and names; ticks, fields and notes, the smallest text

Dashes = tuple[float, tuple[float, ...]] | Literal["solid"]


@dataclass(frozen=True)
class Line:
    """How one formula is drawn: three ways to tell it from the others."""

    colour: str
    dashes: Dashes
    marker: str
    width: float = 1.6


LINES: tuple[Line, ...] = (
    Line(ORANGE, "solid", "o"),
    Line(BLUE, (0, (5, 1.5)), "s"),
    Line(TEAL, (0, (1.2, 1.2)), "^"),
    Line(GREY, (0, (5, 1.5, 1, 1.5)), "D"),
    Line(BROWN, (0, (8, 2)), "v"),
    Line(PERIWINKLE, (0, (3, 1, 1, 1, 1, 1)), "P"),
    Line(INK, (0, (2, 2)), "X"),
)


def lines(names: list[str]) -> dict[str, Line]:
    """A line for each name, in order, each thinner than what it may cover.

    Beyond the palette the dashes and markers shift against the colours.
    """
    k = len(LINES)
    return {
        name: Line(
            LINES[i % k].colour,
            LINES[(i + i // k) % k].dashes,
            LINES[(i + 2 * (i // k)) % k].marker,
            width=max(2.4 - 0.25 * i, 1.2),
        )
        for i, name in enumerate(names)
    }


def blend(low: str, high: str, t: float) -> str:
    """The colour t of the way from low to high, 0 <= t <= 1."""
    pairs = zip(_channels(low), _channels(high), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * t):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


STYLE: dict[Any, Any] = {
    "svg.hashsalt": "fpstudy",  # element ids depend on the drawing alone
    "svg.fonttype": "none",  # text stays text: searchable, and in any script
    "text.parse_math": False,  # a $ in a name is a $
    "axes.unicode_minus": False,
    "font.family": [FONT],
    "font.size": BASE,
    "axes.titlesize": BASE,
    "axes.labelsize": BASE,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": BASE,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": PAPER,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
}
