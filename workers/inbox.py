"""What a dialer told us, and its link journalled, takes effect."""

from calling.dialers.inbox import process_inbox
from wiring.app import app
from workers.duty import duty


@duty("inbox")
def inbox(crm_id: int, dialer_id: int) -> None:
    """Work off the journalled events of one dialer."""
    process_inbox(app().opener(crm_id), dialer_id)
