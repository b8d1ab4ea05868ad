"""May this seller, or this dialer, be given a customer, and if not, why? What a hand-out asks of a holder.

Beside the gates, which are the customer's: what they work, whether they are there, whose promise it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import Row, text

from calling.handout.absence import floor_zone, sentence, told_utc
from calling.handout.allocate import scarce_now
from calling.handout.needs import DEPTH, IN_TOUCH, needs_of
from calling.hours.opening import Openings, last_ring_by
from calling.views.answers import Answer
from calling.views.gate_facts import pause_told
from calling.walls import pauses
from models.errors import NotFound
from models.tables.people import ROBOTS
from models.work import Work

_SELLER = text("""
    select s.id, s.name, s.assignment_id, s.segment_id, s.presence, s.presence_since, s.away_reason,
           s.back_at, s.said_by, a.name as works,
           g.name as only_segment
      from seller s
      left join assignment a on a.crm_id = :crm_id and a.id = s.assignment_id
      left join segment g on g.crm_id = :crm_id and g.id = s.segment_id
     where s.crm_id = :crm_id and s.id = :id
""")
_DIALER = text("""
    select d.id, d.name, d.assignment_id, d.segment_id, d.mode, d.wanted, d.wanted_at,
           d.rings_late_seconds, a.name as works, g.name as only_segment
      from dialer d
      left join assignment a on a.crm_id = :crm_id and a.id = d.assignment_id
      left join segment g on g.crm_id = :crm_id and g.id = d.segment_id
     where d.crm_id = :crm_id and d.id = :id
""")


@dataclass(frozen=True, slots=True)
class Who:
    """A seller or a dialer, by id."""

    kind: Literal["seller", "dialer"]
    id: int


@dataclass(frozen=True, slots=True)
class HolderAnswer:
    """What stands between a holder and a customer. `open`: nothing of the holder's does."""

    kind: str
    id: int
    name: str
    open: bool
    answers: list[Answer]


def ask_holder(work: Work, who: Who, row: Row[Any], known: Openings) -> HolderAnswer:
    """Everything that a hand-out asks of a holder; `row`: of the placement, as explain.py reads it.

    Raises NotFound.
    """
    holder = work.run(_SELLER if who.kind == "seller" else _DIALER, id=who.id).first()
    if holder is None:
        raise NotFound(who.kind, who.id)
    answers = [_works(holder, row), *_there(work, who, holder)]
    at_work = all(one.open for one in answers)
    answers += [_segment(who, holder, row), _paused(work, who, row), *_promise(work, who, holder, row)]
    answers += [_wants(work, who, row)] if at_work else []
    answers += _mode(work, holder, row, known) if who.kind == "dialer" else []
    return HolderAnswer(who.kind, who.id, holder.name, all(one.open for one in answers), answers)


def _works(holder: Row[Any], row: Row[Any]) -> Answer:
    if holder.assignment_id == row.assignment_id:
        return Answer("works", True, None, "works this assignment")
    works = f"works {holder.works}" if holder.works else "works no assignment"
    return Answer("works", False, None, works)


def _there(work: Work, who: Who, holder: Row[Any]) -> Iterator[Answer]:
    if who.kind == "seller":
        there = holder.presence == "available"
        why = told_utc(holder.away_reason, holder.back_at)
        by = f", says {holder.said_by}" if holder.said_by and not there else ""
        told = f"{holder.presence} since {holder.presence_since:%Y-%m-%d %H:%M} UTC"
        yield Answer("presence", there, None, told + (f": {why}" if why else "") + by)
        return
    heard = holder.wanted_at
    if heard is None:
        yield Answer("presence", False, None, "its link was never heard of")
    else:
        in_touch = heard > work.now - IN_TOUCH
        yield Answer("presence", in_touch, None, f"its link was last heard {heard:%Y-%m-%d %H:%M} UTC")


def _segment(who: Who, holder: Row[Any], row: Row[Any]) -> Answer:
    """An owner keeps their promise in whatever segment it is."""
    if holder.segment_id is None:
        return Answer("segment", True, None, "works every segment")
    own = who.kind == "seller" and row.state == "follow_up" and row.owner_id == who.id
    here = holder.segment_id == row.segment_id
    told = f"works {holder.only_segment} only" + ("; the promise is theirs all the same" if own else "")
    return Answer("segment", here or own, None, told)


def _paused(work: Work, who: Who, row: Row[Any]) -> Answer:
    ids: dict[str, Any] = {f"{who.kind}_id": who.id}
    found = pauses.standing(work).shut(assignment_id=row.assignment_id, **ids)
    if found is None or found[0] != who.kind:
        return Answer("pause", True, None, f"the {who.kind} is not paused")
    return Answer("pause", False, found[1], pause_told(work, who.kind, who.id))


def _promise(work: Work, who: Who, holder: Row[Any], row: Row[Any]) -> Iterator[Answer]:
    """Whose it is: the owner's, until promise_watch.py finds their grace over; a person's, ever."""
    if row.state != "follow_up":
        return
    personal = row.owner_id is not None or row.handed_from is not None
    if personal and who.kind == "dialer" and holder.mode in ROBOTS:
        yield Answer(
            "promise", False, None, "it was somebody's own promise: people keep it, no machine alone"
        )
        return
    if row.owner_id is None:
        return
    if who.kind == "seller" and row.owner_id == who.id:
        yield Answer("promise", True, None, "the promise is theirs")
        return
    if row.owner_off:
        yield _of_who_is_off(work, row)
        return
    told = "anybody may keep the promise by now" if row.anybodys else f"the promise is {row.owner}'s"
    yield Answer("promise", row.anybodys, None if row.anybodys else row.owners_until, told)


def _of_who_is_off(work: Work, row: Row[Any]) -> Answer:
    """Everybody's from its time on, as soon as the tick sees that it can be rung."""
    off = f"{row.owner} {sentence(row.away_reason, row.back_at, work.now, floor_zone(work))}"
    if row.anybodys:
        return Answer("promise", True, None, f"the promise is everybody's: {off}")
    if row.owners_until > work.now:
        return Answer("promise", False, row.owners_until, f"the promise is everybody's from then on: {off}")
    return Answer("promise", False, None, f"the promise is everybody's once it can be rung: {off}")


def _wants(work: Work, who: Who, row: Row[Any]) -> Answer:
    """Whether they would take one more; a promise that is due may come beyond the depth."""
    needs = needs_of(work, pauses.Pauses({}), row.assignment_id, who.id if who.kind == "seller" else None)
    mine = next((one for one in needs if who.id == getattr(one, f"{who.kind}_id")), None)
    due = row.state == "follow_up"
    if mine is None or (mine.promised if due else mine.wanted) < 1:
        full = f"has {DEPTH} in the list already" if who.kind == "seller" else "holds all it asked for"
        return Answer("wants", False, None, full)
    if mine.in_hand and not due and mine.segment_id in scarce_now(work, row.assignment_id):
        return Answer("wants", False, None, "has one already, and too few are free for two each")
    return Answer("wants", True, None, "would take one more")


def _mode(work: Work, holder: Row[Any], row: Row[Any], known: Openings) -> list[Answer]:
    """What the law has against robots, and whether the dialer could still ring before closing."""
    silent = holder.mode in ROBOTS and row.clock_id in known.without_robots()
    told = "the law forbids the voices of robots where they are" if silent else f"its mode is {holder.mode}"
    answers = [Answer("mode", not silent, None, told)]
    closes_at = known.of(row.assignment_id, row.segment_id).closes_at(row.clock_id, work.now)
    late = timedelta(seconds=holder.rings_late_seconds)
    if closes_at is not None and late:
        in_time = last_ring_by(closes_at, late) > work.now
        told = f"may ring {holder.rings_late_seconds} s after its ring_by; hours close {closes_at:%H:%M} UTC"
        answers.append(Answer("lateness", in_time, None, told))
    return answers
