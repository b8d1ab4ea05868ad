"""The bar over the cards: how many are selected, by which filters, and what can be done with them."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from segmentation.facets import FacetValue
from web.pages.board_reading import Reading
from web.pages.controls import enable
from web.pages.parts import box, count, words

Drop = Callable[[str, FacetValue | None], Any]
"""Called with a dimension and the value whose chip was closed."""


class SelectionBar:
    """Stays in view while the cards scroll."""

    def __init__(self, drop: Drop, clear: Callable[[], Any], act: Callable[[str], Any]) -> None:
        self._drop = drop
        self._shown: list[tuple[str, str, str, FacetValue]] | None = None
        with box("selection", "section", aria_label="Selection"):
            with box("selection-count"):
                self._total = words("–", "selection-total").mark("total")
                self._of = words("", "soft")
            self._chips = box("chips", role="list")
            self._clear = box("button quiet", "button", type="button").on("click", clear)
            with self._clear:
                words("Clear")
            with box("selection-acts"):
                self._acts = {
                    word: self._button(word, icon, name, kind, act)
                    for word, icon, name, kind in (
                        ("move", "drive_file_move", "Move to segment …", ""),
                        ("new", "add", "New segment …", ""),
                        ("rule", "rule", "Save as rule …", ""),
                        ("wake", "alarm", "Make ready …", ""),
                    )
                }

    @staticmethod
    def _button(word: str, icon: str, name: str, kind: str, act: Callable[[str], Any]) -> ui.element:
        with box(f"button {kind}", "button", type="button").on("click", lambda: act(word)) as made:
            ui.icon(icon)
            words(name)
        return made

    def show(self, now: Reading) -> None:
        """Write what a reading says."""
        bars = now.bars
        self._total.text = count(bars.total)
        self._of.text = f"of {count(bars.of)} customers"
        self._clear.set_visibility(bool(bars.filters))
        self._acts["move"].classes(
            add="primary" if bars.filters else "", remove="" if bars.filters else "primary"
        )
        for one in self._acts.values():
            enable(one, on=bool(bars.total))
        chips = [
            (dimension.key, dimension.name, bar.name, bar.value)
            for dimension in bars.dimensions for bar in dimension.bars if bar.chosen
        ]  # fmt: skip
        if chips == self._shown:
            return
        self._shown = chips
        self._chips.clear()
        with self._chips:
            for key, title, name, value in chips:
                with box("chip", "button", type="button", aria_label=f"Without {title} {name}") as chip:
                    words(title, "soft")
                    words(name)
                    ui.icon("close")
                chip.on("click", lambda key=key, value=value: self._drop(key, value))
            if not chips:
                words("Everybody. Click bars to choose whom you mean.", "soft")
