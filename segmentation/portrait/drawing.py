"""The portrait of a segment: who is in it, what sets them apart from everybody, when they answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from uuid import UUID

from sqlalchemy import Double, cast, func, select, text

from models.errors import NotFound
from models.ids import first_id_of
from models.outcomes import EFFECTS, Outcome
from models.work import Work
from segmentation.facets import Facets, FacetValue, Others, board_of, facets
from segmentation.rows import rows_of
from segmentation.statements import Statement

FEWEST = 20  # customers of the segment that a value needs to be told of
MOST = 20  # values told of
_SURE = 1.96  # standard deviations: 95 of 100

_CONTACTS = sorted(outcome.value for outcome, effect in EFFECTS.items() if effect.contact)
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class NumberFigures:
    """A number field: how many of the segment have it, their mean and median, and everybody's mean."""

    field: str
    known: int
    mean: float
    median: float
    mean_of_all: float


@dataclass(frozen=True, slots=True)
class Standout:
    """A value that is more frequent here. `count` have it here, `of_all` in the assignment.

    `lift`: the share here by the share in the assignment. `deviations`: how far the share here lies above
    that of the assignment, in standard deviations of chance.
    """

    dimension: str
    value: FacetValue
    count: int
    of_all: int
    lift: float
    deviations: float


@dataclass(frozen=True, slots=True)
class Worked:
    """Attempts in force, undone ones left out; contacts reached a person. Rates of nothing are None."""

    attempts: int
    contacts: int
    sales: int

    @property
    def contact_rate(self) -> float | None:
        """Contacts an attempt."""
        return self.contacts / self.attempts if self.attempts else None

    @property
    def conversion_rate(self) -> float | None:
        """Sales a contact."""
        return self.sales / self.contacts if self.contacts else None


@dataclass(frozen=True, slots=True)
class Portrait:
    """`size` of the segment and of the `assignment`, in customers. `hours`: (local, work), best first."""

    segment_id: int
    size: int
    assignment: int
    numbers: tuple[NumberFigures, ...]
    standouts: tuple[Standout, ...]
    worked: Worked
    hours: tuple[tuple[int, Worked], ...]
    as_of: datetime


_SEGMENT = text("""
    select 1 from segment where crm_id = :crm_id and assignment_id = :assignment_id and id = :segment_id
""")
# The highest revision of a lease is in force. The hour is the customer's: of the zone that was rung.
_HOURS = text("""
    select extract(hour from coalesce(a.rung_at, a.reported_at) at time zone a.zone)::int as hour,
           count(*) as attempts, count(*) filter (where a.outcome = any(:contacts)) as contacts,
           count(*) filter (where a.outcome = :sale) as sales
      from attempt a
     where a.crm_id = :crm_id and a.assignment_id = :assignment_id and a.segment_id = :segment_id
       and a.lease_id >= :since and a.kind <> 'undo'
       and not exists (select from attempt later where later.crm_id = :crm_id
                          and later.lease_id = a.lease_id and later.revision > a.revision)
     group by 1 order by 1
""")


def portrait(work: Work, assignment_id: int, segment_id: int, since: datetime | None = None) -> Portrait:
    """The portrait as of now; of attempts whose leases began at `since` (UTC) or later. Raises NotFound."""
    if not work.run(_SEGMENT, assignment_id=assignment_id, segment_id=segment_id).first():
        raise NotFound("segment", segment_id)
    found = facets(work, assignment_id, {"segment": [segment_id]})
    everybody = sum(bar.total for bar in found.dimensions["state"])
    hours = _hours(work, assignment_id, segment_id, since)
    return Portrait(
        segment_id, found.total, everybody, _numbers(work, assignment_id, segment_id),
        _standouts(found, everybody), _sum(work for _, work in hours), hours, work.now,
    )  # fmt: skip


def _hours(
    work: Work, assignment_id: int, segment_id: int, since: datetime | None
) -> tuple[tuple[int, Worked], ...]:
    rows = work.run(
        _HOURS, assignment_id=assignment_id, segment_id=segment_id, contacts=_CONTACTS,
        sale=Outcome.SALE.value, since=first_id_of(since) if since else _FIRST,
    )  # fmt: skip
    hours = [(row.hour, Worked(row.attempts, row.contacts, row.sales)) for row in rows]
    return tuple(sorted(hours, key=lambda hour: (-_at_least(hour[1]), hour[0])))


def _sum(hours: Iterable[Worked]) -> Worked:
    each = list(hours)
    return Worked(*(sum(getattr(one, name) for one in each) for name in ("attempts", "contacts", "sales")))


def _at_least(worked: Worked) -> float:
    """What the contact rate hardly lies below (Wilson's bound): one lucky call makes no best hour."""
    n, rate, z = worked.attempts, worked.contacts / worked.attempts, _SURE
    spread = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return (rate + z * z / (2 * n) - spread) / (1 + z * z / n)


def _standouts(found: Facets, everybody: int) -> tuple[Standout, ...]:
    """By lift times deviations: much more frequent, and hardly by chance."""
    told = [
        _standout(key, bar.value, bar.selected, bar.total, found.total, everybody)
        for key, bars in found.dimensions.items() if key != "segment"
        for bar in bars if bar.selected >= FEWEST and not isinstance(bar.value, Others)
    ]  # fmt: skip
    over = [one for one in told if one.lift > 1]
    return tuple(sorted(over, key=lambda one: (-one.lift * one.deviations, one.dimension))[:MOST])


def _standout(key: str, value: FacetValue, here: int, of_all: int, size: int, everybody: int) -> Standout:
    share, usual = here / size, of_all / everybody
    chance = sqrt(usual * (1 - usual) / size)
    return Standout(key, value, here, of_all, share / usual, (share - usual) / chance if chance else 0.0)


def _numbers(work: Work, assignment_id: int, segment_id: int) -> tuple[NumberFigures, ...]:
    own = board_of(work, assignment_id).frame(work).fields
    asked = [field for field in own if field.type == "number"]
    if not asked:
        return ()
    rows = rows_of(asked, some=False)
    here = rows.table.c.segment_id == segment_id
    figures = []
    for field in asked:
        number = cast(rows.columns[field.key], Double)
        middle = func.percentile_cont(0.5).within_group(number)
        figures += [
            func.count(number).filter(here), func.avg(number).filter(here), middle.filter(here),
            func.avg(number),
        ]  # fmt: skip
    statement = Statement.of(select(*figures).select_from(rows.table))
    found = tuple(statement.run(work, assignment_id=assignment_id).one())
    told = [(field.key, *found[4 * i : 4 * i + 4]) for i, field in enumerate(asked)]
    return tuple(NumberFigures(*one) for one in told if one[1])
