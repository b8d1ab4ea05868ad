"""Time alone moves customers between segments: rules of hours, days and dates, and holds that run out."""

from datetime import timedelta

from calling.segments.sweeping import SLACK, sweep_all
from wiring.app import app
from workers.duty import duty


@duty("sweep")
def sweep(crm_id: int) -> None:
    """Move whoever's time has come in one CRM.

    A transaction may take so many wall seconds; on a fast business clock those are hours.
    """
    there = app()
    slowest = timedelta(seconds=there.settings.transaction_seconds * max(there.clock.base().speed, 1.0))
    sweep_all(there.opener(crm_id), max(SLACK, 2 * slowest))
