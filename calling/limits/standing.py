"""The limits of a CRM that are in force now: its own, and the law of the places that its clocks name.

And, in the same statement, which numbers its assignments ring: the gates need both at each look.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Row, text

from calling.hours.clocks import Clock, read_clocks
from calling.limits import law
from calling.limits.limit import Limit
from calling.registers.standing import USED, Used
from models.work import Work

STANDING = text(f"""
    select array(select id from call_clock) as clocks,
           array(select id from assignment where crm_id = :crm_id and about_debts) as about_debts,
           (select jsonb_agg(to_jsonb(o) order by o.id) from call_limit o
             where o.crm_id = :crm_id and o.ended_at is null) as own,
           (select jsonb_object_agg(a.id, a.number_plan) from assignment a
             where a.crm_id = :crm_id and a.number_plan <> '{{}}') as number_plans, {USED}
""")  # noqa: S608 - only our own words go in


@dataclass(frozen=True, slots=True)
class _Known:
    """Clocks once read: a clock never changes, and no id is given twice. And those that some law binds."""

    clocks: Mapping[int, Clock] = field(default_factory=dict)
    lawful: frozenset[int] = frozenset()
    lawful_of_debts: frozenset[int] = frozenset()

    def and_these(self, clocks: Iterable[Clock]) -> "_Known":
        """What is known, with these as well."""
        new = {clock.id: clock for clock in clocks}
        laws = {clock_id: law.of_places(clock.places) for clock_id, clock in new.items()}
        return _Known(
            {**self.clocks, **new},
            self.lawful.union(n for n, found in laws.items() if any(not limit.debts for limit in found)),
            self.lawful_of_debts.union(n for n, found in laws.items() if found),
        )


_known: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()
_learning = Lock()
"""Of two who learn at once the second adds to what the first has learnt."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`lawful`: the clocks of the places whose law may bind somebody here. `about_debts`: assignments.

    `number_plans`: of the assignments that have one of their own.
    `registers` are no limits: they are read in the same question, since every gate is asked behind it.
    """

    own: tuple[Limit, ...]
    clocks: Mapping[int, Clock]
    lawful: frozenset[int]
    about_debts: frozenset[int]
    number_plans: Mapping[int, Mapping[str, Any]]
    registers: Used

    def binding(self, assignment_id: int, clock_id: int, now: datetime) -> list[Limit]:
        """Every limit that binds the rings of an assignment to customers of a clock."""
        laws = law.of_places(self.clocks[clock_id].places) if clock_id in self.lawful else ()
        debts = assignment_id in self.about_debts
        return [
            limit for limit in (*laws, *self.own) if limit.binds(assignment_id, debts) and limit.valid(now)
        ]


def standing(work: Work) -> Standing:
    """The limits in force. Read behind the turnstile: whoever changes one passes it (changing.py)."""
    return told(work, work.run(STANDING).one())


def told(work: Work, row: Row[Any]) -> Standing:
    """What the row of STANDING says."""
    known = _clocks(work, row.clocks)
    own = tuple(_own(one) for one in row.own or ())
    used = Used(row.registers, row.somebody_let_off)
    lawful = known.lawful_of_debts if row.about_debts else known.lawful
    plans = {int(assignment_id): plan for assignment_id, plan in (row.number_plans or {}).items()}
    return Standing(own, known.clocks, lawful, frozenset(row.about_debts), plans, used)


def _clocks(work: Work, ids: Iterable[int]) -> _Known:
    engine = work.session.connection().engine
    known = _known.get(engine, _Known())
    if missing := set(ids) - known.clocks.keys():
        found = read_clocks(work, sorted(missing))
        with _learning:
            known = _known[engine] = _known.get(engine, _Known()).and_these(found)
    return known


def _own(row: Mapping[str, Any]) -> Limit:
    """An owner's own limit, from its row as JSON."""
    values = {name: row[name] for name in ("id", "most", "scope", "seconds", "days", "assignment_id")}
    return Limit(
        **values,
        name=f"limit {row['id']}",
        source=f"set by {row['author']}: {row['reason']}",
        after=frozenset(row["after"]),
        set_at=datetime.fromisoformat(row["created_at"]),
    )
