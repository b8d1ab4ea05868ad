"""What was offered under other hours, and may ring no more under those that hold now."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from calling.handout.give_back import UNRUNG
from calling.handout.recalling import BATCH, Patience, WallAnswer, no_patience, recall_leases
from calling.hours.opening import last_ring_by, openings
from models.work import OpenWork

_LIVE = text("""
    select l.id, l.assignment_id, l.seller_id, l.state, l.ring_by, p.segment_id, p.clock_id,
           coalesce(d.rings_late_seconds, 0) * interval '1 second' as rings_late
      from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
      left join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
     where l.crm_id = :crm_id and l.ended_at is null
     order by l.id
""")
# Who looks at a card sees until when it may ring; `ring` looks at the hours again in any case.
_SHORTEN = text("""
    with locked as (
        select id from lease
         where crm_id = :crm_id and id = any(:leases) and state in ('offered', 'taken') order by id for update
    )
    update lease l set ring_by = t.ring_by, expires_at = least(l.expires_at, t.ring_by)
      from locked, unnest(cast(:leases as uuid[]), cast(:ring_bys as timestamptz[])) as t(id, ring_by)
     where l.crm_id = :crm_id and l.id = locked.id and l.id = t.id and l.ring_by > t.ring_by
""")


def take_back_shut(open_work: OpenWork, reason: str, patience: Patience = no_patience) -> WallAnswer:
    """Recall every live lease whose hours are shut now, and orders whose `ring_by` lies behind closing.

    A seller's card that may still ring is given the earlier `ring_by`. The caller has passed the turnstiles
    since the hours were changed: nothing is offered by the old ones any more.
    """
    shut, sooner = _look(open_work)
    for start in range(0, len(sooner), BATCH):
        batch = sooner[start : start + BATCH]
        with open_work() as work:
            work.run(_SHORTEN, leases=[lease for lease, _ in batch], ring_bys=[at for _, at in batch])
    return recall_leases(open_work, shut, reason, patience)


def _look(open_work: OpenWork) -> tuple[Sequence[UUID], Sequence[tuple[UUID, datetime]]]:
    """The leases that may ring no more, and the sellers' ones that may, each with its new last moment."""
    shut: list[UUID] = []
    sooner: list[tuple[UUID, datetime]] = []
    with open_work() as work:
        hours = openings(work)
        for row in work.run(_LIVE):
            closes_at = hours.of(row.assignment_id, row.segment_id).closes_at(row.clock_id, work.now)
            late = closes_at is not None and row.ring_by > last_ring_by(closes_at, row.rings_late)
            if closes_at is None or (late and row.seller_id is None and row.state in UNRUNG):
                shut.append(row.id)
            elif late and row.seller_id is not None:
                sooner.append((row.id, closes_at))
    return shut, sooner
