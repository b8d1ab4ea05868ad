"""A bulk action that somebody began and did not finish is gone on with."""

from calling.segments.bulk import carry_out
from wiring.app import app
from workers.duty import SLOW, duty

HOUR = 3_600_000


@duty("bulk", queue=SLOW, retried=True, time_limit=HOUR, max_age=HOUR, notify_shutdown=True)
def bulk(crm_id: int, action_id: int) -> None:
    """Do what is left of one action; whoever is still at it is helped."""
    carry_out(app().opener(crm_id), action_id)
