"""Customers whom nobody calls for want of a zone: how many, the first of them, and a field for each."""

from datetime import datetime

from nicegui import ui
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool

from calling.customers.verifying import verify_zone
from calling.customers.vouching import Verified
from calling.views.zones import count_unknown, unknown_zones
from models.errors import RingelisteError
from models.work import Work
from web.keys import Holder
from web.pages.controls import alone, button, text_field
from web.pages.parts import box, count, words
from wiring.app import App

SHOWN = 20

Nowhere = tuple[int, list[Row[tuple[object, ...]]]]
"""How many there are, and the first of them."""


def nowhere(work: Work) -> Nowhere:
    """Read what the panel shows."""
    total = count_unknown(work)
    return total, unknown_zones(work, 0, SHOWN) if total else []


def zone_panel(app: App, holder: Holder, found: Nowhere) -> None:
    """The count, and a row for each of the first; nothing where somebody knows every zone."""
    total, rows = found
    if not total:
        return
    more = "" if total == len(rows) else f", the first {len(rows)} of them"
    words(f"Zone unknown: nobody calls {count(total)}{more}", "label").mark("nowhere")
    with box("nowhere"):
        for row in rows:
            _row(app, holder, row)
    if total > len(rows):
        words("All of them: ringeliste zones unknown; many at once: zones verify-list.", "soft")


def _told(done: Verified) -> str:
    """What was done, and to which promised calls."""
    moved = [f"the call at {_hour(one.wall_time)} moved with it" for one in done.moved]
    stay = [f"a call stays promised at {_hour(one.wall_time)} in {one.zone}" for one in done.stay]
    return "; ".join((f"{done.zone}: they may be called by it now", *moved, *stay))


def _hour(wall_time: str) -> str:
    return f"{datetime.fromisoformat(wall_time):%a %d %b %H:%M}"


def _row(app: App, holder: Holder, row: Row[tuple[object, ...]]) -> None:
    with box("nowhere-row"):
        words(row.name or row.external_id, "strong")
        words(", ".join(row.numbers), "soft")
        field = text_field(f"Zone of {row.external_id}", placeholder="Europe/Oslo")
        answer = words("", "soft")

        async def verify() -> None:
            try:
                done = await run_in_threadpool(
                    verify_zone, app.opener(holder.crm_id), row.id, field.value or "",
                    author=holder.author, reason="verified on the page",
                )  # fmt: skip
            except RingelisteError as error:
                answer.classes(add="warned", remove="soft")
                answer.text = error.message
                return
            answer.classes(add="soft", remove="warned")
            answer.text = _told(done)
            ui.run_javascript("document.activeElement.blur()")

        act = alone(verify)
        field.on("keydown.enter", act)
        button("Verify", act, "go")
