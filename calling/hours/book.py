"""All hours of one CRM: its own, what its owner made stricter and where, who is exempted from what.

And which assignments are about debts: some rows of the law bind those alone.

Out of them comes a timetable for each segment; segments under the same hours share one.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache

import orjson

from calling.hours.stricter import Exemption, StricterHours, exemption_from, stricter_from
from calling.hours.timetable import Timetable
from calling.hours.week import Week, read_week


class HoursBook:
    """The hours of a CRM; `of` gives those of one segment."""

    def __init__(
        self, own: Week, stricter: Sequence[StricterHours] = (), exemptions: Sequence[Exemption] = (),
        about_debts: Collection[int] = (),
    ) -> None:  # fmt: skip
        self._own, self._stricter, self._exemptions = own, tuple(stricter), tuple(exemptions)
        self._about_debts = frozenset(about_debts)
        self._made: dict[tuple[tuple[int, ...], tuple[int, ...], bool], Timetable] = {}

    def of(self, assignment_id: int | None = None, segment_id: int | None = None) -> Timetable:
        """The hours in a segment of an assignment; None: what holds everywhere. The same has one object."""
        stricter = [one for one in self._stricter if one.covers(assignment_id, segment_id)]
        exemptions = [one for one in self._exemptions if one.covers(assignment_id)]
        debts = assignment_id in self._about_debts
        key = (tuple(one.id for one in stricter), tuple(one.id for one in exemptions), debts)
        known = self._made.get(key)
        if known is None:
            known = self._made[key] = _timetable(self._own, tuple(stricter), tuple(exemptions), debts)
        return known

    def all_of(self, assignment_id: int | None = None) -> list[Timetable]:
        """Every timetable that somebody in this assignment, or in any, may be under."""
        places = {(one.assignment_id, one.segment_id) for one in self._stricter}
        places |= {(one.assignment_id, None) for one in self._exemptions}
        places |= {(one, None) for one in self._about_debts}
        places |= {(assignment, None) for assignment, _ in places} | {(assignment_id, None)}
        mine = [place for place in places if assignment_id is None or place[0] == assignment_id]
        found = {id(table): table for table in (self.of(*place) for place in mine)}
        return list(found.values())


@lru_cache(maxsize=1024)
def _timetable(
    own: Week, stricter: tuple[StricterHours, ...], exemptions: tuple[Exemption, ...], debts: bool
) -> Timetable:
    """One object for the same hours, whichever book they stand in: a change elsewhere costs it nothing."""
    return Timetable(own, None, stricter, exemptions, about_debts=debts)


@lru_cache(maxsize=256)
def hours_book(
    own: str, stricter: str | None, exemptions: str | None, about_debts: tuple[int, ...] = ()
) -> HoursBook:
    """The book of hours that the database keeps as these JSON texts; the same object for the same texts."""
    return HoursBook(
        read_week(orjson.loads(own)),
        [stricter_from(row) for row in orjson.loads(stricter or "[]")],
        [exemption_from(row) for row in orjson.loads(exemptions or "[]")],
        about_debts,
    )


def forget_hours() -> None:
    """Reckon everything anew from the law and the calendars as they have become."""
    hours_book.cache_clear()
    _timetable.cache_clear()
