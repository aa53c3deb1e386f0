"""Figures as SVG text: the same bytes for the same drawing."""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING

from fpstudy.report.palette import FONT

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # pages without figures do without matplotlib

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONTS = f"'{FONT}', Verdana, sans-serif"  # Verdana's widths are those that the layout assumed


def draw(figure: Callable[[], "Figure"], title: str, description: str) -> str:
    """The SVG of a figure, drawn under the report's style alone, whatever the user's settings."""
    from fpstudy.report.picture import styled

    buffer = io.BytesIO()
    with styled():
        figure().savefig(buffer, format="svg", metadata=dict.fromkeys(_METADATA))
    root = ET.fromstring(buffer.getvalue())
    _shorten(root)
    for tag, text in (("desc", description), ("title", title)):
        root.insert(0, _element(tag, text))
    root.set("role", "img")
    return text_of(root) + "\n"


def _shorten(root: ET.Element) -> None:
    """Leave out what changes no pixel: unnamed ids, empty groups, far decimals, repeated styles."""
    text = ET.tostring(root, encoding="unicode")
    named = dict.fromkeys(re.findall(r"(?:href=\"|url\()#([\w-]+)", text))
    short = {name: f"i{k}" for k, name in enumerate(named)}
    for element in root.iter():
        own = element.attrib.pop("id", "")
        if own in short:
            element.set("id", short[own])
        for key in ("clip-path", f"{{{XLINK}}}href"):
            if key in element.attrib:
                element.set(key, _NAMED.sub(lambda m: "#" + short[m[1]], element.attrib[key]))
        for key in _COORDINATES & element.attrib.keys():
            element.set(key, _DECIMALS.sub(_rounded, element.attrib[key]))
        if "d" in element.attrib:
            element.set("d", _path(element.attrib["d"]))
        if element.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]
        style = element.get("style")
        if style:
            style = style.replace(f"font-family: '{FONT}'; ", "")
            element.set("style", re.sub(r"([:;]) ", r"\1", style))
    root.set("font-family", FONTS)
    _flatten(root)
    for parent in list(root.iter()):
        _share(parent)


def _flatten(parent: ET.Element) -> None:
    """Take out metadata and groups that say nothing, and give every element its own line."""
    children: list[ET.Element] = []
    for child in parent:
        _flatten(child)
        plain = child.tag == _GROUP and not child.attrib
        children += list(child) if plain else [child]
    parent[:] = [child for child in children if child.tag != f"{{{SVG}}}metadata"]
    if len(parent):
        parent.text = "\n"
    for child in parent:
        child.tail = "\n"


def _share(parent: ET.Element) -> None:
    """Neighbours with the same style and clip become a group that has both in their place."""
    found: list[ET.Element] = []
    for shared, run in groupby(list(parent), key=_shared):
        alike = list(run)
        if shared is None or len(alike) == 1:
            found += alike
            continue
        group = ET.Element(_GROUP, dict(shared))
        group.text = group.tail = "\n"
        group[:] = alike
        for child in alike:
            for key, _ in shared:
                del child.attrib[key]
        found.append(group)
    parent[:] = found


def _shared(element: ET.Element) -> tuple[tuple[str, str], ...] | None:
    """What an element could have from a group around it; None for what has no such thing.

    A clip under a transform is another than around it. All other properties that matplotlib
    writes are inherited; the opacity of a whole group, which is not, it does not write.
    """
    found = tuple((key, element.attrib[key]) for key in _INHERITED if key in element.attrib)
    moved = "transform" in element.attrib and "clip-path" in element.attrib
    return found if found and not moved and element.tag != _GROUP else None


def _path(d: str) -> str:
    """The same path in fewer characters: after M and L, numbers alone go on with L."""
    words, last = "", ""
    for command, numbers in _COMMAND.findall(d):
        go_on = command == "L" and last in ("M", "L")
        words += (" " if go_on else command) + " ".join(numbers.split())
        last = command
    return words


_NAMED = re.compile(r"#([\w-]+)")
_GROUP = f"{{{SVG}}}g"
_INHERITED = ("style", "clip-path")
_COMMAND = re.compile(r"([A-Zaz])([^A-Zaz]*)")
_COORDINATES = {"d", "x", "y", "width", "height", "transform"}
_DECIMALS = re.compile(r"-?\d+\.\d{3,}")


def _rounded(found: re.Match[str]) -> str:
    """A coordinate to a hundredth of a point."""
    return f"{round(float(found[0]), 2):g}"


_METADATA = ("Creator", "Date", "Format", "Type")


def _element(tag: str, text: str) -> ET.Element:
    element = ET.Element(f"{{{SVG}}}{tag}")
    element.text = text
    element.tail = "\n "
    return element


def text_of(root: ET.Element) -> str:
    """The element as text, with SVG as the default namespace."""
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="unicode")
