"""An assignment's segments are made true, all of them."""

from calling.segments.resegmenting import run_rebuild
from wiring.app import app
from workers.duty import SLOW, duty

HOUR = 3_600_000


@duty("rebuild", queue=SLOW, retried=True, time_limit=HOUR, max_age=HOUR, notify_shutdown=True)
def rebuild(crm_id: int, rebuild_id: int) -> None:
    """Carry out one rebuild; one that was begun and left is begun again."""
    run_rebuild(app().opener(crm_id), rebuild_id)
