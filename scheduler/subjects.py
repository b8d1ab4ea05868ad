"""Which assignments and dialers of a CRM have something to do: what a tick asks about."""

from sqlalchemy import text

from calling.views.dry import wanting
from models.work import OpenWork

_TOLD = text(
    "select distinct dialer_id from dialer_event"
    " where crm_id = :crm_id and processed_at is null order by dialer_id"
)


def assignments_wanting(open_work: OpenWork) -> list[int]:
    """Assignments for which somebody is available or some dialer wants orders, by id."""
    with open_work() as work:
        return list(wanting(work))


def dialers_told(open_work: OpenWork) -> list[int]:
    """Dialers with journalled events that have not taken effect yet, by id."""
    with open_work() as work:
        return list(work.run(_TOLD).scalars())
