"""Which assignments and dialers of a CRM have something to do: what a tick asks about."""

from sqlalchemy import text

from calling.views.dry import wanting
from models.tables.attempts import UNKNOWN_KINDS
from models.tables.base import one_of
from models.work import OpenWork

# Told and not processed yet, or laid aside by an older version of the dialer's causes.
_TOLD = text(f"""
    select dialer_id from dialer_event where crm_id = :crm_id and processed_at is null
     union
    select d.id from dialer d
     cross join lateral (
        select from set_aside s
         where s.crm_id = :crm_id and s.dialer_id = d.id and s.seen_at is null
           and {one_of("s.problem_kind", UNKNOWN_KINDS)} and s.read_version < d.causes_version
         limit 1) as older
     where d.crm_id = :crm_id
     order by 1
""")  # noqa: S608 - our own words


def assignments_wanting(open_work: OpenWork) -> list[int]:
    """Assignments for which somebody is available or some dialer wants orders, by id."""
    with open_work() as work:
        return list(wanting(work))


def dialers_told(open_work: OpenWork) -> list[int]:
    """Dialers with journalled events that have not taken effect yet, or may now, by id."""
    with open_work() as work:
        return list(work.run(_TOLD).scalars())
