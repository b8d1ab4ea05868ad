"""What has been done, and what is left: per segment, per hour."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from calling.views.segment_list import StandingPause, segment_list
from models.ids import first_id_of
from models.outcomes import EFFECTS
from models.work import Work

CONTACTS = sorted(outcome.value for outcome, effect in EFFECTS.items() if effect.contact)
_REACHED = ("attempts", "contacts", "sales", "this_hour")
_STANDING = (
    "id", "key", "name", "position", "size", "free", "gated", "leased", "resting", "follow_up", "closed",
    "held", "pause",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """One segment now: how many are there, in what state, and what was reached among its leases.

    Size = free + gated + leased + resting + follow_up + closed; `held` of them are by hand. `this_hour`:
    attempts reported in the hour that runs. `pause`: why nothing of it is handed out.
    """

    id: int
    key: str
    name: str
    position: int
    paused: bool
    size: int
    free: int
    gated: int
    leased: int
    resting: int
    follow_up: int
    closed: int
    attempts: int = 0
    contacts: int = 0
    sales: int = 0
    this_hour: int = 0
    held: int = 0
    pause: StandingPause | None = None

    @property
    def waiting(self) -> int:
        """Those who wait for their time: resting ones and promised ones."""
        return self.resting + self.follow_up


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of work: attempts reported in it, and what they came to in the end, whenever that was told."""

    begins: datetime
    attempts: int
    contacts: int
    sales: int


_WORKED = text("""
    select segment_id, count(*) as attempts,
           count(*) filter (where outcome = any(:contacts)) as contacts,
           count(*) filter (where outcome = 'sale') as sales,
           count(*) filter (
               where reported_at >= date_trunc('hour', cast(:now as timestamptz))) as this_hour
      from attempt_in_force
     where crm_id = :crm_id and assignment_id = :assignment_id
     group by segment_id
""")
_LABELS = text("""
    with standing as (
        select one.id, count(*) as size from placement p cross join unnest(p.labels) as one(id)
         where p.crm_id = :crm_id and p.assignment_id = :assignment_id
           and p.state not in ('left', 'anonymised')
         group by one.id
    )
    select l.id, l.key, l.name, coalesce(p.size, 0) as size
      from label l left join standing p on p.id = l.id
     where l.crm_id = :crm_id and l.assignment_id = :assignment_id and l.retired_at is null
     order by l.position, l.id
""")
_HOURS = text("""
    select date_trunc('hour', reported_at) as begins, count(*) as attempts,
           count(*) filter (where outcome = any(:contacts)) as contacts,
           count(*) filter (where outcome = 'sale') as sales
      from attempt_in_force
     where crm_id = :crm_id and assignment_id = :assignment_id and lease_id >= :since
       and reported_at >= :from
     group by 1 order by 1
""")


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label now, and how many customers have it."""

    id: int
    key: str
    name: str
    size: int


def labels(work: Work, assignment_id: int) -> list[LabelFigures]:
    """Every label of an assignment, in its order."""
    return [LabelFigures(**row._mapping) for row in work.run(_LABELS, assignment_id=assignment_id)]


def segments(work: Work, assignment_id: int) -> list[SegmentFigures]:
    """Every segment of an assignment, in order of priority."""
    rows = work.run(_WORKED, assignment_id=assignment_id, contacts=CONTACTS)
    worked = {row.segment_id: {name: getattr(row, name) for name in _REACHED} for row in rows}
    return [
        SegmentFigures(
            **{name: getattr(one, name) for name in _STANDING}, paused=one.pause is not None,
            **worked.get(one.id, {}),
        )
        for one in segment_list(work, assignment_id)
    ]  # fmt: skip


def hours(work: Work, assignment_id: int, since: datetime) -> list[Hour]:
    """Attempts, contacts and sales per hour (UTC) reported since then; empty hours are left out."""
    earliest: UUID = first_id_of(since.replace(day=1))
    rows = work.run(_HOURS, assignment_id=assignment_id, contacts=CONTACTS, since=earliest, **{"from": since})
    return [Hour(**row._mapping) for row in rows]
