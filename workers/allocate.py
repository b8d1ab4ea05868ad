"""Spread an assignment's best customers over the sellers and dialers that want some."""

from calling.handout.allocate import allocate_all
from wiring.app import app
from workers.duty import duty


@duty("allocate")
def allocate(crm_id: int, assignment_id: int) -> None:
    """Fill the lists of one assignment as deep as they may be."""
    allocate_all(app().opener(crm_id), assignment_id)
