"""Whom time alone may have moved: found by index, in ranges as narrow as the time that passed (design 5.7).

More may be found than move; none may be missed. What it costs depends on how many lie in the ranges, not on
how many there are.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

from sqlalchemy import text

from models.work import Work
from models.zones import zone_names
from segmentation.calendar import local_day, midnight
from segmentation.offsets import last_change
from segmentation.timed import INSTANTS, Timed, flipping_days, flipping_year_days

# An instant of each kind lies in (:low, :high].
_INSTANTS = {
    "last_call": text("""
        select distinct customer_id from attempt
         where crm_id = :crm_id and assignment_id = :assignment_id
           and reported_at > :low and reported_at <= :high
    """),
    "entered": text("""
        select distinct unnest(customers) from segment_move
         where crm_id = :crm_id and assignment_id = :assignment_id and cause = 'entered'
           and moved_at > :low and moved_at <= :high
    """),
    "due": text("""
        select customer_id from placement
         where crm_id = :crm_id and assignment_id = :assignment_id and state in ('resting', 'follow_up')
           and due_at > :low and due_at <= :high
    """),
    "customer_since": text("""
        select p.customer_id from customer c
          join placement p on p.crm_id = :crm_id and p.customer_id = c.id and p.assignment_id = :assignment_id
         where c.crm_id = :crm_id and c.created_at > :low and c.created_at <= :high
    """),
}
_MOVED = text("""
    select distinct unnest(customers) from segment_move
     where crm_id = :crm_id and assignment_id = :assignment_id and moved_at > :low and moved_at <= :high
""")
_OF_ZONES = """
      join customer c on c.crm_id = :crm_id and c.id = d.customer_id and c.reckoning_zone = any(:zones)
      join placement p on p.crm_id = :crm_id and p.customer_id = c.id and p.assignment_id = :assignment_id
"""
# From zone to zone by index. Midnight passes somewhere each half an hour: among 10 million a second each.
_LIVED_BY = text("""
    with recursive lived_by as (
        (select reckoning_zone as zone from customer where crm_id = :crm_id order by reckoning_zone limit 1)
        union all
        select (select c.reckoning_zone from customer c
                 where c.crm_id = :crm_id and c.reckoning_zone > lived_by.zone
                 order by c.reckoning_zone limit 1)
          from lived_by where lived_by.zone is not null)
    select zone from lived_by where zone is not null
""")
_DAYS = text(
    f"""
    select d.customer_id from customer_day d {_OF_ZONES}
     where d.crm_id = :crm_id and d.field = :field and d.day >= :first and d.day < :last
"""  # noqa: S608
)
_YEAR_DAYS = text(
    f"""
    select d.customer_id from customer_day d {_OF_ZONES}
     where d.crm_id = :crm_id and d.field = :field and d.year_day = any(:year_days)
"""  # noqa: S608
)

_INSTANT, _DAY = timedelta(microseconds=1), timedelta(days=1)


def may_flip(work: Work, assignment_id: int, asked: Timed, start: datetime, end: datetime) -> list[int]:
    """The customers of an assignment whom (start, end] may have moved, by id."""
    found: set[int] = set()
    for key, seconds in asked.instants:
        offset = timedelta(seconds=seconds)
        found |= _instants(work, assignment_id, key, start - offset, end - offset)
    if asked.local_offset and (change := last_change(start, end)):
        found |= _of_before(work, assignment_id, start, change)
    if asked.words or asked.days or asked.anniversaries:
        for before, after, zones in _new_days(work, start, end):
            found |= _of_new_day(work, assignment_id, asked, before, after, zones)
    return sorted(found)


def _new_days(work: Work, start: datetime, end: datetime) -> Iterator[tuple[date, date, list[str]]]:
    """(day before, day now, zones) of the zones that customers live by, where a local midnight has passed."""
    days = sorted((local_day(zone, start), local_day(zone, end), zone) for zone in zone_names())
    passed = [day for day in days if day[0] != day[1]]
    lived_by = set(work.run(_LIVED_BY).scalars()) if passed else ()
    for (before, after), group in groupby(passed, key=lambda day: day[:2]):
        if zones := [zone for _, _, zone in group if zone in lived_by]:
            yield before, after, zones


def _of_new_day(
    work: Work, assignment_id: int, asked: Timed, before: date, after: date, zones: list[str]
) -> set[int]:
    """Whom the change of day in these zones may move."""
    found: set[int] = set()
    where = {"assignment_id": assignment_id, "zones": zones}
    first, last = min(before, after), max(before, after)
    for key, ahead in asked.days:
        span = (first - ahead * _DAY + _DAY, last - ahead * _DAY + _DAY)
        found |= _ids(work.run(_DAYS, field=key, first=span[0], last=span[1], **where).scalars())
    for key, ahead in asked.anniversaries:
        year_days = sorted(flipping_year_days(ahead, before, after))
        found |= _ids(work.run(_YEAR_DAYS, field=key, year_days=year_days, **where).scalars())
    for key, word in asked.words:
        for span in flipping_days(word, before, after):
            if key not in INSTANTS:
                found |= _ids(work.run(_DAYS, field=key, first=span[0], last=span[1], **where).scalars())
                continue
            begins = [midnight(zone, span[0]) for zone in zones]
            ends = [midnight(zone, span[1]) for zone in zones]
            found |= _instants(work, assignment_id, key, min(begins) - _INSTANT, max(ends))
    return found


def _of_before(work: Work, assignment_id: int, start: datetime, change: datetime) -> set[int]:
    """Whoever was called or moved by the clocks as they were: perhaps it committed after the rebuild."""
    called = _instants(work, assignment_id, "last_call", start, change)
    return called | _ids(work.run(_MOVED, assignment_id=assignment_id, low=start, high=change).scalars())


def _instants(work: Work, assignment_id: int, key: str, low: datetime, high: datetime) -> set[int]:
    return _ids(work.run(_INSTANTS[key], assignment_id=assignment_id, low=low, high=high).scalars())


def _ids(found: Iterable[int]) -> set[int]:
    return set(found)
