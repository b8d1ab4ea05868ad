"""What stands behind a shut gate of one customer: which entry, by whose word, since when, and what rang."""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import text

from calling.handout import gates
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
_RUNG = text("""
    select scope, subject, rung_at from ring_limit r
     where r.crm_id = :crm_id and r.gap_until > :now
       and ((r.scope = 'customer' and r.subject = cast(:customer_id as text))
         or (r.scope = 'number' and r.subject = :e164))
     order by r.gap_until desc, r.scope limit 1
""")
_PAUSED = text("""
    select reason, author, started_at from pause
     where crm_id = :crm_id and scope = :scope and target_id is not distinct from cast(:target_id as bigint)
       and lifted_at is null and (ends_at is null or ends_at > :now)
     order by ends_at desc nulls first, id limit 1
""")

_WHOSE = {"crm": "in this CRM", "owner": "in every CRM of its owner", "everyone": "for everybody"}
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
    found = [
        stop.limit for stop in stops(work, [facts.customer_id], assignment_id) if stop.e164 == facts.e164
    ]
    meaning = _REST if found and all(limit.after for limit in found) else gate.meaning
    return meaning + "".join(f": {limit}, by {limit.name} ({limit.source})" for limit in found)


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


def _gap(work: Work, _: int, facts: gates.Facts) -> str:
    row = work.run(_RUNG, customer_id=facts.customer_id, e164=facts.e164).first()
    if row is None:
        return ""
    return (
        f"{'the customer' if row.scope == 'customer' else row.subject} at {row.rung_at:%Y-%m-%d %H:%M:%S} UTC"
    )


_TOLD: Mapping[str, Callable[[Work, int, gates.Facts], str]] = {
    "suppressed": _suppressed,
    "register": _register,
    "gap": _gap,
}
