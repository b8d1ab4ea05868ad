"""Leases whose time is up end, and their customers go on."""

from calling.handout import reaper
from wiring.app import app
from workers.duty import duty


@duty("reap")
def reap(crm_id: int) -> None:
    """End what has expired in one CRM."""
    reaper.reap(app().opener(crm_id))
