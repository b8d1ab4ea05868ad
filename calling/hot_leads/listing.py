"""Hot leads as people see them: who waits, since when, who has them, and how long it took to ring them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, text

from models.work import Work

Which = Literal["open", "ended"]
WHICH: tuple[Which, ...] = ("open", "ended")

_LIST = text("""
    select h.id, h.assignment_id, h.customer_id, c.external_id, c.name, h.reason, h.author, h.made_at,
           h.ended_at, h.ended_by, p.state, p.gated_by, rang.rung_at,
           coalesce(s.name, 'dialer ' || d.name) as holder
      from hot_lead h
      join customer c on c.crm_id = :crm_id and c.id = h.customer_id
      join placement p on p.crm_id = :crm_id and p.assignment_id = h.assignment_id
                      and p.customer_id = h.customer_id
      left join lease rang on rang.crm_id = :crm_id and rang.id = h.ended_lease_id
      left join lease l on l.crm_id = :crm_id
                       and l.id = case when h.ended_at is null then p.lease_id else h.ended_lease_id end
      left join seller s on s.crm_id = :crm_id and s.id = l.seller_id
      left join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
     where h.crm_id = :crm_id and h.id > :after and (h.ended_at is null) = :open
       and (cast(:assignment_id as bigint) is null or h.assignment_id = :assignment_id)
     order by h.id limit :most
""")


@dataclass(frozen=True, slots=True)
class Listed:
    """A hot lead. `waited`: business time from when they were made one until they were rung, or until now.

    `holder`: who has them, or rang them. `gate`: the stamped gate that is shut for them, if any.
    """

    id: int
    assignment_id: int
    customer_id: int
    external_id: str
    name: str
    reason: str
    author: str
    made_at: datetime
    rung_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    state: str
    gate: str | None
    holder: str | None
    waited: timedelta


def hot_leads(
    work: Work, after: int, most: int, *, which: Which = "open", assignment_id: int | None = None
) -> Sequence[Listed]:
    """Hot leads in the order in which they were made: those who wait, or those that have ended."""
    rows = work.run(
        _LIST, after=after, most=most, open=which == "open", assignment_id=assignment_id
    ).all()  # fmt: skip
    return [_listed(row, work.now) for row in rows]


def _listed(row: Row[Any], now: datetime) -> Listed:
    until: datetime = row.rung_at or row.ended_at or now
    return Listed(
        row.id, row.assignment_id, row.customer_id, row.external_id, row.name, row.reason, row.author,
        row.made_at, row.rung_at, row.ended_at, row.ended_by, row.state, row.gated_by, row.holder,
        until - row.made_at,
    )  # fmt: skip
