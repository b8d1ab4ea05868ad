"""The small parts that all of the page is made of, and how figures are written."""

from nicegui import ui
from nicegui.element import Element

NARROW = "\u202f"  # a narrow space that does not break


def box(classes: str, tag: str = "div", **attributes: str) -> Element:
    """An element of ours, without a look of NiceGUI's own."""
    made = ui.element(tag).classes(classes)
    for name, value in attributes.items():
        made.props[name.rstrip("_").replace("_", "-")] = value
    return made


def words(text: str = "", classes: str = "") -> ui.label:
    """A text that may change."""
    return ui.label(text).classes(classes)


def count(number: int) -> str:
    """45 211."""
    return f"{number:,}".replace(",", NARROW)


def share(part: int, whole: int) -> str:
    """12.4 %, or a dash while there is nothing to divide."""
    return f"{100 * part / whole:.1f}{NARROW}%" if whole else "–"
