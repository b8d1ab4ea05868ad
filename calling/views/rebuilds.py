"""Rebuilds of an assignment: which wait, how far the one that runs is, what came of those before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, text

from models.errors import NotFound
from models.work import Work

State = Literal["pending", "running", "done", "superseded"]

_COLUMNS = """
    id, assignment_id, reason, requested_at, started_at, finished_at, ending, rule_version, scanned_at,
    scanned, differing, settled, moved
"""
_REBUILDS = text(f"""
    select {_COLUMNS} from rebuild
     where crm_id = :crm_id and assignment_id = :assignment_id and (:before = 0 or id < :before)
     order by id desc limit :most
""")  # noqa: S608
_REBUILD = text(f"""
    select {_COLUMNS} from rebuild where crm_id = :crm_id and assignment_id = :assignment_id and id = :id
""")  # noqa: S608
_UNDER_WAY = text(f"""
    select {_COLUMNS} from rebuild
     where crm_id = :crm_id and assignment_id = :assignment_id and finished_at is null
     order by started_at nulls last, id limit 1
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Rebuild:
    """One rebuild, as it is now. Times are of the business clock, in UTC.

    It looked at `scanned` customers, `differing` of whom were not as the rules say; `settled` of these are by
    now, and `moved` of them to another segment (the others have other labels). `share`: of the whole, 0 to 1.
    `ends_at`: when it will be done if it goes on like this; None: it has ended, or nobody can say yet.
    """

    id: int
    assignment_id: int
    state: State
    reason: str
    rule_version: int | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    scanned: int | None
    differing: int | None
    settled: int | None
    moved: int | None
    share: float
    ends_at: datetime | None


def rebuilds(work: Work, assignment_id: int, before: int, most: int) -> Sequence[Rebuild]:
    """At most so many, the newest first; `before`: only those with a lower id (0: from the newest on)."""
    rows = work.run(_REBUILDS, assignment_id=assignment_id, before=before, most=most)
    return [_as_it_is(row, work.now) for row in rows]


def rebuild(work: Work, assignment_id: int, rebuild_id: int) -> Rebuild:
    """One of them, found by its key: cheap enough to be asked again and again. Raises NotFound."""
    row = work.run(_REBUILD, assignment_id=assignment_id, id=rebuild_id).first()
    if row is None:
        raise NotFound("rebuild", rebuild_id)
    return _as_it_is(row, work.now)


def under_way(work: Work, assignment_id: int) -> Rebuild | None:
    """The one that runs, else the one that waits, else None."""
    row = work.run(_UNDER_WAY, assignment_id=assignment_id).first()
    return None if row is None else _as_it_is(row, work.now)


def _as_it_is(row: Row[Any], now: datetime) -> Rebuild:
    state: State = row.ending or ("pending" if row.started_at is None else "running")
    return Rebuild(
        row.id, row.assignment_id, state, row.reason, row.rule_version, row.requested_at, row.started_at,
        row.finished_at, row.scanned, row.differing, row.settled, row.moved, _share(row), _ends_at(row, now),
    )  # fmt: skip


def _share(row: Row[Any]) -> float:
    if row.ending == "done":
        return 1.0
    return float(row.settled / row.differing) if row.differing else 0.0


def _ends_at(row: Row[Any], now: datetime) -> datetime | None:
    """As long for each of those who are left as for those before."""
    if row.ending is not None or not row.settled:
        return None
    took: datetime = now + (now - row.scanned_at) * ((row.differing - row.settled) / row.settled)
    return took
