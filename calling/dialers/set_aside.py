"""What was told and could not be used: kept and alarmed about until somebody has looked at it (P4).

An unknown word for a result, a lease that never was, somebody else's: each may be a sale. Whoever mends the
cause has it worked off again from the raw inbox; whoever knows better says that it was seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from calling.dialers import heard
from models.errors import BadInput, Conflict, NotFound
from models.work import Work

ORPHAN = "orphan: there is no such lease"
SOMEBODY_ELSES = "the lease is not this dialer's: somebody else holds or held it"

# Told again, or worked off again in vain: the same row, and to be looked at anew.
_KEEP = """
    on conflict (crm_id, told_id) do update
       set problem = excluded.problem, set_aside_at = excluded.set_aside_at,
           seen_at = null, seen_by = null, note = null
     where set_aside.seen_at is not null or set_aside.problem <> excluded.problem
"""
_EVENTS = text(f"""
    insert into set_aside (crm_id, told_id, dialer_id, event_id, lease_id, kind, body, problem, set_aside_at)
    select crm_id, concat(dialer_id, ':', event_id), dialer_id, event_id, lease_id, kind, body, problem, :now
      from dialer_event
     where crm_id = :crm_id and dialer_id = :dialer_id and event_id = any(:events)
     order by event_id
    {_KEEP}
""")  # noqa: S608 - our own words
_REPORTS = text(f"""
    insert into set_aside (crm_id, told_id, dialer_id, lease_id, kind, body, problem, set_aside_at)
    select :crm_id, t.told_id, :dialer_id, t.lease_id, 'report', t.body, :problem, :now
      from unnest(cast(:told as text[]), cast(:leases as uuid[]), cast(:bodies as jsonb[]))
           as t(told_id, lease_id, body)
     order by t.told_id
    {_KEEP}
""")  # noqa: S608 - our own words
_LIST = text("""
    select s.id, s.dialer_id, d.name as dialer, s.event_id, s.lease_id, s.kind, s.body, s.problem,
           s.set_aside_at, s.seen_at, s.seen_by, s.note
      from set_aside s
      left join dialer d on d.crm_id = :crm_id and d.id = s.dialer_id
     where s.crm_id = :crm_id and s.id > :after and (s.seen_at is not null) = :seen
     order by s.id limit :most
""")
_UNSEEN = text("""
    select count(*) as many, min(set_aside_at) as since from set_aside
     where crm_id = :crm_id and seen_at is null
""")
_LOCK = text("""
    select id, dialer_id, event_id, seen_at, seen_by from set_aside
     where crm_id = :crm_id and id = :id for no key update
""")
_SEEN = text("""
    update set_aside set seen_at = :now, seen_by = :author, note = :note
     where crm_id = :crm_id and id = :id
""")
_AGAIN = text("""
    update dialer_event set processed_at = null, problem = null
     where crm_id = :crm_id and dialer_id = :dialer_id and event_id = :event_id
    returning 1
""")

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Unseen:
    """So much was set aside and nobody has looked at it; the oldest since (UTC), None: nothing."""

    many: int
    since: datetime | None


NOTHING = Unseen(0, None)


def keep_events(work: Work, dialer_id: int, events: Sequence[str]) -> None:
    """Set events of the raw inbox aside, of which nothing could be used; their problems are written there."""
    if events:
        work.run(_EVENTS, dialer_id=dialer_id, events=list(events))


def keep_reports(
    work: Work, dialer_id: int | None, reports: Sequence[tuple[UUID, Mapping[str, Any]]]
) -> None:
    """Keep what was reported over the API of leases that are not the reporter's; the same twice is once.

    `reports`: each lease, and what was said of it. `dialer_id`: whose key it was, None: a manager's.
    """
    bodies = [orjson.dumps(heard.plain(dict(said))).decode() for _, said in reports]
    told = {
        f"api:{dialer_id or ''}:{lease}:{said.get('outcome')}": (lease, body)
        for (lease, said), body in zip(reports, bodies, strict=True)
    }
    if told:
        work.run(
            _REPORTS, dialer_id=dialer_id, told=list(told), leases=[lease for lease, _ in told.values()],
            bodies=[body for _, body in told.values()],
            problem=SOMEBODY_ELSES if dialer_id else ORPHAN,
        )  # fmt: skip


def set_aside(work: Work, after: int, limit: int, *, seen: bool = False) -> Sequence[Row[Any]]:
    """What nobody has looked at yet, or what somebody has (`seen`), oldest first; ids beyond `after`."""
    return work.run(_LIST, after=after, most=limit, seen=seen).all()


def unseen(work: Work) -> Unseen:
    """How much waits for somebody to look at it."""
    row = work.run(_UNSEEN).one()
    return Unseen(row.many, row.since)


def look_at(work: Work, set_aside_id: int, *, author: str, note: str) -> None:
    """Say that somebody has looked at it, and what came of it: it alarms no more.

    Raises BadInput, NotFound, Conflict where somebody has already.
    """
    if not note.strip() or len(note) > LONGEST_NOTE:
        raise BadInput(f"note: say what came of it, in at most {LONGEST_NOTE} characters")
    _waiting(work, set_aside_id)
    work.run(_SEEN, id=set_aside_id, author=author, note=note.strip())


def work_off_again(work: Work, set_aside_id: int, *, author: str) -> None:
    """Put an event back into the raw inbox: it is worked off at once. In vain, it is set aside anew.

    Raises NotFound, Conflict for what somebody has looked at, or what no dialer's inbox holds.
    """
    row = _waiting(work, set_aside_id)
    back = row.event_id is not None and work.run(
        _AGAIN, dialer_id=row.dialer_id, event_id=row.event_id
    ).first()  # fmt: skip
    if not back:
        raise Conflict(
            "it was reported over the API: have it reported again, of the right lease", id=set_aside_id
        )
    work.run(_SEEN, id=set_aside_id, author=author, note="worked off again")
    work.hint("inbox", row.dialer_id)


def _waiting(work: Work, set_aside_id: int) -> Row[Any]:
    row = work.run(_LOCK, id=set_aside_id).first()
    if row is None:
        raise NotFound("what was set aside", set_aside_id)
    if row.seen_at is not None:
        raise Conflict(f"{row.seen_by} has looked at it already", id=set_aside_id, seen_at=row.seen_at)
    return row
