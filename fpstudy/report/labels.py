"""Names of lines beside the lines themselves, where they touch nothing and cannot be mistaken.

All lengths are inches, from the lower left corner of a panel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fpstudy.report.palette import SMALL, Line
from fpstudy.report.panels import text_width
from fpstudy.report.scale import Floats

STEP = 0.04  # between the points that stand for a line
HEIGHT = 1.3 * SMALL / 72  # of a name, with what hangs below its line
MARK = 0.14  # the line's own marker before its name
GAPS = (0.05, 0.15, 0.3)  # between a name and its line, which may have a band around it
CLEAR = 0.035  # between a name and anything else
NEARER = 0.05  # so much nearer is a name to its own line than to any other
FAR = 0.4  # room beyond this is no advantage

Path = tuple[Floats, Floats]  # x and y on the axes


@dataclass(frozen=True)
class Room:
    """The part of a panel that names may stand in, and what is in the way beside the lines.

    taken: (k, 2) points that no name may cover
    """

    width: float
    height: float
    taken: Floats


def sampled(path: Floats) -> Floats:
    """(m, 2) points about STEP apart along a path (k, 2) that NaN interrupts."""
    pieces = [path[~np.isnan(path).any(axis=1)]]
    for a, b in pairwise(path):
        length = float(np.hypot(*(b - a)))
        if length > STEP:  # false if either end is NaN
            t = np.arange(1, int(length / STEP) + 1)[:, None] * (STEP / length)
            pieces.append(a + t * (b - a))
    return np.concatenate(pieces)


def placed(paths: Mapping[str, Floats], room: Room) -> dict[str, tuple[float, float]]:
    """The lower left corner of each name that has a place; names without one are left out.

    paths: the points (k, 2) of each line, with NaN where it is interrupted
    """
    clouds = {name: sampled(path) for name, path in paths.items()}
    wide = {name: MARK + text_width(name) for name in paths}
    open_ = {
        name: _candidates(clouds[name], _end(path), wide[name], room)
        for name, path in paths.items()
    }
    ranked = {
        name: _ranked(corners, wide[name], name, clouds, room) for name, corners in open_.items()
    }
    found: dict[str, tuple[float, float]] = {}
    for name in sorted(ranked, key=lambda name: len(ranked[name])):  # who has least choice first
        for x, y in ranked[name]:
            if all(_apart(x, y, wide[name], a, b, wide[other]) for other, (a, b) in found.items()):
                found[name] = (x, y)
                break
    return {name: found[name] for name in paths if name in found}


def _end(path: Floats) -> Floats:
    """(0 or 1, 2): the last point that is drawn."""
    return path[~np.isnan(path).any(axis=1)][-1:]


def _candidates(cloud: Floats, end: Floats, wide: float, room: Room) -> Floats:
    """(c, 2) corners above, below and beside points of the line, its end first."""
    x, y = np.concatenate([end, cloud[::2]]).T
    corners = []
    for gap in GAPS:
        up, down, level = y + gap, y - gap - HEIGHT, y - HEIGHT / 2
        corners += [(x + gap, level), (x - gap - wide, level)]
        corners += [(x - part * wide, at) for at in (up, down) for part in (0.5, 0.0, 1.0)]
    c = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1).reshape(-1, 2)
    inside = (c[:, 0] >= CLEAR) & (c[:, 0] + wide <= room.width - CLEAR)
    inside &= (c[:, 1] >= CLEAR) & (c[:, 1] + HEIGHT <= room.height - CLEAR)
    return c[inside]


def _ranked(
    corners: Floats, wide: float, name: str, clouds: Mapping[str, Floats], room: Room
) -> list[tuple[float, float]]:
    """The corners that can be read and not mistaken, best first: with most room around them."""
    own = _distance(corners, wide, clouds[name])
    others = np.full(len(corners), np.inf)
    for other, cloud in clouds.items():
        if other != name:
            others = np.minimum(others, _distance(corners, wide, cloud))
    good = (own >= CLEAR) & (others >= np.maximum(own + NEARER, CLEAR))
    good &= _distance(corners, wide, room.taken) >= CLEAR
    worth = np.minimum(others, FAR) - own
    order = np.argsort(-worth[good], kind="stable")
    return [(float(x), float(y)) for x, y in corners[good][order]]


def _distance(corners: Floats, wide: float, points: Floats) -> Floats:
    """(c,): how far each box is from the nearest of the points, infinite if there are none."""
    if not len(points):
        return np.full(len(corners), np.inf)
    offset = points[None, :, :] - corners[:, None, :]
    dx = np.maximum(np.maximum(-offset[..., 0], offset[..., 0] - wide), 0)
    dy = np.maximum(np.maximum(-offset[..., 1], offset[..., 1] - HEIGHT), 0)
    return np.asarray(np.hypot(dx, dy).min(axis=1))


def _apart(x: float, y: float, wide: float, a: float, b: float, other: float) -> bool:
    """Whether two names at (x, y) and (a, b) leave room between them."""
    beside = x + wide + CLEAR <= a or a + other + CLEAR <= x
    return beside or y + HEIGHT + CLEAR <= b or b + HEIGHT + CLEAR <= y


def name_lines(
    figure: Figure, ax: Axes, drawn: Mapping[str, Line], size: tuple[float, float],
    paths: Mapping[str, Path], others: Sequence[Path] = (), top: float | None = None,
) -> bool:  # fmt: skip
    """Write the names of the lines of a panel beside them; returns whether each has its name.

    drawn:  how each line is drawn: its marker stands before its name
    size:   width and height of the panel
    paths:  x and y of each line on the axes; others: what else no name may cover
    top:    where on the axis the room for names ends, if it is not the upper end
    """
    width, height = size
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    per_x, per_y = width / (right - left), height / (high - low)

    def inches(path: Path) -> Floats:
        return np.stack([(path[0] - left) * per_x, (path[1] - low) * per_y], axis=1)

    taken = np.concatenate([np.empty((0, 2)), *(sampled(inches(path)) for path in others)])
    room = Room(width, height if top is None else (top - low) * per_y, taken)
    found = placed({name: inches(path) for name, path in paths.items()}, room)
    for name, (x, y) in found.items():
        _draw(figure, ax, name, drawn[name], (x / width, (y + HEIGHT / 2) / height), MARK / width)
    return len(found) == len(paths)


def _draw(
    figure: Figure, ax: Axes, name: str, line: Line, at: tuple[float, float], mark: float
) -> None:
    """A name after its line's marker, in parts of the panel's width and height."""
    marker = Line2D(
        [at[0] + 0.4 * mark], [at[1]], transform=ax.transAxes, linestyle="none",
        marker=line.marker, markersize=5, markeredgewidth=0, color=line.colour,
    )  # fmt: skip
    figure.add_artist(marker)
    ax.text(
        at[0] + mark, at[1], name, transform=ax.transAxes, va="center_baseline", ha="left",
        fontsize=SMALL,
    )  # fmt: skip
