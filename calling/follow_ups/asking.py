"""What somebody asks for, and what it comes to: an instant, moved to the next opening if hours are shut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from calling.follow_ups.wall_time import Reading, Reckoned, instant_of_wall, wall_of
from calling.hours.opening import Doors, openings
from calling.hours.whereabouts import UNKNOWN_RECKONING
from calling.hours.zones import zone, zone_names
from models.errors import BadInput
from models.work import Work

HORIZON = timedelta(days=366)
"""Whoever promises a call later than this means another year, or has mistyped."""

LONGEST_NOTE = 1_000

_PLACED = text("""
    select w.assignment_id, w.customer_id, c.clock_id, c.reckoning_zone, p.segment_id
      from unnest(cast(:assignments as bigint[]), cast(:customers as bigint[]))
           as w(assignment_id, customer_id)
      join customer c on c.crm_id = :crm_id and c.id = w.customer_id
      join placement p on p.crm_id = :crm_id and p.assignment_id = w.assignment_id
                      and p.customer_id = w.customer_id
""")
_LEASES = text("""
    select l.id, coalesce(l.rung_at, l.offered_at) as began_at, c.reckoning_zone
      from lease l join customer c on c.crm_id = :crm_id and c.id = l.customer_id
     where l.crm_id = :crm_id and l.id = any(:leases)
""")


@dataclass(frozen=True, slots=True)
class Wish:
    """A time that was asked for: an instant `at`, or a time on the wall (naive) of `zone`; one of the two.

    `zone` None: the customer's reckoning zone. `shared`: anybody may ring, not only who promised it.
    """

    at: datetime | None = None
    wall_time: datetime | None = None
    zone: str | None = None
    shared: bool = False
    note: str = ""

    @property
    def asked_as(self) -> str:
        """How it is asked for, as models/tables/follow_ups.py names it."""
        if self.wall_time is None:
            return "instant"
        return "own_zone" if self.zone is None else "named_zone"


@dataclass(frozen=True, slots=True)
class Asked:
    """The wish of a customer, reckoned. `due_at`: `at`, or the next opening of their hours after it.

    `wall_time` is what the wall of `zone` was to show; `reading` whether it shows that once, never or twice.
    `asked_as`: whether an instant was asked for, or a time on the wall of a named zone or of their own.
    """

    at: datetime
    wall_time: str
    zone: str
    asked_as: str
    reading: Reading
    due_at: datetime
    shared: bool
    note: str

    @property
    def told(self) -> str:
        """What becomes of it where that is not what was asked; empty: it is."""
        return told(self.reading, self.zone, self.at, self.due_at)


def still_known(zone_name: str) -> str:
    """A zone that was one when it was written down; UTC if the data have it no more, which stops no outcome
    and no change of a promise (P4): nobody knows better."""
    return zone_name if zone_name in zone_names() else UNKNOWN_RECKONING


def told(reading: Reading, zone_name: str, at: datetime, due_at: datetime) -> str:
    """Asked, and will be: why a promised call does not come at the time on the wall that was asked for."""
    rules, said = zone(still_known(zone_name)), []
    if reading == "skipped":
        said.append(f"the clocks are put forward over it: {wall_of(rules, at):%H:%M} is the first time after")
    if reading == "twice":
        said.append("the clocks show it twice: the first is meant")
    if due_at > at:
        said.append(f"nobody may be rung then: {wall_of(rules, due_at):%a %d %b %H:%M} is the next opening")
    return "; ".join(said)


def reckon(work: Work, wishes: Sequence[tuple[int, int, Wish]]) -> list[Asked]:
    """Wishes (assignment, customer, wish) as instants and due times, in their order; one question for all.

    The hours are those of the segment in which each stands. Raises BadInput for a zone that is none.
    """
    asked = {
        "assignments": [assignment for assignment, _, _ in wishes],
        "customers": [customer for _, customer, _ in wishes],
    }
    rows = {(row.assignment_id, row.customer_id): row for row in work.run(_PLACED, **asked)}
    hours = openings(work, sorted({row.clock_id for row in rows.values()}))
    found = []
    for assignment, customer, wish in wishes:
        row = rows[assignment, customer]
        doors = hours.of(assignment, row.segment_id)
        found.append(_asked(wish, row.reckoning_zone, row.clock_id, doors))
    return found


def check_wish(wish: Wish, reckoning_zone: str, after: datetime) -> None:
    """Refuse what nobody can promise. Raises BadInput: neither or both times, a zone that is none, or a time
    not after `after` (UTC) or more than a year behind it."""
    if (wish.at is None) == (wish.wall_time is None):
        raise BadInput("promise: give an instant (at) or a time on the wall (wall_time), one of the two")
    if wish.zone is not None and wish.wall_time is None:
        raise BadInput("promise: a zone goes with a time on the wall (wall_time), not with an instant")
    check_note(wish.note)
    at = _instant(wish, reckoning_zone).at
    if at <= after:
        raise BadInput("promise: lies in the past; it is business time", at=at, now=after)
    if at - after > HORIZON:
        raise BadInput(f"promise: lies more than {HORIZON.days} days ahead", at=at, now=after)


def instant(wish: Wish, reckoning_zone: str) -> datetime | None:
    """When it would be (UTC); None where no time is said, or two. Raises BadInput for a zone that is none."""
    return None if (wish.at is None) == (wish.wall_time is None) else _instant(wish, reckoning_zone).at


def check_note(note: str) -> None:
    """Raises BadInput for a note that is too long."""
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"note: {len(note)} characters; at most {LONGEST_NOTE}")


def check_promises(work: Work, wishes: Mapping[UUID, Wish]) -> None:
    """Refuse promises that reports of these leases carry and nobody can keep. Raises BadInput.

    Told a moment late, or much later, a promise may have come due meanwhile: it is due at once. It cannot lie
    before the call.
    """
    for lease in work.run(_LEASES, leases=list(wishes)):
        check_wish(wishes[lease.id], lease.reckoning_zone, lease.began_at)


def _asked(wish: Wish, reckoning_zone: str, clock_id: int, hours: Doors) -> Asked:
    zone_name = wish.zone or still_known(reckoning_zone)
    found = _instant(wish, reckoning_zone)
    wall = wish.wall_time or wall_of(zone(zone_name), found.at)
    due_at = hours.next_opening(clock_id, found.at) or found.at
    return Asked(
        found.at, wall.isoformat(timespec="minutes"), zone_name, wish.asked_as, found.reading, due_at,
        wish.shared, wish.note,
    )  # fmt: skip


def _instant(wish: Wish, reckoning_zone: str) -> Reckoned:
    if wish.wall_time is None:
        assert wish.at is not None  # noqa: S101 - one of the two is checked by who takes wishes in
        return Reckoned(wish.at, "exact")
    return instant_of_wall(wish.zone or still_known(reckoning_zone), wish.wall_time)
