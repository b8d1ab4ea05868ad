"""What is vouched for is written down; clocks, orders, promises, gates and segments follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.customers import verifying_sql as sql
from calling.customers.reclocking import Reclocked, reclock_and_follow
from calling.customers.standing import pass_turnstiles
from calling.customers.verifying_refused import Problem, refusal
from calling.dialers.reclocked import Orders, lock_orders
from calling.follow_ups.own_wall import Followed, PromiseMoved, PromiseStays, tell
from calling.handout import gates, placements
from calling.handout.recalling import recall
from calling.hours.clocks import whereabouts_of
from calling.hours.verified import contradiction, contradicts
from calling.segments.following import follow_facts
from calling.segments.resegmenting import take_back_moved
from models.work import OpenWork, Work
from segmentation.resegment import Moved


@dataclass(frozen=True, slots=True)
class Wish:
    """What is said of a customer, and how it is known. `zone` None: nothing any more."""

    zone: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Voice:
    """Who says it. `source`: the system of record; None: a person. `anyway`: whatever speaks against it."""

    author: str
    source: str | None
    anyway: bool


@dataclass(frozen=True, slots=True)
class Verified:
    """What was done. `zone` None: nobody vouches for one now. `changed`: it was otherwise before.

    `contradicts`: no candidate of theirs keeps its time, and it was said all the same. `moved`: promised
    calls that have followed their wall; `stay`: those that are promised when they were.
    """

    customer_id: int
    zone: str | None
    changed: bool
    contradicts: str | None
    moved: tuple[PromiseMoved, ...]
    stay: tuple[PromiseStays, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What was done, what not and why, who changed segment, and what is offered by another clock."""

    done: list[Verified]
    refused: dict[int, Problem]
    moved: list[Moved]
    offered: list[UUID]


def write(work: Work, wishes: Mapping[int, Wish], voice: Voice) -> Written:
    """Zones, clocks, promises, gates and segments of these customers, in the order of locks."""
    customers = sorted(wishes)
    assignments = pass_turnstiles(work, customers)
    orders = lock_orders(work, customers)
    rows = {row.id: row for row in work.run(sql.LOCK, customers=customers)}
    placements.lock(work, customers)
    standing = {row.customer_id: row for row in work.run(sql.STANDING, customers=customers)}
    against = _against(work, wishes, rows)
    found = {
        key: refusal(key, rows.get(key), standing.get(key), against.get(key), voice.source, voice.anyway)
        for key in customers
    }
    refused = {key: error for key, error in found.items() if error is not None}
    good = [key for key in customers if key not in refused]
    new = [key for key in good if _is_news(wishes[key], rows[key], standing.get(key), voice.source)]
    reclocked = _say(work, {key: wishes[key] for key in new}, voice, against, orders)
    moved, promises = _follow(work, assignments, reclocked)
    offered = (
        list(work.run(sql.OFFERED, customers=reclocked.customers).scalars()) if reclocked.customers else []
    )
    done = [_verified(key, wishes[key], key in new, against.get(key), promises.of(key)) for key in good]
    return Written(done, refused, moved, offered)


def afterwards(open_work: OpenWork, written: Written) -> None:
    """Take back what was offered; what a crash leaves the reaper finds."""
    if written.offered:
        with open_work() as work:
            recall(work, written.offered, "the customer has another clock", states=["offered"])
    take_back_moved(open_work, written.moved)


def _against(work: Work, wishes: Mapping[int, Wish], rows: Mapping[int, Row[Any]]) -> dict[int, str]:
    """What speaks against the zones, by customer."""
    without = whereabouts_of(work, rows, verified=False)
    return {
        key: contradiction(without[key].zones)
        for key in rows
        if (zone := wishes[key].zone) and contradicts(zone, without[key].zones)
    }


def _is_news(wish: Wish, row: Row[Any], standing: Row[Any] | None, source: str | None) -> bool:
    """Said again by the same is no news; that a person says what a list did is."""
    if wish.zone is None:
        return standing is not None or row.verified_zone is not None
    return standing is None or (standing.zone, standing.source) != (wish.zone, source)


def _say(
    work: Work, wishes: Mapping[int, Wish], voice: Voice, against: Mapping[int, str], orders: Orders
) -> Reclocked:
    """Write what is vouched for; the customers who have another clock by it."""
    if not wishes:
        return Reclocked([], Followed())
    keys = list(wishes)
    gone = [key for key in keys if wishes[key].zone is None]
    for ended in filter(None, (gone, [key for key in keys if key not in gone])):
        reason = wishes[ended[0]].reason if ended is gone else None
        work.run(sql.END, customers=ended, author=voice.author, reason=reason)
    said = [key for key in keys if key not in gone]
    if said:
        work.run(
            sql.SAY, customers=said, zones=[wishes[key].zone for key in said], source=voice.source,
            author=voice.author, reasons=[wishes[key].reason for key in said],
            contradicts=[key in against for key in said],
        )  # fmt: skip
    work.run(sql.WRITE, customers=keys, zones=[wishes[key].zone for key in keys])
    return reclock_and_follow(work, keys, orders, voice.author)


def _follow(work: Work, assignments: list[int], reclocked: Reclocked) -> tuple[list[Moved], Followed]:
    """Gates and segments of those of another clock, and what is told of their promises."""
    customers = reclocked.customers
    if not customers:
        return [], reclocked.promises
    gates.restamp(work, customers, locked=True)
    moved = follow_facts(work, assignments, customers, None, "event")
    for assignment_id in assignments:
        work.hint("allocate", assignment_id)
    return moved, tell(work, reclocked.promises)


def _verified(
    customer_id: int, wish: Wish, changed: bool, against: str | None, promises: Followed
) -> Verified:
    return Verified(
        customer_id, wish.zone, changed, against, tuple(promises.moved), tuple(promises.stay)
    )  # fmt: skip
