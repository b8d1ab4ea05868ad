"""What was told and could not be used: it alarms until somebody has looked at it (P4).

An unknown word for a result, a lease that never was, somebody else's: each may be a sale. Whoever says what
the word comes to has all of them counted (putting_back.py); whoever mends something else has it worked off
again from the raw inbox; whoever knows better says that it was seen. Nothing is ever deleted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from models.errors import BadInput, Conflict, NotFound
from models.tables.attempts import PROBLEM_KINDS
from models.work import Work

_LIST = text("""
    select s.id, s.dialer_id, d.name as dialer, s.told_by, s.event_id, s.lease_id, s.kind, s.body, s.problem,
           s.problem_kind, s.words, s.set_aside_at, s.seen_at, s.seen_by, s.note
      from set_aside s
      left join dialer d on d.crm_id = :crm_id and d.id = s.dialer_id
     where s.crm_id = :crm_id and s.id > :after and (s.seen_at is not null) = :seen
       and s.problem_kind = any(:kinds)
       and (cast(:dialer_id as bigint) is null or s.dialer_id = :dialer_id)
     order by s.id limit :most
""")
_UNSEEN = text("""
    select problem_kind, count(*) as many, min(set_aside_at) as since from set_aside
     where crm_id = :crm_id and seen_at is null
     group by problem_kind order by count(*) desc, problem_kind
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

_ONE_AND_MORE = {
    "unknown_cause": ("unknown cause", "unknown causes"),
    "unknown_result": ("unknown result", "unknown results"),
    "orphan": ("orphan", "orphans"),
    "foreign": ("lease of somebody else", "leases of somebody else"),
    "no_lease": ("without a lease", "without a lease"),
    "unknown_kind": ("unknown kind of event", "unknown kinds of events"),
    "unreadable": ("unreadable", "unreadable"),
    "flaw": ("flaw", "flaws"),
}
assert _ONE_AND_MORE.keys() == set(PROBLEM_KINDS)  # noqa: S101


@dataclass(frozen=True, slots=True)
class Unseen:
    """So much was set aside and nobody has looked at it; the oldest since (UTC), None: nothing.

    `kinds`: how much of each of PROBLEM_KINDS that there is, the most first.
    """

    many: int
    since: datetime | None
    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """Why, in words: "3 unknown causes, 1 orphan"."""
        return ", ".join(f"{many:,} {_ONE_AND_MORE[kind][many > 1]}" for kind, many in self.kinds.items())


NOTHING = Unseen(0, None)


def set_aside(
    work: Work, after: int, limit: int, *, seen: bool = False, kinds: Collection[str] = PROBLEM_KINDS,
    dialer_id: int | None = None,
) -> Sequence[Row[Any]]:  # fmt: skip
    """What nobody has looked at yet, or what somebody has (`seen`), oldest first; ids beyond `after`.

    `kinds`: of these alone; `dialer_id`: what this dialer told.
    """
    return work.run(
        _LIST, after=after, most=limit, seen=seen, kinds=list(kinds), dialer_id=dialer_id
    ).all()  # fmt: skip


def unseen(work: Work) -> Unseen:
    """How much waits for somebody to look at it."""
    rows = work.run(_UNSEEN).all()
    kinds = {row.problem_kind: row.many for row in rows}
    return Unseen(sum(kinds.values()), min((row.since for row in rows), default=None), kinds)


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
