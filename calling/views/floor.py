"""The floor as it is now: who holds whom and since when, and how many customers could be rung this minute."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from calling.handout.connected import AWAITED, STATE
from calling.handout.ring import TALK
from calling.hours.opening import REGISTER_STALE, after_hours, openings
from calling.walls import pauses
from models.ids import first_id_of
from models.work import Work

LOOK_BACK = timedelta(hours=1)
"""A seller who waits has done so since their last lease ended, if that was not longer ago."""


@dataclass(frozen=True, slots=True)
class SellerNow:
    """A seller of an assignment. `state`: away, paused, waiting, taken, rung or wrap_up, since `since` (UTC).

    `customer`, `external_id` and `lease_id` are of whom they hold; `listed` customers wait in their list.
    `reason`, `back_at` (UTC), `said_by`: why they are away, until when and by whose word, as far as said;
    `off`: for the day, so that nobody waits for them.
    """

    id: int
    name: str
    state: str
    since: datetime
    segment_id: int | None
    lease_id: UUID | None
    customer: str | None
    external_id: str | None
    listed: int
    reason: str | None = None
    back_at: datetime | None = None
    said_by: str | None = None
    off: bool = False


@dataclass(frozen=True, slots=True)
class DialerNow:
    """A dialer of an assignment: orders offered to it, taken by it, and ringing or talking."""

    id: int
    name: str
    mode: str
    paused: bool
    linked_at: datetime | None
    offered: int
    taken: int
    rung: int


@dataclass(frozen=True, slots=True)
class Floor:
    """One assignment now. `callable_now`: by segment, free customers whose hours are open; none where paused.
    `rebuilding`: new rules are in force, and customers are still on their way to their segments.

    `opens_at`: while no free customer's hours are open, when the first of them open (None: none will).
    `shut_by`: what shuts them then, "window" or "register_stale"; None: somebody is open, or nobody is free.
    """

    sellers: list[SellerNow]
    dialers: list[DialerNow]
    callable_now: Mapping[int, int]
    any_open: bool
    opens_at: datetime | None
    shut_by: str | None
    rebuilding: bool


# Whom they took, or whom a dialer put through to them, until they have told what came of it.
_SELLERS = text(f"""
    select s.id, s.name, s.presence, s.presence_since, s.away_reason, s.back_at, s.said_by,
           coalesce(s.off_until > :now, false) as off, s.segment_id, l.id as lease_id, l.state, l.customer_id,
           l.since,
           c.name as customer, c.external_id,
           (select count(*) from lease o where o.crm_id = :crm_id and o.seller_id = s.id
               and o.ended_at is null and o.state = 'offered') as listed
      from seller s
      left join lateral (
           select h.id, h.state, h.customer_id,
                  coalesce(h.wrap_up_at, h.rung_at, h.taken_at) as since, 1 as place
             from lease h
            where h.crm_id = :crm_id and h.seller_id = s.id and h.ended_at is null
              and h.state in ('taken', 'rung', 'wrap_up')
           union all
           select l.id, {STATE}, l.customer_id, coalesce(l.wrap_up_at, l.ended_at, l.rung_at), 0
             from lease l join assignment a on a.crm_id = :crm_id and a.id = l.assignment_id
            where l.crm_id = :crm_id and l.id = s.connected_lease_id and l.connected_seller_id = s.id
              and {AWAITED}
           order by place, id limit 1) l on true
      left join customer c on c.crm_id = :crm_id and c.id = l.customer_id
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id
     order by s.name, s.id
""")  # noqa: S608 - our own words
# Ids carry their time, so this reads the last hour's leases and no others.
_LAST = text("""
    select seller_id, max(ended_at) as ended_at from lease
     where crm_id = :crm_id and id >= :since and seller_id is not null group by seller_id
""")
_DIALERS = text("""
    select d.id, d.name, d.mode, d.wanted_at as linked_at, d.segment_id,
           count(*) filter (where l.state = 'offered') as offered,
           count(*) filter (where l.state = 'taken') as taken,
           count(*) filter (where l.state in ('rung', 'wrap_up')) as rung
      from dialer d
      left join lease l on l.crm_id = :crm_id and l.dialer_id = d.id and l.ended_at is null
     where d.crm_id = :crm_id and d.assignment_id = :assignment_id
     group by d.crm_id, d.id, d.name, d.mode, d.wanted_at, d.segment_id
     order by d.name, d.id
""")
_FREE = text("""
    select p.segment_id, p.clock_id, count(*) as free
      from placement p
      join segment s on s.crm_id = :crm_id and s.id = p.segment_id and s.retired_at is null
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id
       and p.state = 'ready' and p.gated_by is null
     group by p.segment_id, p.clock_id
""")
_REBUILDING = text("""
    select exists (select from rebuild where crm_id = :crm_id and assignment_id = :assignment_id
                      and finished_at is null)
""")


def floor(work: Work, assignment_id: int) -> Floor:
    """Everything that moves on one assignment's floor, read in one transaction."""
    standing = pauses.standing(work)
    free, any_open, opens_at, shut_by = _callable(work, assignment_id, standing)
    return Floor(
        _sellers(work, assignment_id, standing), _dialers(work, assignment_id, standing),
        free, any_open, opens_at, shut_by,
        bool(work.run(_REBUILDING, assignment_id=assignment_id).scalar()),
    )  # fmt: skip


def _callable(
    work: Work, assignment_id: int, standing: pauses.Pauses
) -> tuple[dict[int, int], bool, datetime | None, str | None]:
    rows = work.run(_FREE, assignment_id=assignment_id).all()
    hours = openings(work, sorted({row.clock_id for row in rows}))
    free: dict[int, int] = {}
    any_open, opening, told = False, list[datetime | None](), set[bool | None]()
    for doors, segments in hours.by_hours(assignment_id, sorted({row.segment_id for row in rows})):
        open_now = doors.open(work.now)
        here = [row for row in rows if row.segment_id in segments]
        shut = sorted({row.clock_id for row in here} - open_now.keys())
        any_open = any_open or len(shut) < len({row.clock_id for row in here})
        told |= {doors.by_hours(clock_id, work.now) for clock_id in shut}
        opening += [doors.next_opening(clock_id, work.now) for clock_id in shut]
        for row in here:
            paused = standing.shut(assignment_id=assignment_id, segment_id=row.segment_id)
            if row.clock_id in open_now and not paused:
                free[row.segment_id] = free.get(row.segment_id, 0) + row.free
    if any_open or not rows:
        return free, any_open, None, None
    shut_by = "window" if after_hours(told) else REGISTER_STALE
    return free, False, min((at for at in opening if at), default=None), shut_by


def _sellers(work: Work, assignment_id: int, standing: pauses.Pauses) -> list[SellerNow]:
    found = []
    since = first_id_of(work.now - LOOK_BACK)
    last = {row.seller_id: row.ended_at for row in work.run(_LAST, since=since)}
    for row in work.run(_SELLERS, assignment_id=assignment_id, talk=TALK):
        paused = standing.shut(assignment_id=assignment_id, segment_id=row.segment_id, seller_id=row.id)
        idle = "away" if row.presence == "away" else "paused" if paused else "waiting"
        idle_since = max(row.presence_since, last.get(row.id) or row.presence_since)
        found.append(
            SellerNow(
                row.id, row.name, row.state or idle, row.since or idle_since, row.segment_id,
                row.lease_id, row.customer, row.external_id, row.listed,
                row.away_reason, row.back_at, row.said_by, row.off,
            )
        )  # fmt: skip
    return found


def _dialers(work: Work, assignment_id: int, standing: pauses.Pauses) -> list[DialerNow]:
    found = []
    for row in work.run(_DIALERS, assignment_id=assignment_id):
        paused = standing.shut(assignment_id=assignment_id, segment_id=row.segment_id, dialer_id=row.id)
        found.append(
            DialerNow(
                row.id, row.name, row.mode, paused is not None,
                row.linked_at, row.offered, row.taken, row.rung,
            )
        )  # fmt: skip
    return found
