"""How long what somebody sets an end to may last: holds, pauses, exemptions, absences, entries."""

from datetime import datetime, timedelta

from models.errors import BadInput

LONGEST_PAUSE = timedelta(days=366)
LONGEST_HOLD = timedelta(days=3_660)
LONGEST_EXEMPTION = timedelta(days=366)
LONGEST_ABSENCE = timedelta(days=366)
LONGEST_SUPPRESSION = timedelta(days=36_500)
"""Whoever means longer than that means for ever, and says so by naming no end."""


def check_end(name: str, at: datetime | None, now: datetime, longest: timedelta) -> None:
    """Raises BadInput for an end (`name`, business time) in the past, or more than `longest` ahead."""
    if at is None:
        return
    if at <= now:
        raise BadInput(f"{name}: lies in the past; it is business time", **{name: at, "now": now})
    if at - now > longest:
        message = f"{name}: lies more than {longest.days} days ahead; null is without an end"
        raise BadInput(message, **{name: at, "now": now})
