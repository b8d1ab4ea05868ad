"""What time alone changes: rests end, gates open, promised calls come due, hot leads go on."""

from calling.handout import due
from calling.handout.promise_watch import watch_promises
from calling.hot_leads.watching import watch_hot_leads
from wiring.app import app
from workers.duty import duty


@duty("wake_due")
def wake_due(crm_id: int) -> None:
    """Do what has come due in one CRM."""
    open_work = app().opener(crm_id)
    due.wake_due(open_work)
    due.open_gates(open_work)
    watch_hot_leads(open_work)
    watch_promises(open_work)
