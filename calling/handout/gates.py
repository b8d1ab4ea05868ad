"""Everything that may stop a customer, once: allocate, ring, explain and the funnel all read this list.

A gate is a piece of SQL that says *until when* it is shut (an instant), or null if it is open. It stands
over `p` placement, `c` customer, `k` call_clock and `n`, the number of the customer that is rung next.

Which one that is: of those that may be rung at all, one that no limit and no gap stops, else the first that
neither will stop; then the one with the fewest rounds of calls without an answer, of the kind that the plan
prefers at this hour, good before unverified, in the customer's order (docs/numbers.md).

Stamped gates depend on facts that change by an event or at a known instant. Whoever changes the fact
writes the stamp (`restamp`), so that stamped customers leave the probe index. Pause and window are never
stamped: they are joined at hand-out, so that nothing is rewritten when time passes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import Any

import orjson
from sqlalchemy import TextClause, text

from calling.handout import gap, placements
from calling.limits.standing import Standing, standing
from calling.limits.stops import stops
from calling.numbers.plan import KINDS, NEVER, NEXT_AFTER, UNKNOWN, plan_of, preferred
from calling.registers.standing import Used, variants
from models.tables import FOREVER
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import Work
from models.zones import zone_names


@dataclass(frozen=True, slots=True)
class Gate:
    """`until`: SQL of the instant (timestamptz) until which it is shut; null when it is open."""

    name: str
    meaning: str
    until: str


_STANDING = "s.lifted_at is null and (s.expires_at is null or s.expires_at > :now)"

_ON_REGISTER = "/*on a register*/"

# They wait for a promised call, or are held to be given it now: then no gap keeps them waiting.
_PROMISED = """(p.state = 'follow_up'
    or (p.return_state = 'follow_up' and p.return_due_at <= :now
        and exists (select from lease promised where promised.crm_id = :crm_id and promised.id = p.lease_id
                       and promised.follow_up_id is not null)))"""

# An outcome closes whoever has had all attempts; this stops those who have had them since fewer are made.
_NO_ATTEMPT_LEFT = f"""case when p.attempts > 0 and p.state <> 'closed'
     and p.return_state is distinct from 'closed' and not {_PROMISED}
     and p.attempts >= (select own.max_attempts from assignment own
                         where own.crm_id = :crm_id and own.id = p.assignment_id) then :forever end"""

STAMPED = (
    Gate(
        "suppressed",
        "the customer, or every number of theirs, is on a do-not-call list",
        f"""greatest(
            (select max(coalesce(s.expires_at, :forever)) from suppression s
              where s.crm_id = :crm_id and s.customer_id = p.customer_id and {_STANDING}),
            case when n.e164 is null then
                (select min(number.until) from (
                    select max(coalesce(s.expires_at, :forever)) as until
                      from customer_number m join suppression s on s.crm_id = :crm_id and s.e164 = m.e164
                     where m.crm_id = :crm_id and m.customer_id = p.customer_id
                       and m.state = any(:callable) and {_STANDING}
                       and (cast(:e164 as text) is null or m.e164 = :e164)
                     group by m.e164) as number)
            end)""",
    ),
    Gate(
        "register",
        "the customer's number, or the last one left, is on a national register of those not to be called",
        f"""case when n.e164 is null and exists (
            select from customer_number m
             where m.crm_id = :crm_id and m.customer_id = p.customer_id and m.state = any(:callable)
               and (cast(:e164 as text) is null or m.e164 = :e164)
               and {_ON_REGISTER}) then :forever end""",
    ),
    Gate(
        "no_number",
        "no number of theirs can be rung: none given, disconnected, or somebody else's",
        """case when n.e164 is null and not exists (
            select from customer_number m
             where m.crm_id = :crm_id and m.customer_id = p.customer_id and m.state = any(:callable)
               and (cast(:e164 as text) is null or m.e164 = :e164)) then :forever end""",
    ),
    Gate(
        "zone_unknown",
        "nobody knows where they are: a person has to verify the zone",
        "case when cardinality(k.zones) = 0 then :forever end",
    ),
    Gate(
        "limit",
        "every number of theirs was rung as often as the law, or a limit of the owner's, allows",
        f"greatest(n.limited_until, {_NO_ATTEMPT_LEFT})",
    ),
    Gate(
        "gap",
        "they were rung a moment ago",
        "n.gap_until",
    ),
)

NUMBERS = f"""
          from customer_number m
         cross join lateral (
            select cast(cast(:limited as jsonb) ->> concat_ws(' ', p.assignment_id, p.customer_id, m.e164)
                        as timestamptz) as limited_until,
                   case when {_PROMISED} then null else
                       (select ring.gap_ends from (
                           select max({gap.until("p.assignment_id")}) as gap_ends
                           {gap.last_rings("p.customer_id", "m.e164")} offset 0) ring
                         where ring.gap_ends > :now) end as gap_until
             offset 0) stop
         where m.crm_id = :crm_id and m.customer_id = p.customer_id and m.state = any(:callable)
           and (cast(:e164 as text) is null or m.e164 = :e164)
           and not exists (select from suppression s
                            where s.crm_id = :crm_id and s.e164 = m.e164 and {_STANDING})
           and not {_ON_REGISTER}
"""
"""The numbers `m` of a customer that may be rung at all, each with what stops it (`stop`).

`offset 0`: it is asked once a number, not once for each mention.
"""

_SOONEST = "greatest(stop.limited_until, stop.gap_until) nulls first"
_ORDER = "m.state <> 'good', m.position, m.e164"

# What depends on the assignment and the hour comes as values: (assignment, zone, kind) -> place.
ROUND = f"""m.unanswered / coalesce(cast(
    cast(:plans as jsonb) #>> array[p.assignment_id::text, 'next_after'] as integer), {NEXT_AFTER})"""
PLACE = f"""coalesce(cast(cast(:plans as jsonb) #>> array[
    p.assignment_id::text, c.reckoning_zone, coalesce(m.kind, '{UNKNOWN}')] as integer), {len(KINDS)})"""
CHOICE = f"{_SOONEST}, {ROUND}, {PLACE}, {_ORDER}"
"""The order in which numbers are rung, the next one first. Bind :plans as `plans_now` tells them."""


def _joins(order: str) -> str:
    """The joins that the gates' SQL stands on. Bind :e164 null for any number, or the number of a lease."""
    return f"""
    left join call_clock k on k.id = p.clock_id
    left join lateral (
        select m.e164, stop.limited_until, stop.gap_until {NUMBERS} order by {order} limit 1
    ) n on true
"""


def bindings(
    work: Work, customers: Iterable[int], assignment_id: int | None = None, e164: str | None = None,
    asked: Standing | None = None,
) -> tuple[Used, dict[str, object]]:  # fmt: skip
    """The values that the gates' SQL needs besides crm_id and now.

    Limits, and what number plans say of this hour, are reckoned here, in Python. Which registers are used
    says which of the statements is meant. `asked`: the limits, if they were read before.
    """
    asked = asked or standing(work)
    limited = {
        f"{stop.assignment_id} {stop.customer_id} {stop.e164}": stop.until
        for stop in stops(work, customers, assignment_id, asked)
    }
    return asked.registers, {
        **asked.registers.bindings(),
        "plans": orjson.dumps(plans_now(asked, work.now, assignment_id)).decode(),
        "callable": list(CALLABLE_NUMBER_STATES),
        "forever": FOREVER,
        "e164": e164,
        "limited": orjson.dumps(limited).decode(),
    }


def plans_now(asked: Standing, now: datetime, assignment_id: int | None) -> dict[str, dict[str, Any]]:
    """Assignment -> zone -> kind -> its place among those that come first there now; and `next_after`.

    Of the one that is asked about, if it has a plan of its own: stamps are for all, and ask of no plan. A
    customer's reckoning zone is one of their clock's.
    """
    own = asked.number_plans.get(assignment_id) if assignment_id is not None else None
    if own is None:
        return {}
    plan, zones = plan_of(own), {name for clock in asked.clocks.values() for name in clock.zones}
    after = NEVER if plan.next_after is None else plan.next_after
    return {str(assignment_id): {"next_after": after, **preferred(plan, zones & zone_names(), now)}}


_UNTILS = ", ".join(f'({gate.until}) as "{gate.name}"' for gate in STAMPED)
_FIRST_SHUT = " ".join(f"""when "{gate.name}" is not null then '{gate.name}'""" for gate in STAMPED)
_ITS_UNTIL = ", ".join(f'"{gate.name}"' for gate in STAMPED)

# Where all numbers rest that are on no list, one that comes off its list before may be rung.
_OFF_A_LIST = f"""case when n.limited_until is not null or n.gap_until is not null then (
    select min(s.expires_at)
      from customer_number m join suppression s on s.crm_id = :crm_id and s.e164 = m.e164
     where m.crm_id = :crm_id and m.customer_id = p.customer_id and m.state = any(:callable)
       and {_STANDING}) end"""

# Given through a subselect, the planner cannot see how many there are: one plan fits all and is kept.
# Planned anew at each call, these statements took 0.9 ms to plan and 0.2 ms to run.
_GIVEN = "any((select cast(:customers as bigint[]))::bigint[])"


def with_registers(sql: str) -> dict[str, TextClause]:
    """The statement for each way in which a CRM may use registers."""
    asked = variants("m.e164", "p.assignment_id", "p.customer_id")
    return {name: text(sql.replace(_ON_REGISTER, there)) for name, there in asked.items()}


# `facts` is materialised: each gate is asked once. Which of two numbers that are free is rung, no stamp asks.
_RESTAMPS = with_registers(f"""
    with facts as materialized (
        select p.assignment_id, p.customer_id, {_UNTILS}, {_OFF_A_LIST} as off_a_list
          from placement p
          {_joins(f"{_SOONEST}, {_ORDER}")}
         where p.crm_id = :crm_id and p.customer_id = {_GIVEN} and p.state not in ('left', 'anonymised')
    ), stamp as (
        select assignment_id, customer_id,
               case {_FIRST_SHUT} end as gate,
               least(coalesce({_ITS_UNTIL}), off_a_list) as until
          from facts
    )
    update placement p set gated_by = s.gate, gated_until = s.until
      from stamp s
     where p.crm_id = :crm_id and p.assignment_id = s.assignment_id and p.customer_id = s.customer_id
       and (p.gated_by is distinct from s.gate or p.gated_until is distinct from s.until)
""")

_SHUTS = with_registers(f"""
    select p.customer_id, c.reckoning_zone, n.e164, p.clock_id, p.segment_id,
           p.return_state is not distinct from 'closed' as closed,
           exists (select from customer_number m
                     join claim_number held on held.crm_id = :crm_id and held.e164 = m.e164
                    where m.crm_id = :crm_id and m.customer_id = p.customer_id) as held,
           {_UNTILS}
      from placement p
      join customer c on c.crm_id = :crm_id and c.id = p.customer_id
      {_joins(CHOICE)}
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = {_GIVEN}
""")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the stamped gates say of one placement now. `shut`: (gate, until) of each shut one, in order.

    `held`: somebody holds the customer, or another one with a number of theirs. `closed`: a late outcome
    has closed them while somebody holds them.
    """

    customer_id: int
    e164: str | None
    zone: str
    clock_id: int
    segment_id: int
    held: bool
    closed: bool
    shut: tuple[tuple[str, datetime], ...]


def restamp(work: Work, customers: Iterable[int], *, locked: bool = False) -> int:
    """Write `gated_by` and `gated_until` anew for every placement of these customers; how many changed.

    The placements are locked by a statement of its own, or were by an earlier one of the caller's
    (`locked`): what we wait for there is seen by the facts here.
    """
    ids = sorted(set(customers))
    if not ids:
        return 0
    if not locked:
        placements.lock(work, ids)
    used, bound = bindings(work, ids)
    return work.run(_RESTAMPS[used.variant], customers=ids, **bound).rowcount


def facts_of(
    work: Work, assignment_id: int, customers: Sequence[int], *, e164: str | None = None,
    asked: Standing | None = None,
) -> dict[int, Facts]:  # fmt: skip
    """Ask every stamped gate about these customers, whatever their stamps say.

    With `e164`, that number is meant instead of the one to ring next. `asked`: the limits, if read before.
    """
    used, bound = bindings(work, customers, assignment_id, e164, asked)
    values = {"assignment_id": assignment_id, "customers": list(customers), **bound}
    rows = work.run(_SHUTS[used.variant], **values).all()
    return {facts.customer_id: facts for facts in starmap(_facts, rows)}


def _facts(
    customer_id: int, zone: str, e164: str | None, clock_id: int, segment_id: int, closed: bool, held: bool,
    *untils: datetime | None,
) -> Facts:  # fmt: skip
    """The facts of a row of `_SHUTS`, as its columns stand."""
    shut = tuple((gate.name, until) for gate, until in zip(STAMPED, untils, strict=True) if until is not None)
    return Facts(customer_id, e164, zone, clock_id, segment_id, held, closed, shut)
