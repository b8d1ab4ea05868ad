"""The cards of bars: every dimension under the filters of all others. A click on a bar selects its people."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from calling.views.bars import Bars, NamedBar
from segmentation.facets import FacetValue, Filters
from segmentation.facets.spelling import spelled

Toggle = Callable[[str, FacetValue | None], Any]
"""Called with a dimension and the value whose bar was clicked; None: all of the dimension."""

Look = Callable[[str, str], Any]
"""Called with a dimension and the piece of text that somebody looks for among its values."""


class FacetBoard(Element, component="components/facet_board.js"):
    """Drawn in the browser from one message. A value goes there and back as a number: it may be anything."""

    def __init__(self, toggle: Toggle, look: Look) -> None:
        super().__init__()
        self._toggle, self._look = toggle, look
        self._values: list[FacetValue] = []
        self._numbers: dict[bytes, int] = {}
        self._hits: dict[str, list[dict[str, Any]]] = {}
        self.on("toggle", self._toggled)
        self.on("look", self._looked)

    def show(self, bars: Bars) -> None:
        """Draw the bars of a reading; nothing is sent when they are the same."""
        dimensions = [
            {
                "key": one.key, "name": one.name, "searchable": one.searchable,
                "chosen": any(bar.chosen for bar in one.bars),
                "bars": [
                    self._bar(one.key, bar) for bar in one.bars
                    if bar.total or bar.chosen or one.kind != "ranges"
                ],
            }
            for one in bars.dimensions
        ]  # fmt: skip
        if dimensions != self.props.get("dimensions"):
            self.props["dimensions"] = dimensions
        if bool(bars.filters) != self.props.get("filtered", False):
            self.props["filtered"] = bool(bars.filters)

    def show_hits(self, key: str, found: Sequence[NamedBar]) -> None:
        """Draw the bars that were found in one dimension."""
        self._hits = {**self._hits, key: [self._bar(key, bar) for bar in found]}
        self.props["hits"] = self._hits

    def show_busy(self, *, busy: bool) -> None:
        """Whether another selection is being counted."""
        if busy != self.props.get("busy", False):
            self.props["busy"] = busy

    def _bar(self, key: str, bar: NamedBar) -> dict[str, Any]:
        return {
            "id": self._number(key, bar.value), "name": bar.name, "selected": bar.selected,
            "total": bar.total, "chosen": bar.chosen,
        }  # fmt: skip

    def _number(self, key: str, value: FacetValue) -> int:
        """The number under which a value goes to the browser, the same for as long as the page is open."""
        spelling = orjson.dumps([key, spelled(value)])
        if spelling not in self._numbers:
            self._numbers[spelling] = len(self._values)
            self._values.append(value)
        return self._numbers[spelling]

    async def _toggled(self, event: GenericEventArguments) -> None:
        number = event.args.get("bar")
        if number is None:
            await self._toggle(str(event.args["dimension"]), None)
        elif isinstance(number, int) and 0 <= number < len(self._values):
            await self._toggle(str(event.args["dimension"]), self._values[number])

    async def _looked(self, event: GenericEventArguments) -> None:
        await self._look(str(event.args["dimension"]), str(event.args["text"])[:200])


def toggled(filters: Filters, key: str, value: FacetValue | None) -> Filters:
    """The filters after a click: the value comes in or goes out; None: the dimension filters no more."""
    there = list(filters.get(key, ()))
    kept = [one for one in there if not _same(one, value)]
    values = [] if value is None else kept if len(kept) < len(there) else [*there, value]
    rest = {other: asked for other, asked in filters.items() if other != key}
    return {**rest, key: values} if values else rest


def _same(one: FacetValue, other: FacetValue | None) -> bool:
    """True is not 1 here."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
