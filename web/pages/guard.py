"""What every page of a manager does: the assignments to choose from, and leaving when the key is revoked."""

from collections.abc import Sequence
from typing import Any

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.views import browse
from models.errors import RingelisteError
from web.keys import KeyRing
from web.pages.parts import box, words
from wiring.app import App

CHECK_KEY_SECONDS = 5.0
MOST_ASSIGNMENTS = 50


def assignments_of(app: App, crm_id: int) -> Sequence[Any]:
    """The assignments of the CRM, for the header."""
    with app.work(crm_id) as work:
        return browse.assignments(work, 0, MOST_ASSIGNMENTS)


def nothing_yet() -> None:
    """The page of a CRM without an assignment."""
    with box("floor empty"):
        words("There is no assignment yet. Import customers to begin: `ringeliste import`.")


def leave_when_revoked(keys: KeyRing, key: str) -> None:
    """From now on the page asks now and then whether its key is still good."""

    async def look() -> None:
        try:
            holder = await run_in_threadpool(keys.holder, key)
        except RingelisteError:
            return  # the database is away: the page says so
        if holder is None:
            ui.navigate.to("/sign-in?why=key")

    ui.timer(CHECK_KEY_SECONDS, look)
