"""Signs of life of sellers' pages: whoever has sent them and sends none any more is not there.

Their cards go back to the list, so that nobody waits for a browser that has died. Wall time is asked of the
caller: on a simulated clock of 60 times the speed a business minute is one second. Who never sent a sign,
such as a program that asks for customers, is not watched.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from calling.handout.connected import awaited
from calling.handout.give_back import STARTED
from calling.handout.presence import be
from models.errors import Conflict, NotFound
from models.work import OpenWork, Work

EVERY = timedelta(seconds=20)
"""Wall time after which a page sends its next sign."""

NOTED_EVERY = timedelta(seconds=10)
"""Wall time within which further signs write nothing."""

CALL_GOES_ON = timedelta(minutes=1)
"""Business time after which nobody waits any more for what a silent seller's call comes to."""

_NOTE = text("""
    update seller set alive_at = :wall
     where crm_id = :crm_id and id = :seller_id and presence = 'available'
       and (alive_at is null or alive_at < :stale)
""")
_SCREEN = text("""
    select s.presence, s.said_by, l.id as lease_id, l.state, l.flagged, l.expires_at, s.connected_lease_id
      from seller s
      left join lateral (
           select h.id, h.state, h.flagged, h.expires_at from lease h
            where h.crm_id = :crm_id and h.seller_id = s.id and h.ended_at is null and h.state <> 'offered'
            order by h.id limit 1) l on true
     where s.crm_id = :crm_id and s.id = :seller_id
""")
_SILENT = text("""
    select id from seller
     where crm_id = :crm_id and presence = 'available' and alive_at < :since order by id
""")
_STILL = text("select alive_at < :since from seller where crm_id = :crm_id and id = :seller_id")
_SHORTEN = text("""
    update lease l set expires_at = :soon
      from seller s
     where s.crm_id = :crm_id and s.id = :seller_id and s.presence = 'available' and s.alive_at < :since
       and l.crm_id = :crm_id and l.seller_id = s.id and l.ended_at is null and l.state = any(:started)
       and l.expires_at > :soon
""")
_ANEW = text("""
    update seller set alive_at = :wall where crm_id = :crm_id and presence = 'available' and alive_at < :wall
""")


@dataclass(frozen=True, slots=True)
class Alive:
    """What a page has to show: how its seller stands, and the customer on their screen, if any.

    `flagged`: what an earlier call of that customer came to, told since this one began. `expires_at` (UTC).
    """

    presence: str
    said_by: str | None
    lease_id: UUID | None
    state: str | None
    flagged: str | None
    expires_at: datetime | None


def alive(work: Work, seller_id: int, wall: datetime) -> Alive:
    """A sign of life at `wall` time (UTC): from now on silence is noticed. Raises NotFound."""
    work.run(_NOTE, seller_id=seller_id, wall=wall, stale=wall - NOTED_EVERY)
    row = work.run(_SCREEN, seller_id=seller_id).first()
    if row is None:
        raise NotFound("seller", seller_id)
    lease = row
    if row.connected_lease_id is not None:
        lease = awaited(work, seller_id, row.connected_lease_id) or row
    return Alive(row.presence, row.said_by, lease.lease_id, lease.state, lease.flagged, lease.expires_at)


def send_silent_away(open_work: OpenWork, wall: datetime, silent: timedelta) -> list[int]:
    """Send away who was heard of once and not for so long: what they hold unrung goes back. Who they are.

    Their call, if they are in one, is waited for a minute more; a late word of it counts all the same.
    """
    since = wall - silent
    with open_work() as work:
        found = list(work.run(_SILENT, since=since).scalars())
    said_by = f"the heartbeat (nothing heard for {silent.total_seconds():.0f} s)"
    return [seller for seller in found if _send_away(open_work, seller, since, said_by)]


def _send_away(open_work: OpenWork, seller_id: int, since: datetime, said_by: str) -> bool:
    """Each a transaction of its own; whoever was heard of meanwhile stays."""
    try:
        with open_work() as work:
            work.run(
                _SHORTEN,
                seller_id=seller_id,
                since=since,
                started=list(STARTED),
                soon=work.now + CALL_GOES_ON,
            )
        with open_work() as work:
            be(work, seller_id, "away", said_by=said_by)
            # Their row is locked by now: a sign that comes later waits, and finds them away.
            if not work.run(_STILL, seller_id=seller_id, since=since).scalar():
                raise _Heard("they were heard of meanwhile")
    except Conflict:
        return False
    return True


class _Heard(Conflict):
    """Nobody has to go."""


def begin_anew(work: Work, wall: datetime) -> None:
    """Nobody could be heard until now (we were away, not they): silence counts from here."""
    work.run(_ANEW, wall=wall)
