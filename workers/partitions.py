"""Attempts are kept by month: a month's place is made before its first attempt."""

from calling.outcomes.attempts import ensure_months
from wiring.app import app
from workers.duty import SLOW, duty


@duty("partitions", queue=SLOW, retried=True)
def partitions() -> None:
    """Make what months are missing."""
    now = app().now()
    with app().shared() as session:
        ensure_months(session, now)
