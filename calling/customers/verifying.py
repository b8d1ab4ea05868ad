"""Zones that somebody vouches for, a person or a system of record; withdrawn as well, each with who and why.

A verified zone is the customer's only candidate. Legal places are those of their numbers and address, and the
country of the zone beside them: which law protects somebody who sits abroad nobody can tell, so all do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.customers import verifying_sql as sql
from calling.customers.finding import ids_of
from calling.customers.standing import pass_turnstiles
from calling.dialers.reclocked import lock_orders, want_back_reclocked
from calling.handout import gates, placements
from calling.handout.recalling import recall
from calling.hours.clocks import reclock, whereabouts_of
from calling.hours.verified import contradiction, contradicts, read_zone
from calling.segments.following import follow_facts
from calling.segments.resegmenting import take_back_moved
from models.errors import BadValues, Conflict, NotFound
from models.work import OpenWork, Work
from segmentation.resegment import Moved

BATCH = 200


@dataclass(frozen=True, slots=True)
class Verified:
    """What was done. `zone` None: nobody vouches for one now. `changed`: it was otherwise before.

    `contradicts`: no candidate of theirs keeps its time, and it was said all the same. `promised`: calls that
    stay promised when they were, as (time on the wall, zone): somebody may want to change them.
    """

    customer_id: int
    zone: str | None
    changed: bool
    contradicts: str | None
    promised: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a list: a customer by external id, and the zone where they are. `line` counts from 1."""

    line: int
    external_id: str
    zone: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not taken, and why."""

    line: int
    external_id: str
    zone: str
    why: str


@dataclass(frozen=True, slots=True)
class _Wish:
    zone: str | None
    reason: str


def verify_zone(
    open_work: OpenWork, customer_id: int, zone: str, *, author: str, reason: str, source: str | None = None,
    anyway: bool = False,
) -> Verified:  # fmt: skip
    """Vouch for the zone of a customer, in place of what was vouched for before; they are callable at once.

    `source`: the system of record that says so, None: a person. `anyway`: also a zone that contradicts all
    candidates, and a system's word against a person's. Clock, gates and segments follow in the transaction;
    what was offered by another clock comes back. Raises BadValues with every problem, NotFound, Conflict.
    """
    name = _check(zone, author, reason, source)
    return _one(open_work, customer_id, _Wish(name, reason.strip()), author, source, anyway)


def withdraw_zone(open_work: OpenWork, customer_id: int, *, author: str, reason: str) -> Verified:
    """Vouch no more: the candidates of numbers and address count again. Withdrawn twice is once.

    Raises BadValues, NotFound, Conflict for whoever was anonymised.
    """
    _check(None, author, reason, None)
    return _one(open_work, customer_id, _Wish(None, reason.strip()), author, None, True)


def verify_zones(
    open_work: OpenWork, said: Sequence[Said], *, author: str, source: str | None = None, anyway: bool = False
) -> tuple[list[Verified], list[Refused]]:
    """Vouch for the zones of many, in batches of 200, each a transaction; what was done, and what refused."""
    done: list[Verified] = []
    refused: list[Refused] = []
    wishes: list[tuple[Said, str]] = []
    seen: dict[str, int] = {}
    for one in said:
        first = seen.setdefault(one.external_id, one.line)
        try:
            if first != one.line:
                raise ValueError(f"line {first} has this customer already")
            wishes.append((one, read_zone(one.zone)))
        except ValueError as error:
            refused.append(Refused(one.line, one.external_id, one.zone, str(error)))
    for start in range(0, len(wishes), BATCH):
        verified, wrong = _batch(open_work, wishes[start : start + BATCH], author, source, anyway)
        done += verified
        refused += wrong
    return done, sorted(refused, key=lambda one: one.line)


def _check(zone: str | None, author: str, reason: str, source: str | None) -> str:
    """The name of the zone. Raises BadValues with everything that is wrong."""
    problems, name = [], ""
    if zone is not None:
        try:
            name = read_zone(zone)
        except ValueError as error:
            problems.append(("zone", f"{zone!r} {error}"))
    if not reason.strip():
        problems.append(("reason", "say how it is known; whoever doubts it wants to know"))
    if not author.strip():
        problems.append(("author", "say who vouches for it"))
    if source is not None and not source.strip():
        problems.append(("source", "name the system of record, or leave it out for a person"))
    if problems:
        raise BadValues(problems)
    return name


def _one(
    open_work: OpenWork, customer_id: int, wish: _Wish, author: str, source: str | None, anyway: bool
) -> Verified:
    with open_work() as work:
        done, refused, moved, offered = _write(work, {customer_id: wish}, author, source, anyway)
        if refused:
            raise refused[customer_id]
    _afterwards(open_work, moved, offered)
    return done[0]


def _batch(
    open_work: OpenWork, wishes: Sequence[tuple[Said, str]], author: str, source: str | None, anyway: bool
) -> tuple[list[Verified], list[Refused]]:
    with open_work() as work:
        ids = ids_of(work, [one.external_id for one, _ in wishes])
        known = {
            ids[one.external_id]: _Wish(zone, one.reason) for one, zone in wishes if one.external_id in ids
        }
        done, wrong, moved, offered = _write(work, known, author, source, anyway)
    _afterwards(open_work, moved, offered)
    refused = []
    for one, _ in wishes:
        error = wrong.get(ids.get(one.external_id, 0))
        if one.external_id not in ids:
            refused.append(Refused(one.line, one.external_id, one.zone, "is no customer"))
        elif error is not None:
            refused.append(Refused(one.line, one.external_id, one.zone, error.message))
    return done, refused


Problem = BadValues | Conflict | NotFound


def _write(
    work: Work, wishes: dict[int, _Wish], author: str, source: str | None, anyway: bool
) -> tuple[list[Verified], dict[int, Problem], list[Moved], list[UUID]]:
    """Zones, clocks, gates and segments of these customers, in the order of locks.

    What was done, what not and why, who changed segment, and the offered leases of whoever has another clock.
    """
    customers = sorted(wishes)
    assignments = pass_turnstiles(work, customers)
    orders = lock_orders(work, customers)
    rows = {row.id: row for row in work.run(sql.LOCK, customers=customers)}
    placements.lock(work, customers)
    standing = {row.customer_id: row for row in work.run(sql.STANDING, customers=customers)}
    without = whereabouts_of(work, rows, verified=False)
    against = {
        key: contradiction(without[key].zones)
        for key in rows
        if (zone := wishes[key].zone) and contradicts(zone, without[key].zones)
    }
    refused: dict[int, Problem] = {}
    for key in customers:
        error = _refusal(key, rows.get(key), standing.get(key), against.get(key), source, anyway)
        if error is not None:
            refused[key] = error
    good = [key for key in customers if key not in refused]
    new = [key for key in good if _is_news(wishes[key], rows[key], standing.get(key), source)]
    reclocked = _say(work, {key: wishes[key] for key in new}, author, source, against)
    want_back_reclocked(work, orders, reclocked)
    gates.restamp(work, reclocked, locked=True)
    moved = follow_facts(work, assignments, reclocked, None, "event") if reclocked else []
    if reclocked:
        for assignment_id in assignments:
            work.hint("allocate", assignment_id)
    offered = list(work.run(sql.OFFERED, customers=reclocked).scalars()) if reclocked else []
    promised = _promised(work, reclocked)
    done = [
        Verified(key, wishes[key].zone, key in new, against.get(key), promised.get(key, ())) for key in good
    ]
    return done, refused, moved, offered


def _refusal(
    customer_id: int, row: Row[Any] | None, standing: Row[Any] | None, against: str | None,
    source: str | None, anyway: bool,
) -> Problem | None:  # fmt: skip
    """Why this cannot be said of a customer; None: it can."""
    if row is None:
        return NotFound("customer", customer_id)
    if row.anonymised_at is not None:
        return Conflict(f"customer {customer_id} was anonymised: nothing is kept of them any more")
    if anyway:
        return None
    if against is not None:
        return BadValues([("zone", f"{against}; say so with `anyway` if they are there all the same")])
    if source is not None and standing is not None and standing.source is None:
        return Conflict(
            f"{standing.author} has verified {standing.zone}: a person's word stands unless `anyway` is said",
            zone=standing.zone, author=standing.author,
        )  # fmt: skip
    return None


def _is_news(wish: _Wish, row: Row[Any], standing: Row[Any] | None, source: str | None) -> bool:
    """Said again by the same is no news; that a person says what a list did is."""
    if wish.zone is None:
        return standing is not None or row.verified_zone is not None
    return standing is None or (standing.zone, standing.source) != (wish.zone, source)


def _say(
    work: Work, wishes: dict[int, _Wish], author: str, source: str | None, against: dict[int, str]
) -> list[int]:
    """Write what is vouched for; the customers who have another clock by it."""
    if not wishes:
        return []
    keys = list(wishes)
    gone = [key for key in keys if wishes[key].zone is None]
    for ended in filter(None, (gone, [key for key in keys if key not in gone])):
        reason = wishes[ended[0]].reason if ended is gone else None
        work.run(sql.END, customers=ended, author=author, reason=reason)
    said = [key for key in keys if key not in gone]
    if said:
        work.run(
            sql.SAY, customers=said, zones=[wishes[key].zone for key in said], source=source, author=author,
            reasons=[wishes[key].reason for key in said], contradicts=[key in against for key in said],
        )  # fmt: skip
    work.run(sql.WRITE, customers=keys, zones=[wishes[key].zone for key in keys])
    return reclock(work, keys)


def _promised(work: Work, customers: Sequence[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for row in work.run(sql.PROMISED, customers=list(customers)) if customers else ():
        found[row.customer_id] = (*found.get(row.customer_id, ()), (row.wall_time, row.zone))
    return found


def _afterwards(open_work: OpenWork, moved: list[Moved], offered: list[UUID]) -> None:
    if offered:
        with open_work() as work:
            recall(work, offered, "the customer has another clock", states=["offered"])
    take_back_moved(open_work, moved)
