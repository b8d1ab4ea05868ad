"""When the next clock opens: at 09:00:00 two hundred sellers ask, and a second's tick may be late.

On a simulated clock one wall second is a business minute, so the instant itself is aimed at.
"""

from datetime import datetime
from time import monotonic

from calling.hours.opening import openings
from models.work import Work
from wiring.app import App

AHEAD_SECONDS = 1.5
"""An opening this near (wall time) is worth a job of its own: longer than the rhythm in which we look."""

MARGIN_SECONDS = 0.01
"""Aim behind the instant: a hair before it the clock is still shut."""

KEPT_SECONDS = 60.0
"""How long a known opening is believed: hours may be edited, and new clocks appear."""


class Lookout:
    """The next opening of each CRM, remembered. For one thread at a time."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[datetime | None, float]] = {}

    def seconds_until_next(self, app: App, crm_id: int) -> float | None:
        """Wall seconds until the CRM's next opening, if it is near; else None."""
        opening, read_at = self._known.get(crm_id, (None, 0.0))
        if crm_id not in self._known or monotonic() - read_at > KEPT_SECONDS:
            with app.work(crm_id) as work:
                opening = next_opening(work)
            self._known[crm_id] = (opening, monotonic())
        away = app.clock.wall_seconds_until(opening) if opening else None
        return away + MARGIN_SECONDS if away is not None and away <= AHEAD_SECONDS else None

    def passed(self, crm_id: int) -> None:
        """The known opening has come: look for the one after it."""
        self._known.pop(crm_id, None)


def next_opening(work: Work) -> datetime | None:
    """The next instant (UTC) after now at which a clock that is shut opens, under this CRM's hours."""
    return openings(work).next_of_all(work.now)
