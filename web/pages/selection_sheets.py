"""The sheets that act on a selection: move it to a segment, make a new segment of it, make it ready."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.segments.bulk import Progress
from calling.segments.selection import Created, Expected
from calling.views.segment_list import SegmentNow
from models.errors import BadInput
from web.pages.board_reading import Reading
from web.pages.controls import alone, choices, text_field, told_apart
from web.pages.deeds_of_board import Deeds
from web.pages.parts import box, count, words
from web.pages.sheet import BulkSheet

REASONS = ("Campaign", "Complaints", "Wrong data", "Trial")
UNTIL: dict[str, timedelta | None] = {
    "Until released": None, "8 hours": timedelta(hours=8), "3 days": timedelta(days=3),
    "1 week": timedelta(days=7),
}  # fmt: skip
ONCE, STANDING = "These customers, once", "A standing rule"
FIRST, LAST = "First", "Last"


class _Asked:
    """What has been chosen on a sheet so far."""

    def __init__(self) -> None:
        self.until, self.segment_id, self.how, self.place = next(iter(UNTIL)), 0, ONCE, FIRST


class SelectionSheets:
    """What can be done with a selection; `reading` is what was seen when it was decided."""

    def __init__(self, deeds: Deeds, after: Callable[[], Awaitable[None]]) -> None:
        self._deeds, self._sheet = deeds, BulkSheet(after)

    def move(self, reading: Reading) -> None:
        """To a segment that there is: a hold, with its reason and its end."""
        asked, filters, total = _Asked(), reading.bars.filters, reading.bars.total
        with self._sheet.fresh():
            words(f"Move {_many(total)} to a segment", "sheet-title")
            words(
                "They stay there, whatever the rules say. State, status and follow-ups stay as they are.",
                "soft",
            )
            words("Where to", "label")
            ids = {one.key: one.id for one in reading.segments}
            choices(
                list(ids), lambda key: setattr(asked, "segment_id", ids[key]), kind="choices tall",
                called=told_apart({one.key: _titled(one) for one in reading.segments}),
            )  # fmt: skip
            reason = self._why()
            self._until(asked)
            trouble = words("", "wrong")

            @alone
            async def go() -> None:
                if not asked.segment_id:
                    trouble.text = "Choose the segment."
                elif not reason.value.strip():
                    trouble.text = "Say why: whoever finds them there wants to know."
                else:
                    act = partial(
                        self._deeds.move, filters, asked.segment_id, reason.value.strip(), UNTIL[asked.until]
                    )
                    await self._sheet.carry_out(act, Expected(total), lambda n: f"Move {count(n)}")

            self._sheet.actions("Move", go)

    async def new(self, reading: Reading, *, standing: bool) -> None:
        """A segment that there is not yet: with these customers in it, or by a rule that takes their like."""
        asked, total = _Asked(), reading.bars.total
        asked.how = STANDING if standing else ONCE
        why_not = await run_in_threadpool(self._deeds.why_no_rule, reading.bars.filters)
        with self._sheet.fresh():
            words(f"New segment of {_many(total)}", "sheet-title")
            name = text_field("Name", focus=True)
            words("Who belongs to it", "label")

            def choose(how: str) -> None:
                asked.how = how
                held.set_visibility(how == ONCE)
                meaning.text = _meaning(how)
                trouble.text = why_not if how == STANDING else ""

            choices((ONCE, STANDING), choose, chosen=asked.how)
            meaning = words(_meaning(asked.how), "soft")
            with box("fields") as held:
                reason = self._why()
                self._until(asked)
            held.set_visibility(asked.how == ONCE)
            words("Priority", "label")
            choices((FIRST, LAST), lambda place: setattr(asked, "place", place), chosen=asked.place)
            trouble = words(why_not if standing else "", "wrong")

            @alone
            async def go() -> None:
                if asked.how == STANDING and why_not:
                    return
                if not name.value.strip():
                    trouble.text = "Give it a name."
                elif asked.how == ONCE and not reason.value.strip():
                    trouble.text = "Say why: whoever finds them there wants to know."
                else:
                    act = partial(self._make, reading, asked, name.value.strip(), reason.value.strip())
                    await self._sheet.carry_out(act, Expected(total), lambda n: f"Make it of {count(n)}")

            self._sheet.actions("Make it", go)

    async def wake(self, reading: Reading) -> None:
        """Make ready whoever rests among them."""
        filters = reading.bars.filters
        resting = await run_in_threadpool(self._deeds.resting, filters)
        with self._sheet.fresh():
            words(f"Make {_many(resting)} ready now", "sheet-title")
            words(
                f"So many of the {count(reading.bars.total)} rest. Promised calls and closed customers stay "
                "as they are, and nobody is rung before the gap since their last call is over.",
                "soft",
            )  # fmt: skip
            reason = self._why()
            trouble = words("", "wrong")

            @alone
            async def go() -> None:
                if not reason.value.strip():
                    trouble.text = "Say why: it stands in the history."
                    return
                act = partial(self._deeds.wake, filters, reason.value.strip())
                await self._sheet.carry_out(act, Expected(resting), lambda n: f"Make {count(n)} ready")

            self._sheet.actions("Make ready", go)

    def _make(
        self, reading: Reading, asked: _Asked, name: str, reason: str, expected: Expected, progress: Progress
    ) -> str:
        filters, last = reading.bars.filters, asked.place == LAST
        if asked.how == STANDING:
            made = self._deeds.new_by_rule(filters, name, expected, last=last)
            return f"{name} is made. {_coming(made)}"
        made = self._deeds.new_by_hand(
            filters, name, reason, UNTIL[asked.until], expected, progress, last=last
        )  # fmt: skip
        if made.done is None:
            raise BadInput("the segment is made, and nobody was put into it")
        return f"{name} is made, with {_many(made.done.changed)} in it."

    def _why(self) -> ui.input:
        reason = text_field("Reason")
        choices(REASONS, lambda chosen: reason.set_value(chosen))
        return reason

    def _until(self, asked: _Asked) -> None:
        words("For how long", "label")
        choices(tuple(UNTIL), lambda chosen: setattr(asked, "until", chosen), chosen=asked.until)


def _meaning(how: str) -> str:
    if how == ONCE:
        return "They are held there. Nobody comes or goes by rule."
    return "The selection becomes its rule: whoever comes to be like them joins, whoever changes leaves."


def _coming(made: Created) -> str:
    """How many of the selection will really be in it."""
    if made.comes is None:
        return "Its customers are on their way."
    if made.comes == made.selected:
        return f"{_many(made.comes)} {'is on the' if made.comes == 1 else 'are on their'} way."
    kept = made.selected - made.comes
    return (
        f"{_many(made.comes)} will be in it; {count(kept)} of the {count(made.selected)} "
        f"{'stays' if kept == 1 else 'stay'} in segments in front of it, or held by hand."
    )


def _titled(one: SegmentNow) -> str:
    return f"{one.name} · {count(one.size)}"


def _many(number: int) -> str:
    return f"{count(number)} customer{'' if number == 1 else 's'}"
