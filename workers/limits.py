"""A limit was changed: customers are stamped anew."""

from calling.limits.following import follow_change
from wiring.app import app
from workers.duty import SLOW, duty

HOUR = 3_600_000


@duty("limits", queue=SLOW, retried=True, time_limit=HOUR, max_age=HOUR, notify_shutdown=True)
def limits(crm_id: int, change_id: int) -> None:
    """Carry one change to whoever it concerns; one that was begun and left goes on where it stopped."""
    follow_change(app().opener(crm_id), change_id)
