"""Rows that read well and still cannot be taken: a unique value that somebody has, a new customer without
what is required."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, text

from calling.intake.columns import Plan
from calling.intake.parsing import Reject
from models.work import Work

_UNIQUE = text("""
    select key from field
     where crm_id = :crm_id and is_unique and retired_at is null and key = any(:keys) order by key
""")
# A lookup by key for each row, as in import_match.sql.
_WANTED = text("""
    select s.row_no, s.external_id, f.key, v.value, o.external_id as owner
      from staged s
     cross join unnest(cast(:keys as text[])) as f(key)
     cross join lateral (select unique_text(s.fields -> f.key) as value offset 0) v
      left join lateral (
           select u.customer_id from unique_value u
            where u.crm_id = :crm_id and u.field = f.key and u.value = v.value limit 1) u on true
      left join lateral (
           select c.external_id from customer c
            where c.crm_id = :crm_id and c.id = u.customer_id limit 1) o on true
     where v.value is not null
     order by s.row_no, f.key
""")
_NEW = text("""
    select s.row_no from staged s where not exists (select from matched m where m.row_no = s.row_no)
     order by s.row_no
""")
_LEAVE = tuple(
    text(f"delete from {table} where row_no = any(:lines)")  # noqa: S608 - our own tables
    for table in ("staged", "staged_number", "matched")
)


@dataclass(slots=True)
class Judge:
    """Looks at staged rows of one import, chunk after chunk. `dry`: nothing of the file was written.

    `given`: unique values of the rows that were taken, with their line and customer.
    """

    plan: Plan
    dry: bool
    given: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def refuse(self, work: Work, taken: Mapping[str, int], begins: int) -> list[Reject]:
        """Take rows off the tables of this transaction that cannot become what they say; why each cannot.

        `taken`: the file's customers so far and their lines; `begins`: the first line of this chunk.
        """
        rejects = _taken_off(work, self._without_required(work))
        rejects += _taken_off(work, self._second_ones(work, taken, begins))
        return sorted(rejects, key=lambda reject: reject.line)

    def _without_required(self, work: Work) -> Iterator[Reject]:
        if self.plan.lacking:
            needs = f"a new customer needs {', '.join(self.plan.lacking)}, and no column gives it"
            for line in work.run(_NEW).scalars():
                yield Reject(line, "", "", needs)

    def _second_ones(self, work: Work, taken: Mapping[str, int], begins: int) -> Iterator[Reject]:
        own = {column.target: column.header for column in self.plan.own}
        keys = list(work.run(_UNIQUE, keys=list(own)).scalars()) if own else []
        rows = work.run(_WANTED, keys=keys).all() if keys else []
        for line, wanted in groupby(rows, key=attrgetter("row_no")):
            values = list(wanted)
            wrong = [(row, why) for row in values if (why := self._why(row, taken, begins))]
            for row, why in wrong:
                yield Reject(line, own[row.key], row.value, f"{why} (unique field {row.key})")
            if not wrong:
                self.given |= {(row.key, row.value): (line, row.external_id) for row in values}

    def _why(self, row: Row[Any], taken: Mapping[str, int], begins: int) -> str | None:
        line, customer = self.given.get((row.key, row.value), (0, row.external_id))
        if customer != row.external_id:
            return f"line {line} has this value already"
        # A dry run wrote nothing: whom an earlier chunk gave another value would have it no longer.
        written = self.dry and taken.get(row.owner, begins) < begins
        if row.owner in (None, row.external_id) or written:
            return None
        return f'customer "{row.owner}" has this value already'


def _taken_off(work: Work, rejects: Iterable[Reject]) -> list[Reject]:
    found = list(rejects)
    if found:
        lines = sorted({reject.line for reject in found})
        for statement in _LEAVE:
            work.run(statement, lines=lines)
    return found
