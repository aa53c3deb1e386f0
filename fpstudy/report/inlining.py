"""Figures within a page: the same drawing in fewer bytes, its styles as classes of the page.

A style that many elements have is one rule of the page's style sheet, so that no element needs a
style of its own and the page's policy can refuse those. Theme colours become the page's variables.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fpstudy.report.drawing import Drawing
from fpstudy.report.palette import THEME
from fpstudy.report.svg import SVG, text_of


@dataclass(frozen=True)
class Inlined:
    """The figures of a page by name, and the rules that they need."""

    figures: dict[str, Markup]
    css: str


def inlined(drawings: Sequence[Drawing]) -> Inlined:
    """All figures of a page; their names differ."""
    classes: dict[str, str] = {}
    figures = {
        drawing.name: Markup(_inline(drawing.svg, f"g{number}-", classes))
        for number, drawing in enumerate(drawings)
    }
    return Inlined(figures, "".join(f".{c}{{{style}}}\n" for style, c in classes.items()))


def _inline(svg: str, prefix: str, classes: dict[str, str]) -> str:
    """One figure; its title and description become its accessible name, without a tooltip."""
    root = ET.fromstring(svg)
    ids = {e.attrib["id"]: f"{prefix}{k}" for k, e in enumerate(root.iter()) if "id" in e.attrib}
    told = {child.tag: child.text or "" for child in root if child.tag in (_TITLE, _DESC)}
    for element in root.iter():
        _restyle(element, ids, classes)
    _prune(root)
    for key in ("width", "height"):  # a figure grows with the page's letters
        root.set(key, f"{float(root.attrib[key].removesuffix('pt')) / POINTS:.4g}em")
    root.attrib.pop("version", None)
    root.set("aria-label", ". ".join(filter(None, (told.get(_TITLE, ""), told.get(_DESC, "")))))
    return text_of(root)


POINTS = 12  # of an em: 16 pixels of 3/4 pt
_TITLE, _DESC, _STYLE, _TEXT = (f"{{{SVG}}}{tag}" for tag in ("title", "desc", "style", "text"))
_DROPPED = (_TITLE, _DESC, _STYLE, f"{{{SVG}}}metadata")  # a <style> would speak to the whole page
_GROUP, _DEFS = f"{{{SVG}}}g", f"{{{SVG}}}defs"
_PAINT = ("style", "fill", "stroke")


def _restyle(element: ET.Element, ids: dict[str, str], classes: dict[str, str]) -> None:
    """Ids of the page's own, colours of its theme, and a class in place of a style."""
    for key, value in list(element.attrib.items()):
        new = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{ids[found[1]]})", value)
        if key == "id":
            new = ids[value]
        elif key.endswith("href") and value.startswith("#"):
            del element.attrib[key]
            key, new = "href", f"#{ids[value[1:]]}"
        elif key == "d":
            new = re.sub(r"\s*([A-Za-z])\s*", r"\1", value)
        elif key in _PAINT:
            new = _themed(new)
        element.set(key, new)
    style = element.attrib.pop("style", "")
    if style:
        if set(style) & set("<>{}"):
            raise ValueError(f"a figure's style is no list of declarations: {style!r:.80}")
        element.set("class", classes.setdefault(style, f"s{len(classes)}"))


def _themed(value: str) -> str:
    """Each theme colour replaced by the page's variable of its name."""
    for colour, name in THEME.items():
        value = re.sub(rf"{colour}\b", f"var({name})", value, flags=re.IGNORECASE)
    return value


def _prune(element: ET.Element) -> None:
    """Leave out what draws nothing: space between elements, and groups that group nothing."""
    if element.tag == _TEXT:
        return
    element.text = None
    kept: list[ET.Element] = []
    for child in element:
        if child.tag in _DROPPED:
            continue
        _prune(child)
        child.tail = None
        if child.tag == _GROUP and not child.attrib:
            kept += child
        elif child.tag != _DEFS or len(child):
            kept.append(child)
    element[:] = kept
