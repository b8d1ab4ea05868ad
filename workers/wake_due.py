"""What time alone changes: rests end, gates open."""

from calling.handout import due
from wiring.app import app
from workers.duty import duty


@duty("wake_due")
def wake_due(crm_id: int) -> None:
    """Do what has come due in one CRM."""
    open_work = app().opener(crm_id)
    due.wake_due(open_work)
    due.open_gates(open_work)
