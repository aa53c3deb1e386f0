"""How every figure looks: colours that colour-blind readers tell apart, and never colour alone.

The data colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/). The theme colours have a
name for each, by which a page may replace them (see `svg.inline`).
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

BLUE, GREEN, VERMILLION = "#0072b2", "#009e73", "#d55e00"
ORANGE, PURPLE, SKY, GREY = "#e69f00", "#cc79a7", "#56b4e9", "#808890"

Dashes = tuple[float, tuple[float, ...]] | Literal["solid"]


@dataclass(frozen=True)
class Line:
    """How one formula is drawn: three ways to tell it from the others."""

    colour: str
    dashes: Dashes
    marker: str
    width: float = 1.4


LINES: tuple[Line, ...] = (
    Line(VERMILLION, "solid", "o"),
    Line(BLUE, (0, (5, 1.5)), "s"),
    Line(GREEN, (0, (1.2, 1.2)), "^"),
    Line(PURPLE, (0, (5, 1.5, 1, 1.5)), "D"),
    Line(ORANGE, (0, (8, 2)), "v"),
    Line(SKY, (0, (3, 1, 1, 1, 1, 1)), "P"),
    Line(GREY, (0, (2, 2)), "X"),
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
            width=max(2.1 - 0.3 * i, 0.9),
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
    "font.family": ["DejaVu Sans"],  # ships with matplotlib, so the layout is the same everywhere
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 8,
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
    "lines.linewidth": 1.4,
    "legend.frameon": False,
}
