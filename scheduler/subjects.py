"""Which assignments and dialers of a CRM have something to do: what a tick asks about."""

from sqlalchemy import text

from models.work import OpenWork

_WANTING = text(
    """
    select assignment_id from seller
     where crm_id = :crm_id and presence = 'available' and assignment_id is not null
    union
    select assignment_id from dialer
     where crm_id = :crm_id and wanted > 0 and assignment_id is not null
    order by assignment_id
    """
)
_TOLD = text(
    "select distinct dialer_id from dialer_event"
    " where crm_id = :crm_id and processed_at is null order by dialer_id"
)


def assignments_wanting(open_work: OpenWork) -> list[int]:
    """Assignments for which somebody is available or some dialer wants orders, by id."""
    with open_work() as work:
        return list(work.run(_WANTING).scalars())


def dialers_told(open_work: OpenWork) -> list[int]:
    """Dialers with journalled events that have not taken effect yet, by id."""
    with open_work() as work:
        return list(work.run(_TOLD).scalars())
