"""A register came in another version, or is used in another way: customers are stamped anew."""

from calling.registers.stamping import stamp_use
from calling.registers.walling import wall
from wiring.app import app
from workers.duty import SLOW, duty

HOUR = 3_600_000


@duty("registers", queue=SLOW, retried=True, time_limit=HOUR, max_age=HOUR, notify_shutdown=True)
def registers(crm_id: int, use_id: int) -> None:
    """Follow one use of a register by a CRM; what was begun goes on where it stopped."""
    wall(app().opener(crm_id))
    stamp_use(app().opener(crm_id), use_id)
