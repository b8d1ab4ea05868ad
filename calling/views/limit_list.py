"""The limits there are: an owner's own, standing or ended, and the law's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from calling.limits import law
from calling.limits.limit import SUBJECTS, Limit
from models.work import Work

_OWN = text("""
    select o.id, o.assignment_id, a.name as assignment, o.scope, o.most, o.seconds, o.days, o.after, o.reason,
           o.author, o.created_at, o.ended_at, o.ended_by,
           not exists (select from limit_change c
                        where c.crm_id = :crm_id and c.limit_id = o.id and c.followed_at is null) as followed
      from call_limit o
      left join assignment a on a.crm_id = :crm_id and a.id = o.assignment_id
     where o.crm_id = :crm_id and o.id > :after_id and (cast(:id as bigint) is null or o.id = :id)
       and (cast(:ended as boolean) is null or (o.ended_at is not null) = :ended)
     order by o.id limit :most_rows
""")
_DEBTS = text("select id, name from assignment where crm_id = :crm_id and about_debts order by id")


@dataclass(frozen=True, slots=True)
class LawRow:
    """A row of the law, with all its places. `counts`: in words, what is counted."""

    name: str
    source: str
    places: list[str]
    scopes: list[str]
    most: int
    seconds: int | None
    days: int | None
    after: list[str]
    debts: bool
    counts: list[str]


def own_limits(
    work: Work, after_id: int, most_rows: int, *, ended: bool | None = False, limit_id: int | None = None
) -> Sequence[Row[Any]]:
    """An owner's limits with an id above `after_id`: those that stand, those that ended, or (None) all.

    `followed`: the customers whom the last change concerns are stamped by now.
    """
    asked = {"after_id": after_id, "most_rows": most_rows, "ended": ended, "id": limit_id}
    return work.run(_OWN, **asked).all()


def debt_assignments(work: Work) -> Sequence[Row[Any]]:
    """The assignments that are about debts: id and name."""
    return work.run(_DEBTS).all()


def law_limits() -> list[LawRow]:
    """The law's limits, one for each name, whatever the places and scopes that it is kept for."""
    named: dict[str, list[Limit]] = {}
    for limit in law.shipped():
        named.setdefault(limit.name, []).append(limit)
    return [_law_row(rows) for rows in named.values()]


def in_words(most: int, scope: str, seconds: int | None, days: int | None, after: Sequence[str]) -> str:
    """A limit as people say it: "3 rings to the customer within 24 hours"."""
    return str(Limit(most, scope, seconds, days, "", "", after=frozenset(after)))


def _law_row(rows: list[Limit]) -> LawRow:
    one, scopes = rows[0], list(dict.fromkeys(row.scope for row in rows))
    what = [f"answers of the {s}" for s in scopes] if one.after else [SUBJECTS[scope] for scope in scopes]
    return LawRow(
        one.name, one.source, list(dict.fromkeys(row.place for row in rows)), scopes, one.most, one.seconds,
        one.days, sorted(one.after), one.debts, what,
    )  # fmt: skip
