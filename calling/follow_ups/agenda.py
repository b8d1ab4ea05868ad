"""What is promised, for people: late, today's and coming, by whose it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from calling.follow_ups.grace import grace
from calling.follow_ups.listing import Listed, open_between
from models.work import Work

MOST = 100
"""Promises of one part of the agenda that are listed; whoever has more counts them."""

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_WHOSE = text("""
    select f.seller_id, s.name, count(*) as promises,
           count(*) filter (where f.due_at < :late) as late
      from follow_up f
      left join seller s on s.crm_id = :crm_id and s.id = f.seller_id
     where f.crm_id = :crm_id and f.assignment_id = :assignment_id and f.ended_at is null
     group by f.seller_id, s.name
     order by s.name nulls first, f.seller_id
""")
_SELLERS = text("select id, name from seller where crm_id = :crm_id order by name, id")


@dataclass(frozen=True, slots=True)
class Whose:
    """So many open promises of a seller (None: of nobody's own); `late`: of them."""

    seller_id: int | None
    name: str | None
    promises: int
    late: int


@dataclass(frozen=True, slots=True)
class Agenda:
    """Open promises of an assignment as of `now` (UTC), each part by time and at most 100 of it.

    `late`: time and grace are over. `whose`: everybody who has any, nobody's own first. `sellers`: id -> name
    of all there are.
    """

    now: datetime
    late: list[Listed]
    today: list[Listed]
    coming: list[Listed]
    whose: list[Whose]
    sellers: dict[int, str]


def agenda(
    work: Work, assignment_id: int, midnight: datetime, *, seller_id: int | None = None, of_all: bool = True
) -> Agenda:
    """Read it; `midnight` (UTC): where today ends for whoever looks. Raises NotFound."""
    late = work.now - timedelta(seconds=grace(work, assignment_id)) + timedelta(microseconds=1)
    midnight = max(midnight, late)

    def part(since: datetime, until: datetime) -> list[Listed]:
        return open_between(work, assignment_id, since, until, MOST, seller_id=seller_id, of_all=of_all)

    whose = work.run(_WHOSE, assignment_id=assignment_id, late=late)
    return Agenda(
        work.now, part(_FIRST, late), part(late, midnight), part(midnight, _LAST),
        [Whose(row.seller_id, row.name, row.promises, row.late) for row in whose],
        {row.id: row.name for row in work.run(_SELLERS)},
    )  # fmt: skip
