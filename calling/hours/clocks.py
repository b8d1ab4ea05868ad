"""Clocks: the candidate zones and legal places of customers, kept once for all who share them.

A clock is a fact of the customer. Hours are joined to it at hand-out, so nothing is rewritten when time
passes, hours change or the clocks are put forward.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from calling.handout import placements
from calling.hours.main_zones import main_zone
from calling.hours.whereabouts import Whereabouts, whereabouts
from calling.hours.zones import zone_names
from calling.intake.numbers import place_of
from models.work import Work

_KNOWN = text("select key, id from call_clock where key = any(:keys)")
_MAKE = text("""
    insert into call_clock (key, zones, places)
    select w.key, string_to_array(w.zones, ','), string_to_array(w.places, ',')
      from unnest(cast(:keys as text[]), cast(:zones as text[]), cast(:places as text[]))
           as w(key, zones, places)
     order by w.key
    on conflict (key) do nothing
""")
_ALL = text("select id, zones, places from call_clock where cast(:ids as bigint[]) is null or id = any(:ids)")
_FACTS = text("""
    select c.id, c.verified_zone, c.place,
           array_agg(n.e164 order by n.position, n.e164) as numbers,
           array_agg(array_to_string(n.zones, ',') order by n.position, n.e164) as zones
      from customer c
      left join customer_number n on n.crm_id = :crm_id and n.customer_id = c.id
     where c.crm_id = :crm_id and c.id = any(:customers)
     group by c.id, c.verified_zone, c.place
""")
_LOCK = text("""
    select 1 from customer where crm_id = :crm_id and id = any(:customers) order by id for no key update
""")
_WRITE = text("""
    update customer c set clock_id = w.clock_id, reckoning_zone = w.reckoning_zone, updated_at = :now
      from unnest(cast(:customers as bigint[]), cast(:clocks as bigint[]), cast(:zones as text[]))
           as w(id, clock_id, reckoning_zone)
     where c.crm_id = :crm_id and c.id = w.id
       and (c.clock_id, c.reckoning_zone) is distinct from (w.clock_id, w.reckoning_zone)
    returning c.id
""")
_FOLLOW = text("""
    update placement p set clock_id = c.clock_id
      from customer c
     where p.crm_id = :crm_id and p.customer_id = any(:customers)
       and c.crm_id = :crm_id and c.id = p.customer_id and p.clock_id <> c.clock_id
""")


@dataclass(frozen=True, slots=True)
class Clock:
    """A set of candidate zones and a set of legal places, both sorted. No zones: unknown, never open.

    `gone`: zones that the installed zone data know no more. Then `zones` is empty: one nobody can reckon by
    may be shut at any minute.
    """

    id: int
    zones: tuple[str, ...]
    places: tuple[str, ...]
    gone: tuple[str, ...] = ()

    @classmethod
    def kept(cls, clock_id: int, zones: Iterable[str], places: Iterable[str]) -> "Clock":
        """A clock as the database keeps it, whatever zone data it was made by."""
        names = tuple(zones)
        gone = tuple(name for name in names if name not in zone_names())
        return cls(clock_id, () if gone else names, tuple(places), gone)


def clock_key(where: Whereabouts) -> str:
    """The text that names a clock: "PT|Atlantic/Azores,Europe/Lisbon"."""
    return f"{','.join(where.places)}|{','.join(where.zones)}"


def clock_ids(work: Work, wanted: Iterable[Whereabouts]) -> dict[str, int]:
    """The clocks of these whereabouts by their key, made where they are missing.

    Two who make the same one at once both get it: the second waits for the first to commit.
    """
    by_key = {clock_key(where): where for where in wanted}
    known = _known(work, by_key)
    missing = sorted(by_key.keys() - known.keys())
    if missing:
        work.run(
            _MAKE,
            keys=missing,
            zones=[",".join(by_key[key].zones) for key in missing],
            places=[",".join(by_key[key].places) for key in missing],
        )
        known |= _known(work, missing)
    return known


def clock_for(work: Work, where: Whereabouts) -> int:
    """The id of the clock of these whereabouts, made if it is missing."""
    return clock_ids(work, [where])[clock_key(where)]


def read_clocks(work: Work, ids: Sequence[int] | None = None) -> list[Clock]:
    """The clocks with these ids, or all there are."""
    rows = work.run(_ALL, ids=None if ids is None else list(ids))
    return [Clock.kept(row.id, row.zones, row.places) for row in rows]


def whereabouts_of(
    work: Work, customers: Iterable[int], supposed_place: Mapping[int, str | None] | None = None,
    *, verified: bool = True,
) -> dict[int, Whereabouts]:  # fmt: skip
    """Where these customers may be, worked out anew from their numbers, verified zone and address.

    `supposed_place`: customer -> an address that is taken for theirs. `verified` false: as if nobody vouched
    for a zone.
    """
    places = supposed_place or {}
    return {
        row.id: whereabouts(
            _candidates(row.numbers, row.zones),
            row.verified_zone if verified else None,
            places.get(row.id, row.place),
            _main(row.numbers, row.zones),
        )
        for row in work.run(_FACTS, customers=sorted(set(customers)))
    }


def reclock(work: Work, customers: Iterable[int]) -> list[int]:
    """Give customers, and their placements, the clock that their facts ask for; the ids that changed.

    Call it after changing a number, a verified zone or an address, in the same transaction, then restamp
    the gates. Locks customers and placements in key order.
    """
    ids = sorted(set(customers))
    if not ids:
        return []
    work.run(_LOCK, customers=ids)
    found = whereabouts_of(work, ids)
    known = clock_ids(work, found.values())
    changed = sorted(
        work.run(
            _WRITE,
            customers=list(found),
            clocks=[known[clock_key(where)] for where in found.values()],
            zones=[where.reckoning for where in found.values()],
        ).scalars()
    )
    if changed:
        placements.lock(work, changed)
        work.run(_FOLLOW, customers=changed)
    return changed


def _known(work: Work, keys: Iterable[str]) -> dict[str, int]:
    return {row.key: row.id for row in work.run(_KNOWN, keys=list(keys))}


def _main(numbers: Sequence[str | None], zones: Sequence[str | None]) -> str | None:
    """The main zone of the first number."""
    return main_zone(numbers[0], tuple(zones[0].split(","))) if numbers[0] and zones[0] else None


def _candidates(
    numbers: Sequence[str | None], zones: Sequence[str | None]
) -> list[tuple[tuple[str, ...], str | None]]:
    """(zones, legal place) of each number; a customer without numbers comes as one null."""
    return [
        (tuple(names.split(",")) if names else (), place_of(e164))
        for e164, names in zip(numbers, zones, strict=True)
        if e164
    ]
