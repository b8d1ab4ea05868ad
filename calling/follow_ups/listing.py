"""Promised calls as lists: a seller's own, what is due, what is late, what has ended and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, text

from calling.follow_ups.standing import will_be
from calling.handout.promised import PASSED
from calling.hours.opening import REGISTER_STALE, Doors, openings
from calling.walls import pauses
from calling.walls.pauses import Pauses
from models.work import Work

Which = Literal["open", "due", "overdue", "ended"]
WHICH: tuple[Which, ...] = ("open", "due", "overdue", "ended")
Standing = Literal["waits", "due", "handed_out", "ended"]

_ROWS = f"""
    select f.*, c.external_id, c.name, a.name as assignment, s.name as seller, p.clock_id, p.gated_by,
           p.gated_until, p.state, p.segment_id, l.state as lease_state, {PASSED} as anybodys,
           s.away_reason, s.back_at,
           f.ended_at is null and coalesce(s.off_until > greatest(f.due_at, :now), false) as off
      from follow_up f
      join assignment a on a.crm_id = :crm_id and a.id = f.assignment_id
      join customer c on c.crm_id = :crm_id and c.id = f.customer_id
      join placement p on p.crm_id = :crm_id and p.assignment_id = f.assignment_id
                      and p.customer_id = f.customer_id
      left join seller s on s.crm_id = :crm_id and s.id = f.seller_id
      left join lease l on l.crm_id = :crm_id and l.id = p.lease_id and l.follow_up_id = f.id
     where f.crm_id = :crm_id
"""  # noqa: S608 - our own words
_LIST = text(f"""{_ROWS} and f.id > :after
       and (cast(:assignment_id as bigint) is null or f.assignment_id = :assignment_id)
       and (cast(:customer_id as bigint) is null or f.customer_id = :customer_id)
       and (cast(:seller_id as bigint) is null or f.seller_id = :seller_id)
       and case cast(:which as text)
           when 'ended' then f.ended_at is not null
           when 'open' then f.ended_at is null
           when 'due' then f.ended_at is null and f.due_at <= :now
           else f.ended_at is null
                and f.due_at + a.follow_up_grace_seconds * interval '1 second' <= :now end
     order by f.id limit :most
""")
# By their time; the seller, or what is nobody's own, or all.
_BETWEEN = text(f"""{_ROWS} and f.assignment_id = :assignment_id and f.ended_at is null
       and f.due_at >= :since and f.due_at < :until
       and (cast(:of as text) = 'all' or f.seller_id is not distinct from :seller_id)
     order by f.due_at, f.id limit :most
""")


@dataclass(frozen=True, slots=True)
class OwnerOff:
    """Why an owner is off for the day, and when they are back (UTC); None: they did not say."""

    reason: str | None
    back_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A promised call. `asked_at` is what was asked for (UTC), `wall_time` on the wall of `zone`.

    `due_at`: from when it is handed out. `will_be`: when hours, pauses and gates as they stand next allow it;
    None: not by time alone, or it has ended. `anybodys`: shared, or its owner's grace is over;
    `anybodys_at`: when that is, once it runs. `owner_off`: they are off for the day, so that it is
    everybody's from its time on. `gate`: what keeps it from being handed out besides hours: a stamped gate,
    pause, or register_stale: its register is too old by then.
    """

    id: int
    assignment_id: int
    assignment: str
    customer_id: int
    external_id: str
    name: str
    seller_id: int | None
    seller: str | None
    asked_at: datetime
    wall_time: str
    zone: str
    asked_as: str
    due_at: datetime
    will_be: datetime | None
    anybodys_at: datetime | None
    standing: Standing
    anybodys: bool
    owner_off: OwnerOff | None
    gate: str | None
    note: str
    author: str
    made_by: str
    created_at: datetime
    lease_id: UUID | None
    replaces: int | None
    handed_at: datetime | None
    handed_by: str | None
    handed_from: int | None
    ended_at: datetime | None
    ended_by: str | None
    ended_author: str | None


_PLAIN = (
    "id", "assignment_id", "assignment", "customer_id", "external_id", "name", "seller_id", "seller",
    "asked_at", "wall_time", "zone", "asked_as", "due_at", "note", "author", "made_by", "created_at",
    "lease_id", "anybodys_at", "replaces", "handed_at", "handed_by", "handed_from", "ended_at", "ended_by",
    "ended_author",
)  # fmt: skip


def follow_ups(
    work: Work, after: int, most: int, *, which: Which = "open", assignment_id: int | None = None,
    customer_id: int | None = None, seller_id: int | None = None,
) -> list[Listed]:  # fmt: skip
    """Follow-ups with an id above `after`, in the order in which they were made.

    `overdue`: the owner's grace is over and nobody has rung yet.
    """
    return _all_listed(
        work,
        work.run(
            _LIST, after=after, most=most, which=which, assignment_id=assignment_id, customer_id=customer_id,
            seller_id=seller_id,
        ).all(),
    )  # fmt: skip


def open_between(
    work: Work, assignment_id: int, since: datetime, until: datetime, most: int, *, seller_id: int | None,
    of_all: bool,
) -> list[Listed]:  # fmt: skip
    """Open ones of an assignment due from `since` on and before `until` (UTC), by their time.

    `of_all`: whosever they are; else the seller's, or with None what is nobody's own.
    """
    of = {"of": "all" if of_all else "one", "seller_id": seller_id}
    return _all_listed(
        work,
        work.run(_BETWEEN, assignment_id=assignment_id, since=since, until=until, most=most, **of).all(),
    )


def _all_listed(work: Work, rows: Sequence[Row[Any]]) -> list[Listed]:
    stopped = pauses.standing(work)
    hours = openings(work, sorted({row.clock_id for row in rows}))
    return [_listed(row, hours.of(row.assignment_id, row.segment_id), stopped, work.now) for row in rows]


def _listed(row: Row[Any], hours: Doors, stopped: Pauses, now: datetime) -> Listed:
    pause = stopped.shut(assignment_id=row.assignment_id, segment_id=row.segment_id)
    return Listed(
        **{name: getattr(row, name) for name in _PLAIN},
        will_be=None if row.ended_at else will_be(max(row.due_at, now), row, hours, stopped),
        standing=_standing(row, now),
        anybodys=row.anybodys,
        owner_off=OwnerOff(row.away_reason, row.back_at) if row.off else None,
        gate=None if row.ended_at else row.gated_by or ("pause" if pause else _stale(row, hours, now)),
    )


def _stale(row: Row[Any], hours: Doors, now: datetime) -> str | None:
    """Whether only a newer version of a register lets it be rung."""
    at = max(row.due_at, now)
    opening = hours.hours.next_opening(hours.clocks[row.clock_id], at)
    return REGISTER_STALE if opening is not None and hours.refused(row.clock_id, opening) else None


def _standing(row: Row[Any], now: datetime) -> Standing:
    if row.ended_at is not None:
        return "ended"
    if row.lease_state is not None:
        return "handed_out"
    return "due" if row.due_at <= now else "waits"
