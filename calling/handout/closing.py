"""What of an assignment is open now: its segments that are not paused, each with its open clocks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from calling.handout.needs import Need
from calling.hours.opening import Openings, openings
from calling.walls.pauses import Pauses
from models.work import Work

SEGMENTS = text("""
    select id from segment
     where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
     order by position, id
""")
BEYOND_CLOCKS = 2**40  # ids of clocks are far smaller

Closing = Mapping[int, Mapping[int, datetime]]
"""Segment -> the clocks that are open under its hours, each with the instant from which it may not ring."""


def closing_of(work: Work, standing: Pauses, assignment_id: int, needs: Sequence[Need]) -> Closing:
    """The segments that are not paused, in order of priority, each with its open clocks."""
    rows = work.run(SEGMENTS, assignment_id=assignment_id)
    return told(rows, openings(work), standing, assignment_id, needs, work.now)


def told(
    segments: Iterable[Row[Any]], known: Openings, standing: Pauses, assignment_id: int,
    needs: Sequence[Need], now: datetime,
) -> Closing:  # fmt: skip
    """The same from the rows of SEGMENTS. Without needs, for nobody: nothing is open."""
    if not needs:
        return {}
    for need in needs:
        need.forbidden = known.without_robots() if need.robot else frozenset()
    nobodys = frozenset.intersection(*(need.forbidden for need in needs))
    if nobodys:
        known = replace(
            known, clocks={key: clock for key, clock in known.clocks.items() if key not in nobodys}
        )
    return closing_at(known, assignment_id, _worked(segments, standing, assignment_id), now)


def worked_segments(work: Work, standing: Pauses, assignment_id: int) -> list[int]:
    """The segments of an assignment that are not paused, in order of priority."""
    return _worked(work.run(SEGMENTS, assignment_id=assignment_id), standing, assignment_id)


def _worked(rows: Iterable[Row[Any]], standing: Pauses, assignment_id: int) -> list[int]:
    return [row.id for row in rows if not standing.shut(assignment_id=assignment_id, segment_id=row.id)]


def closing_at(known: Openings, assignment_id: int, segments: Sequence[int], at: datetime) -> Closing:
    """These segments, each with the clocks that are open at an instant (UTC)."""
    there: dict[int, Mapping[int, datetime]] = {}
    for doors, same in known.by_hours(assignment_id, segments):
        there |= dict.fromkeys(same, doors.open(at))  # asked once for all of them
    return {segment: there[segment] for segment in segments}


def bound(
    closing: Closing, segments: Sequence[int], *, without: frozenset[int] = frozenset()
) -> dict[str, Any]:
    """Some of its segments as statements take them: `segments`, `hours` of each, and what is `open`.

    `without`: clocks that count as shut.

    Segments under the same hours share one set of open clocks, and name it by a number beyond all clocks; an
    open clock of a set is the sum of both: looked up in a hash, without another join.
    """
    sets = {id(closing[segment]): closing[segment] for segment in segments}
    numbers = {one: n * BEYOND_CLOCKS for n, one in enumerate(sets)}
    return {
        "segments": list(segments), "hours": [numbers[id(closing[segment])] for segment in segments],
        "open": [
            numbers[one] + clock for one, clocks in sets.items() for clock in clocks if clock not in without
        ],
    }  # fmt: skip
