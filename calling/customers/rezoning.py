"""New data: the zones of every number are worked out anew, and whoever moves is told of in a table.

A tick looks whether the installed versions are those that a CRM was last brought under. If not, what was
offered under the old hours and may ring no more is taken back, and the CRM's customers are gone through in
order of their ids. What has not changed is only read. A crash loses no more than a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.customers import rezoning_sql as sql
from calling.customers.reclocking import reclock_and_follow, take_back_moved_promises
from calling.customers.standing import pass_turnstiles
from calling.dialers.reclocked import lock_orders
from calling.follow_ups.own_wall import Followed, astray, tell
from calling.handout import gates, placements
from calling.hours.clocks import clock_key
from calling.hours.main_zones import main_zone
from calling.hours.places import today
from calling.hours.versions import ZONE_PARTS, version_id, versions
from calling.hours.whereabouts import whereabouts
from calling.intake.numbers import Number, read_number
from calling.segments.following import follow_facts
from calling.segments.resegmenting import take_back_moved
from calling.walls.shut_offers import take_back_shut
from models.work import OpenWork, Work
from segmentation.resegment import Moved

NEW_DATA = "new data of zones"
"""Who has moved a promise."""

READ, BATCH = 1_000, 200
"""Customers that are looked at, and at most written, in one transaction."""


@dataclass(frozen=True, slots=True)
class Rezoned:
    """What new data did to a CRM: customers gone through, those of another clock, offers taken back.

    `promises`: calls that were promised on a wall, and have moved with it.
    """

    id: int
    customers: int
    moved: int
    recalled: int
    promises: int


def rezone(open_work: OpenWork) -> Rezoned | None:
    """Bring a CRM under the installed data, if it is not yet; what that did. Goes on where a crash was.

    Raises nothing of its own. Of two at once both do the same; who comes second finds it done.
    """
    with open_work() as work:
        run = _begun(work)
        if run is None:
            return None
        anew = _zones_differ(work, run)
    answer = take_back_shut(open_work, "the law or the zone data changed")
    recalled = len(answer.recalled) + len(answer.unknown)
    while anew and _go_on(open_work, run.id, run.to_version):
        pass
    with open_work() as work:
        done = work.run(sql.FINISH, id=run.id, mine=run.to_version, recalled=recalled).first()
        if done is None:  # an edition with other data has begun it anew: whatever is left is its
            return None
        for assignment_id in work.run(sql.ASSIGNMENTS).scalars():
            work.hint("allocate", assignment_id)
    return Rezoned(run.id, done.customers, done.moved, done.recalled, done.promises)


def _begun(work: Work) -> Row[Any] | None:
    """The rezoning that is open, begun anew if it was for other data; None: all is well."""
    wanted = version_id(work)
    run = work.run(sql.OPEN).first()
    if run is None:
        last = work.run(sql.LAST).scalar()
        if last == wanted:
            return None
        work.run(sql.BEGIN, from_version=last, to_version=wanted)
    elif run.to_version != wanted:
        work.run(sql.BEGIN_ANEW, id=run.id, to_version=wanted)
    return work.run(sql.OPEN).first()  # none: whoever began it beside us has done it meanwhile


def _zones_differ(work: Work, run: Row[Any]) -> bool:
    """Whether the data that zones follow from are others; unknown ones are."""
    if run.from_version is None:
        return True
    known = versions(work, [run.from_version, run.to_version])
    before, now = known[run.from_version], known[run.to_version]
    return any(before[part] != now[part] for part in ZONE_PARTS)


def _go_on(open_work: OpenWork, run_id: int, mine: int) -> bool:
    """Look at the next customers, and write those who move; whether there were any.

    `mine`: the data that this process has; once the rezoning is for others there are none.
    """
    with open_work() as work:
        rows = work.run(sql.NEXT, id=run_id, mine=mine, most=READ).all()
        late = astray(work, [row.id for row in rows])
        moving = [row.id for row in rows if row.id in late or _moves(row)]
    for start in range(0, len(moving), BATCH):
        batch = moving[start : start + BATCH]
        with open_work() as work:
            moved, offered = _write(work, run_id, batch)
        take_back_moved_promises(open_work, offered)
        take_back_moved(open_work, moved)
    if rows:
        with open_work() as work:
            work.run(sql.DONE_TO, id=run_id, mine=mine, done_to=rows[-1].id)
    return bool(rows)


def _moves(row: Any) -> bool:
    """Whether this customer's numbers, or the customer, would be elsewhere by the installed data."""
    if row.place is not None and today(row.place) != row.place:
        return True
    numbers = [_read(e164) for e164 in row.numbers]
    if any(list(number.zones) != zones.split(",") if zones else bool(number.zones)
           for number, zones in zip(numbers, row.zones, strict=True)):  # fmt: skip
        return True
    main = main_zone(numbers[0].e164, numbers[0].zones) if numbers else None
    where = whereabouts([(n.zones, n.place) for n in numbers], row.verified_zone, row.place, main)
    return (clock_key(where), where.reckoning) != (row.clock, row.reckoning_zone)


def _rename_places(work: Work, customers: Sequence[int]) -> None:
    """Places under today's names: an earlier edition kept US-PR, whose numbers are of PR."""
    for place in work.run(sql.PLACES, customers=list(customers)).scalars():
        if (name := today(place)) != place:
            work.run(sql.RENAME_PLACE, customers=list(customers), place=place, name=name)


def _read(e164: str) -> Number:
    """A number that we keep; one that is in no plan any more is nowhere, and a person has to look at it."""
    read = read_number(e164, None)
    return read if isinstance(read, Number) else Number(e164, (), None)


def _write(work: Work, run_id: int, customers: Sequence[int]) -> tuple[list[Moved], list[UUID]]:
    """Zones, clocks, promises, gates and segments of these customers, in the order of locks.

    Who changed segment, and what is offered to keep a promise that has moved.
    """
    assignments = pass_turnstiles(work, customers)
    orders = lock_orders(work, customers)
    work.run(sql.LOCK, customers=list(customers))
    placements.lock(work, customers)
    before = {row.id: row.clock_id for row in work.run(sql.CLOCKS, customers=list(customers))}
    numbers = [_read(e164) for e164 in work.run(sql.NUMBERS, customers=list(customers)).scalars()]
    work.run(
        sql.WRITE_ZONES, customers=list(customers), numbers=[n.e164 for n in numbers],
        zones=[",".join(n.zones) for n in numbers],
    )  # fmt: skip
    _rename_places(work, customers)
    done = reclock_and_follow(work, customers, orders, NEW_DATA, look=customers)
    changed, promises = done.customers, done.promises
    gates.restamp(work, customers, locked=True)
    moved = follow_facts(work, assignments, changed, None, "event") if changed else []
    later = sorted({one.customer_id for one in promises.moved}.difference(changed))
    moved += follow_facts(work, assignments, later, {"due"}, "event") if later else []
    work.run(sql.TELL, id=run_id, customers=changed, clocks=[before[key] for key in changed])
    _tell_promises(work, run_id, tell(work, promises), set(changed))
    return moved, promises.offered


def _tell_promises(work: Work, run_id: int, promises: Followed, changed: set[int]) -> None:
    """Write down which promises have moved, and which stay of those who are elsewhere now."""
    told = [(one.id, one.was_due_at, one.due_at, True) for one in promises.moved]
    told += [(one.id, one.due_at, one.due_at, False) for one in promises.stay if one.customer_id in changed]
    if told:
        ids, was, due, moved = map(list, zip(*told, strict=True))
        work.run(sql.PROMISES, id=run_id, follow_ups=ids, was_due_ats=was, due_ats=due, moved=moved)
