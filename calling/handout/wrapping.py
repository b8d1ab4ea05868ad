"""The conversation is over, the outcome is not told yet: wrap-up, for as long as the assignment allows.

Over the limit nobody knows what came of the call: the reaper frees the seller, and a late word counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from calling.handout.ring import TALK, lock_live
from models.errors import LeaseGone
from models.work import Work

LIMIT = "coalesce(a.wrap_up_seconds * interval '1 second', :talk)"
"""SQL over `a` assignment, with `talk` bound: business time that a wrap-up may take."""

# Whoever heard of the hang-up before the ring that it ended is here with the ring just noted.
_WRAP_UP = text(f"""
    update lease l set state = 'wrap_up', wrap_up_at = greatest(t.at, l.rung_at),
           expires_at = greatest(t.at, l.rung_at) + {LIMIT}
      from unnest(cast(:leases as uuid[]), cast(:times as timestamptz[])) as t(id, at), assignment a
     where l.crm_id = :crm_id and l.id = t.id and l.state = 'rung'
       and a.crm_id = :crm_id and a.id = l.assignment_id
    returning l.id as lease_id, l.wrap_up_at, l.expires_at
""")  # noqa: S608 - our own words
_LOCK = text("""
    select id from lease where crm_id = :crm_id and id = any(:leases) and state = 'rung'
     order by id for update
""")


@dataclass(frozen=True, slots=True)
class WrapUp:
    """The call is over since `wrap_up_at`; without an outcome by `expires_at` the lease ends unconfirmed."""

    lease_id: UUID
    wrap_up_at: datetime
    expires_at: datetime


def hang_up(work: Work, lease_id: UUID, seller_id: int) -> WrapUp:
    """A seller hung up, on a call of theirs or one put through to them: wrap-up begins. Twice is once.

    Raises LeaseGone: it is not theirs, has ended, or has not rung.
    """
    lease = lock_live(work, lease_id, seller_id, even_connected=True)
    if lease.state == "wrap_up":
        return WrapUp(lease_id, lease.wrap_up_at, lease.expires_at)
    if lease.state != "rung":
        raise LeaseGone(lease_id, f"it is {lease.state}, not rung")
    (row,) = work.run(_WRAP_UP, leases=[lease_id], times=[work.now], talk=TALK)
    return WrapUp(**row._mapping)


def hung_up(work: Work, calls: Sequence[tuple[UUID, datetime]]) -> None:
    """Dialers told when these calls were over. What has ended, or never rang, stays as it is.

    The caller has passed the turnstiles of their assignments, and has noted the rings.
    """
    if calls:
        times = dict(reversed(calls))
        work.run(_LOCK, leases=list(times))
        work.run(_WRAP_UP, leases=list(times), times=list(times.values()), talk=TALK)
