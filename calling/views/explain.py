"""Why is this customer not called, and when next? Every gate, with what it says and until when."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from calling.follow_ups.standing import never_opens
from calling.handout import gates
from calling.hours.opening import REGISTER_STALE, Doors, Openings, openings
from calling.views.answers import Answer
from calling.views.gate_facts import fact_of, pause_told
from calling.views.holders import HolderAnswer, Who, ask_holder
from calling.views.hours import own_hours_said
from calling.views.next_call import callable_at
from calling.views.number_choice import why_this_number
from calling.views.state_told import state_told
from calling.views.stepped_over import (
    HELD,
    KEPT,
    MEANINGS,
    ROBOTS,
    forbidden_to_all,
    kept_free_until,
)
from calling.walls import pauses
from models.errors import NotFound
from models.tables import FOREVER
from models.work import Work
from segmentation.explanation import explain_segment
from segmentation.rows import GONE


@dataclass(frozen=True, slots=True)
class Explanation:
    """A customer in an assignment. `callable_at`: when time alone will next let them be called.

    `segment_why`: one line of why they are in their segment; calling/segments/explaining.py has all of it.
    `holder`: whether the seller or dialer that was asked for may be given them; None: nobody was.
    `number_why`: which number would be rung, and why that one.
    """

    customer_id: int
    external_id: str
    name: str
    segment: str
    segment_why: str
    held_by: str | None
    state: str
    status: str
    attempts: int
    zones: list[str]
    callable_now: bool
    callable_at: datetime | None
    answers: list[Answer]
    number_why: str
    holder: HolderAnswer | None = None


_PLACEMENT = text("""
    select p.*, c.external_id, c.name, s.name as segment, s.retired_at, h.author as held_by, k.zones,
           l.seller_id, l.dialer_id, l.state as lease_state, f.wall_time, f.zone as promised_in,
           hot.made_at as hot_at, hot.reason as hot_reason,
           c.reckoning_zone, a.retry_plan, coalesce(t.rung_at, p.last_attempt_at) as tried_at,
           coalesce(ls.name, ld.name) as holder, o.id as owner_id, o.name as owner, f.handed_from,
           case when o.off_until > greatest(f.due_at, :now)
                then least(f.anybodys_at, greatest(f.due_at, :now))
                else coalesce(f.anybodys_at,
                              greatest(f.due_at, :now) + a.follow_up_grace_seconds * interval '1 second')
                end as owners_until,
           coalesce(f.anybodys_at <= :now, false) as anybodys, o.away_reason, o.back_at,
           coalesce(o.off_until > greatest(f.due_at, :now), false) as owner_off
      from placement p
      join customer c on c.crm_id = :crm_id and c.id = p.customer_id
      join segment s on s.crm_id = :crm_id and s.id = p.segment_id
      join call_clock k on k.id = p.clock_id
      left join hold h on h.crm_id = :crm_id and h.assignment_id = p.assignment_id
                      and h.customer_id = p.customer_id and (h.expires_at is null or h.expires_at > :now)
                      and exists (select from segment t where t.crm_id = :crm_id and t.id = h.segment_id
                                     and t.retired_at is null)
      left join lease l on l.crm_id = :crm_id and l.id = p.lease_id
      left join seller ls on ls.crm_id = :crm_id and ls.id = l.seller_id
      left join dialer ld on ld.crm_id = :crm_id and ld.id = l.dialer_id
      left join lease t on t.crm_id = :crm_id and t.id = p.last_lease_id
      join assignment a on a.crm_id = :crm_id and a.id = p.assignment_id
      left join follow_up f on f.crm_id = :crm_id and f.assignment_id = p.assignment_id
                           and f.customer_id = p.customer_id and f.ended_at is null
      left join seller o on o.crm_id = :crm_id and o.id = f.seller_id
      left join hot_lead hot on hot.crm_id = :crm_id and hot.assignment_id = p.assignment_id
                            and hot.customer_id = p.customer_id and hot.ended_at is null
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = :customer_id
""")


def explain(work: Work, assignment_id: int, customer_id: int, who: Who | None = None) -> Explanation:
    """Ask every gate about one customer, stamped or not; and whether `who` may be given them.

    Raises NotFound.
    """
    row = work.run(_PLACEMENT, assignment_id=assignment_id, customer_id=customer_id).first()
    if row is None:
        raise NotFound("customer in the assignment", customer_id)
    facts = gates.facts_of(work, assignment_id, [customer_id])[customer_id]
    known = openings(work, [row.clock_id])
    hours = known.of(assignment_id, row.segment_id)
    robots = _robots(work, known, row)
    answers = [
        state_told(row, hours, work.now),
        *_deleted(row),
        *(_stamped(work, gate, assignment_id, facts) for gate in gates.STAMPED),
        _held(row, facts),
        _kept_free(work, row),
        _pause(work, row),
        _window(hours, work.now, row, own_hours_said(work)),
        *robots,
    ]
    forbidden = any(not one.open for one in robots)
    next_at = None if forbidden else callable_at(work, row, hours)
    if next_at is None:
        answers = _by_then(answers, hours, row, work.now)
    return Explanation(
        customer_id, row.external_id, row.name, row.segment, _why(work, row), row.held_by, row.state,
        row.status, row.attempts, list(row.zones), all(a.open for a in answers),
        next_at, answers,
        why_this_number(work, assignment_id, customer_id).why,
        ask_holder(work, who, row, known) if who else None,
    )  # fmt: skip


def _why(work: Work, row: Row[Any]) -> str:
    if row.state in GONE:
        return f"{row.state}: no rule moves them any more"
    return explain_segment(work, row.assignment_id, row.customer_id).why


def _deleted(row: Row[Any]) -> list[Answer]:
    """Nothing is handed out from a segment that is no more."""
    if row.retired_at is None or row.state in GONE:
        return []
    return [Answer("segment", False, None, "it was deleted; the rebuild puts them where they belong")]


def _stamped(work: Work, gate: gates.Gate, assignment_id: int, facts: gates.Facts) -> Answer:
    until = dict(facts.shut).get(gate.name)
    if until is None:
        return Answer(gate.name, True, None, "nothing against it")
    return Answer(
        gate.name, False, None if until >= FOREVER else until, fact_of(work, gate, assignment_id, facts)
    )


def _held(row: Row[Any], facts: gates.Facts) -> Answer:
    """Whoever leases them here is told by their state."""
    if row.state == "leased" or not facts.held:
        return Answer(HELD, True, None, "nobody of another assignment holds them")
    return Answer(HELD, False, None, MEANINGS[HELD])


def _kept_free(work: Work, row: Row[Any]) -> Answer:
    """A promise of this assignment is kept, whatever another one has promised."""
    until = None if row.state == "follow_up" else kept_free_until(work, row.customer_id)
    if until is None:
        return Answer(KEPT, True, None, "nobody keeps them free for a promised call")
    return Answer(KEPT, False, until, MEANINGS[KEPT])


def _robots(work: Work, known: Openings, row: Row[Any]) -> list[Answer]:
    """Said only where the law forbids the voices of robots."""
    if row.clock_id not in known.without_robots():
        return []
    if row.clock_id in forbidden_to_all(work, row.assignment_id, known):
        return [Answer(ROBOTS, False, None, MEANINGS[ROBOTS])]
    return [Answer(ROBOTS, True, None, "no robot may be heard where they are; people may ring")]


def _pause(work: Work, row: Row[Any]) -> Answer:
    standing = pauses.standing(work).shut(assignment_id=row.assignment_id, segment_id=row.segment_id)
    if standing is None:
        return Answer("pause", True, None, "nothing is paused")
    scope, until = standing
    target = {"assignment": row.assignment_id, "segment": row.segment_id}.get(scope)
    return Answer("pause", False, until, pause_told(work, scope, target))


def _window(hours: Doors, now: datetime, row: Row[Any], own: str) -> Answer:
    by = _by(hours, now, row, own)
    if hours.is_open(row.clock_id, now):
        return Answer("window", True, None, f"open in {', '.join(row.zones)}{by}")
    if stale := hours.refused(row.clock_id, now):
        return Answer(REGISTER_STALE, False, None, str(stale))
    why = f"{hours.why_shut(row.clock_id, now)}{by}"
    return Answer("window", False, hours.next_opening(row.clock_id, now), why)


def _by_then(answers: list[Answer], hours: Doors, row: Row[Any], now: datetime) -> list[Answer]:
    """Where other gates open by time and no hour does after that: why, said with the hours."""
    if not row.zones or hours.refused(row.clock_id, now):
        return answers
    after = max((one.until for one in answers if not one.open and one.until), default=now)
    why = never_opens(max(after, now), row.clock_id, hours)
    return [
        replace(one, fact=f"{one.fact}; {why}") if why and one.gate == "window" else one for one in answers
    ]


def _by(hours: Doors, now: datetime, row: Row[Any], own: str) -> str:
    """What these hours rest on: the law, own hours and who set them, whoever was exempted or is stricter."""
    told = [hours.basis(row.clock_id, now), own, *map(str, hours.hours.stricter)]
    return "".join(f"; {one}" for one in told if one)
