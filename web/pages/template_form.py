"""One template: which field, which limits, as what, where to; below, what comes of it and whom it moves."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.segments.templates import Offer, Preview
from segmentation.templates.roles import Suggestion
from segmentation.templates.written import written_as
from web.pages.controls import alone, button, choices, enable, text_field, told_apart
from web.pages.parts import box, words
from web.pages.template_deeds import Chosen, Looked, TemplateDeeds
from web.pages.template_result import new_parts, show_result

SEGMENTS, LABELS = "Segments", "Labels"
LAST, FIRST = "Last", "First"

Add = Callable[[Preview, Chosen, ui.label], Awaitable[None]]
"""Adds what was previewed of a choice; says in the label what went wrong."""


class TemplateForm:
    """Built into the drawer; `first`: the key of the segment that is first now."""

    def __init__(self, offer: Offer, deeds: TemplateDeeds, first: str | None, add: Add) -> None:
        self._offer, self._deeds, self._add = offer, deeds, add
        self._chosen = Chosen()
        self._looked: Looked | None = None  # what was shown; none while another is counted
        self._fields: dict[str, ui.input] = {}
        self._marks: dict[str, Callable[[str], None]] = {}
        self._turn = 0
        template = offer.template
        of_fields = [name for name, one in template.parameters.items() if one.role is not None]
        for name in of_fields:
            words(template.parameters[name].what.rstrip("."), "label")
            self._of_field(name)
        if template.bands:
            words("As", "label")
            choices((SEGMENTS, LABELS), self._choose_kind, chosen=SEGMENTS)
        if first is not None and (template.bands or any(one.kind == "segment" for one in template.parts)):
            words("Priority of new segments", "label")
            choices((LAST, FIRST), lambda place: self._place(first if place == FIRST else None), chosen=LAST)
        if others := [name for name in template.parameters if name not in of_fields]:
            with box("more", "details"):
                with box("", "summary"):
                    words("More choices", "soft")
                for name in others:
                    words(template.parameters[name].what.rstrip("."), "label")
                    self._write(name, "As usual")
        self._result = box("template-result")
        self._trouble = words("", "wrong")
        with box("actions"):
            self._button = button("Add", alone(self._go), "primary")
        enable(self._button, on=False)

    async def count(self) -> None:
        """Ask what would come of it now; an answer that somebody has overtaken is dropped."""
        self._turn += 1
        turn, self._looked = self._turn, None
        enable(self._button, on=False)
        self._trouble.text = ""
        self._result.clear()
        with self._result:
            words("Counting …", "soft")
        looked = await run_in_threadpool(
            self._deeds.look, self._offer.template.key, self._chosen, who_moves=True
        )
        if turn == self._turn:
            self._show(looked)

    def _show(self, looked: Looked) -> None:
        self._looked, self._trouble.text = looked, looked.why_not
        self._result.clear()
        preview = looked.preview
        if preview is None:
            return
        for name, mark in self._marks.items():
            mark(str(preview.parameters.get(name)))
        for name, one in self._fields.items():
            one.props["placeholder"] = written_as(preview.parameters.get(name)) or "Worked out"
        with self._result:
            show_result(looked, preview)
        enable(self._button, on=bool(new_parts(preview)))

    async def _go(self) -> None:
        """Nothing is added that was not shown: what was typed since is counted first."""
        if self._take_over():
            await self.count()
        elif (looked := self._looked) is not None and looked.preview is not None:
            await self._add(looked.preview, looked.chosen, self._trouble)

    def _of_field(self, name: str) -> None:
        """The fields that may be meant; where none is likely, its key is written."""
        shown = called(self._offer.suggestions.get(name, ()))
        if not shown:
            self._write(name, "The key of a field")
            return

        async def choose(field: str) -> None:
            self._chosen = self._chosen.with_written({name: field})
            await self.count()

        fields = list(shown)
        self._marks[name] = choices(fields, choose, chosen=fields[0], called=shown)

    def _write(self, name: str, placeholder: str) -> None:
        field = text_field(name, placeholder=placeholder)
        self._fields[name] = field

        async def written() -> None:
            if self._take_over():
                await self.count()

        field.on("keydown.enter", written)
        field.on("blur", written)

    def _take_over(self) -> bool:
        """Read what stands in the fields; whether that is another choice than before."""
        before = self._chosen
        self._chosen = before.with_written({name: one.value for name, one in self._fields.items()})
        return self._chosen != before

    async def _choose_kind(self, kind: str) -> None:
        self._chosen = replace(self._chosen, as_="label" if kind == LABELS else "segment")
        await self.count()

    async def _place(self, before: str | None) -> None:
        self._chosen = replace(self._chosen, before=before)
        await self.count()


def called(suggestions: Iterable[Suggestion]) -> dict[str, str]:
    """The fields that may be meant, the likeliest first: key -> what it is called, no two alike."""
    return told_apart({one.field: one.label or one.field for one in suggestions})
