"""What stands behind a shut gate of one customer: which entry, by whose word, since when, and what rang."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from calling.handout import gap, gates
from calling.limits.limit import span
from calling.limits.stops import stops
from calling.registers.standing import naming
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import Work

_ENTRIES = text("""
    select s.e164, s.scope, s.reason, s.author, s.created_at, s.expires_at
      from suppression s
     where s.crm_id = :crm_id and s.lifted_at is null and (s.expires_at is null or s.expires_at > :now)
       and (s.customer_id = :customer_id
         or s.e164 in (select m.e164 from customer_number m
                        where m.crm_id = :crm_id and m.customer_id = :customer_id
                          and m.state = any(:callable)))
     order by s.customer_id is null, s.id
""")
_REGISTERS = text(f"""
    select m.e164, named.name, named.dated
      from customer_number m
     cross join lateral (select r.name, r.dated
                         {naming("m.e164", ":assignment_id", "m.customer_id")}) named
     where m.crm_id = :crm_id and m.customer_id = :customer_id and m.state = any(:callable)
     order by m.position, m.e164, named.name
""")  # noqa: S608 - only our own words go in
_RUNG = text(f"""
    select r.scope, r.subject, r.rung_at, longer.gap_seconds, longer.name, c.author, c.reason
      from (select r.*, {gap.until(":assignment_id")} as until
            {gap.last_rings(":customer_id", ":e164")}) r
      join lateral (
        select id, name, gap_seconds from assignment
         where crm_id = :crm_id and id in (r.assignment_id, :assignment_id)
         order by gap_seconds desc, id <> :assignment_id limit 1) longer on true
      left join lateral (
        select author, reason from limit_change
         where crm_id = :crm_id and deed = 'gap' and assignment_id = longer.id order by id desc limit 1) c
        on true
     where r.until > :now
     order by r.until desc, r.scope limit 1
""")  # noqa: S608 - only our own words go in
# Of two facts the one that lasts longer: no limit lasts as long as this.
_ATTEMPTS = text("""
    select p.attempts, a.max_attempts, a.name, c.author, c.reason
      from placement p
      join assignment a on a.crm_id = :crm_id and a.id = p.assignment_id and a.max_attempts <= p.attempts
      left join lateral (
        select author, reason from limit_change
         where crm_id = :crm_id and deed = 'attempts' and assignment_id = a.id order by id desc limit 1) c
        on true
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = :customer_id
       and p.state not in ('closed', 'follow_up')
""")
_PAUSED = text("""
    select reason, author, started_at from pause
     where crm_id = :crm_id and scope = :scope and target_id is not distinct from cast(:target_id as bigint)
       and lifted_at is null and (ends_at is null or ends_at > :now)
     order by ends_at desc nulls first, id limit 1
""")

_WHOSE = {"crm": "in this CRM", "owner": "in every CRM of its owner", "everyone": "for everybody"}
_ALL_ATTEMPTS = "they have had all their attempts"
_PAUSED_ARE = {
    "crm": "the whole CRM is", "owner": "all CRMs of the data owner are", "everything": "everything is",
}  # fmt: skip
_REST = "they rest after what they answered"


def fact_of(work: Work, gate: gates.Gate, assignment_id: int, facts: gates.Facts) -> str:
    """What a stamped gate that is shut says of this customer, in words."""
    if gate.name == "limit":
        return _limit(work, gate, assignment_id, facts)
    told = _TOLD.get(gate.name)
    more = told(work, assignment_id, facts) if told else ""
    return f"{gate.meaning}: {more}" if more else gate.meaning


def pause_told(work: Work, scope: str, target_id: int | None) -> str:
    """Why it is paused, by whom and since when; of several that stand, the one that stands longest."""
    row = work.run(_PAUSED, scope=scope, target_id=target_id).first()
    return f"{_PAUSED_ARE.get(scope, f'the {scope} is')} paused" + (
        f": {row.reason}; by {row.author}, since {utc(row.started_at)}" if row else ""
    )


def utc(at: datetime) -> str:
    """An instant as facts say it: "2026-03-02 12:00 UTC"."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _limit(work: Work, gate: gates.Gate, assignment_id: int, facts: gates.Facts) -> str:
    """Which limit it is, and where it stands written. A rest counts answers, not rings."""
    row = work.run(_ATTEMPTS, assignment_id=assignment_id, customer_id=facts.customer_id).first()
    if row is not None:
        return f"{_ALL_ATTEMPTS}: {row.attempts} of {row.max_attempts} in {row.name}{_set_by(row)}"
    found = [
        stop.limit for stop in stops(work, [facts.customer_id], assignment_id) if stop.e164 == facts.e164
    ]
    meaning = _REST if found and all(limit.after for limit in found) else gate.meaning
    return meaning + "".join(f": {limit}, by {limit.name} ({limit.source})" for limit in found)


def _set_by(row: Row[Any]) -> str:
    """Who said so and why, where anybody has."""
    return f" (set by {row.author}: {row.reason})" if row.author else ""


def _suppressed(work: Work, _: int, facts: gates.Facts) -> str:
    rows = work.run(_ENTRIES, customer_id=facts.customer_id, callable=list(CALLABLE_NUMBER_STATES))
    return "; ".join(
        f"{row.e164 or 'the customer'} {_WHOSE[row.scope]}, {row.reason}; by {row.author}, "
        f"since {utc(row.created_at)}{f' until {utc(row.expires_at)}' if row.expires_at else ''}"
        for row in rows
    )


def _register(work: Work, assignment_id: int, facts: gates.Facts) -> str:
    rows = work.run(
        _REGISTERS, assignment_id=assignment_id, customer_id=facts.customer_id,
        callable=list(CALLABLE_NUMBER_STATES),
    )  # fmt: skip
    return "; ".join(f"{row.e164} is on {row.name}, as dated {row.dated}" for row in rows)


def _gap(work: Work, assignment_id: int, facts: gates.Facts) -> str:
    """Who was rung when, and how long whose gap is."""
    asked = {"customer_id": facts.customer_id, "e164": facts.e164, "assignment_id": assignment_id}
    row = work.run(_RUNG, **asked).first()
    if row is None:
        return ""
    whom = "the customer" if row.scope == "customer" else row.subject
    length = f"{row.name} leaves {span(row.gap_seconds, None)} between two rings"
    return f"{whom} at {row.rung_at:%Y-%m-%d %H:%M:%S} UTC; {length}{_set_by(row)}"


_TOLD: Mapping[str, Callable[[Work, int, gates.Facts], str]] = {
    "suppressed": _suppressed,
    "register": _register,
    "gap": _gap,
}
