"""Templates from the side: what is offered, how many customers each part would have, one click to add it."""

from collections.abc import Awaitable, Callable

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.segments.templates import Offer, PlannedPart, Preview
from models.errors import RingelisteError
from web.pages.controls import alone, button, enable
from web.pages.parts import box, count, words
from web.pages.sheet import Drawer
from web.pages.template_deeds import Chosen, Looked, TemplateDeeds
from web.pages.template_form import TemplateForm, called
from web.pages.template_result import new_parts, parts_in_words


class TemplateDrawer(Drawer):
    """One for the page. `first`: the segment that is first now, `after`: told when something was added."""

    def __init__(
        self, deeds: TemplateDeeds, first: Callable[[], str | None], after: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__()
        self._deeds, self._first, self._after = deeds, first, after
        self._turn = 0  # what comes back for a list that is shown no more is dropped

    async def offer(self) -> None:
        """Show every template; their counts come one after the other."""
        turn = self._next_turn()
        with self.fresh():
            self._head()
            words("Looking at the fields …", "soft")
        try:
            offers = await run_in_threadpool(self._deeds.offers)
        except RingelisteError as error:
            with self.fresh():
                self._head()
                words(error.message, "wrong")
            return
        with self.fresh():
            self._head()
            cards = [_Card(one, self._look, self._add) for one in offers]
        for card in cards:
            if not card.offer.fits:
                continue
            looked = await run_in_threadpool(self._deeds.look, card.key, Chosen(), who_moves=False)
            if turn != self._turn:
                return
            card.show(looked)

    def _head(self) -> None:
        self.head("Templates", "Segments and labels ready-made, cut to the customers who are here.")

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn

    async def _look(self, offer: Offer) -> None:
        self._next_turn()
        with self.fresh():
            self.head(offer.template.name, offer.template.what)
            button("All templates", self.offer, "quiet back")
            form = TemplateForm(offer, self._deeds, self._first(), self._add)
        await form.count()

    async def _add(self, preview: Preview, chosen: Chosen, trouble: ui.label) -> None:
        trouble.text = "Adding …"
        try:
            applied = await run_in_threadpool(self._deeds.apply, preview, chosen)
        except RingelisteError as error:
            trouble.text = f"Nothing was added: {error.message}"
            return
        self._next_turn()
        new = [part for part in preview.parts if part.key in applied.keys]
        with self.fresh():
            self.head("Added", f"Version {applied.version} of the rules is in force.")
            words(f"{_sentence(new)} Who belongs to them is on the way.")
            words("They are rules like any other now: rename them, order them, delete them.", "soft")
            with box("actions"):
                button("All templates", self.offer, "quiet")
                button("Close", self.close, "primary")
        await self._after()


class _Card:
    """One template of the list."""

    def __init__(
        self, offer: Offer, look: Callable[[Offer], Awaitable[None]],
        add: Callable[[Preview, Chosen, ui.label], Awaitable[None]],
    ) -> None:  # fmt: skip
        self.offer, self.key, self._add = offer, offer.template.key, add
        self._looked: Looked | None = None
        with box("template", "section", aria_label=offer.template.name):
            with box("template-top"):
                with box("names"):
                    words(offer.template.name, "strong")
                    words(offer.template.what, "soft")
                button("Look …", lambda: look(offer), "")
                self._button = button("Add", alone(self._go), "primary")
                enable(self._button, on=False)
            words(takes(offer), "soft" if offer.fits else "warned")
            self._parts = box("template-parts")
            self._trouble = words("", "wrong")
        self._button.set_visibility(offer.fits)
        if offer.fits:
            with self._parts:
                words("Counting …", "soft")

    async def _go(self) -> None:
        if self._looked is not None and self._looked.preview is not None:
            await self._add(self._looked.preview, self._looked.chosen, self._trouble)

    def show(self, looked: Looked) -> None:
        """How many customers each part would have."""
        self._looked, self._trouble.text = looked, looked.why_not
        self._parts.clear()
        if looked.preview is None:
            return
        new = new_parts(looked.preview)
        with self._parts:
            for part in looked.preview.parts:
                with box("template-part there" if part.there else "template-part", title=part.text):
                    words(part.name)
                    words("there already" if part.there else count(part.count), "strong")
        enable(self._button, on=bool(new))
        if not new:
            self._trouble.classes(remove="wrong", add="soft")
            self._trouble.text = "All of it is there already."


def takes(offer: Offer) -> str:
    """Which field it takes: Takes Age."""
    likeliest = {name: next(iter(several), None) for name, several in offer.suggestions.items()}
    taken = [
        called(offer.suggestions[name])[one.field] for name, one in likeliest.items() if one and one.known
    ]
    if taken:
        return f"Takes {', '.join(taken)}."
    return (
        "Needs no field of yours."
        if offer.fits
        else "No field fits by its name and values: look, and say which."
    )


def _sentence(new: list[PlannedPart]) -> str:
    said = parts_in_words(new)
    return f"{said} {'is' if len(new) == 1 else 'are'} added."
