"""Who is there: a seller's presence, why they are away and until when, and what they work on.

Who goes while they are dealt to waits for the allocator; behind it, whoever deals sees that they are gone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, text

from calling.handout import absence
from calling.handout.absence import NOTHING, Absence, Reckoned
from calling.handout.give_back import Why, give_back
from calling.segments.bulk_steps import check_segment
from models import turnstile
from models.errors import BadInput, Conflict, NotFound
from models.work import Work

_LIVE = text("""
    select l.id, l.assignment_id, l.segment_id, f.seller_id is not distinct from l.seller_id as own_promise
      from lease l left join follow_up f on f.crm_id = :crm_id and f.id = l.follow_up_id
     where l.crm_id = :crm_id and l.seller_id = :seller_id and l.ended_at is null order by l.id
""")
_SELLER = text("""
    select id, name, presence, presence_since, away_reason, back_at, off_until, said_by, assignment_id,
           segment_id
      from seller where crm_id = :crm_id and id = :seller_id
""")
_LOCKED = text(f"{_SELLER.text} for no key update")
_SET = text("""
    update seller
       set presence = :presence, presence_since = :since, away_reason = :reason, back_at = :back_at,
           off_until = :off_until, said_by = :said_by, assignment_id = :assignment_id,
           segment_id = :segment_id,
           -- Who comes back is watched from their page's first sign on.
           alive_at = case when presence = 'available' then alive_at end
     where crm_id = :crm_id and id = :seller_id
""")
_NOTE = text("""
    insert into presence_change
          (crm_id, seller_id, presence, reason, back_at, off_until, assignment_id, segment_id,
           before_presence, before_reason, before_since, said_by, changed_at)
    values (:crm_id, :seller_id, :presence, :reason, :back_at, :off_until, :assignment_id, :segment_id,
            :before_presence, :before_reason, :before_since, :said_by, :now)
""")
_ASSIGNMENT = text("select 1 from assignment where crm_id = :crm_id and id = :assignment_id")


@dataclass(frozen=True, slots=True)
class Presence:
    """How a seller's presence stands, since when; `said_by` None: they said so themselves, or nobody has yet.

    `back_at` (UTC): when they said they would be back. `off`: for the day, so that nobody waits for them.
    """

    id: int
    name: str
    presence: str
    since: datetime
    reason: str | None
    back_at: datetime | None
    off: bool
    said_by: str | None
    assignment_id: int | None
    segment_id: int | None


def be(
    work: Work,
    seller_id: int,
    presence: str,
    *,
    assignment_id: int | None = None,
    segment_id: int | None = None,
    said: Absence = Absence(),  # noqa: B008 - it is frozen
    said_by: str | None = None,
) -> Presence:
    """A seller becomes available for an assignment (or one segment of it), or goes away; how they are now.

    Whoever goes away, or to other work, gives back what they hold unrung; in the same assignment what is of
    another segment. Who names no assignment keeps what they work. `said_by`: who says it for them. Raises
    BadInput, NotFound; Conflict when they turned to other work at this very moment.
    """
    absence.check(presence, said)
    before = _read(work, _SELLER, seller_id)
    works = before.assignment_id if assignment_id is None else assignment_id
    _check_work(work, presence, works, assignment_id, segment_id)
    reckoned = absence.reckon(said, work.now, absence.floor_zone(work)) if said != Absence() else NOTHING
    turning = (works, before.segment_id if assignment_id is None else segment_id)
    alone_in = _alone(work, before, presence, turning)
    live = work.run(_LIVE, seller_id=seller_id).all()
    turnstile.pass_shared(work, [*(row.assignment_id for row in live), *([] if works is None else [works])])
    if assignment_id is not None and segment_id is not None:
        # Behind the turnstile: whoever deletes the segment waits for us before they free us, or we see that
        # it is gone.
        check_segment(work, assignment_id, segment_id)
    leaving = [
        row.id
        for row in live
        if presence == "away"
        or row.assignment_id != works
        # An owner keeps a promise in whatever segment it is.
        or (not row.own_promise and turning[1] not in (None, row.segment_id))
    ]
    if leaving:
        why = Why(said_by, None if said_by is None else f"they were said to be {presence}")
        give_back(work, leaving, "released" if said_by is None else "recalled", why=why)
    last = _read(work, _LOCKED, seller_id)
    # A segment that they keep may be gone by now; their row says so.
    where = (works, last.segment_id if assignment_id is None else segment_id)
    if _turned_away(last, presence, where, alone_in) or (
        assignment_id is None and last.assignment_id != works
    ):
        raise Conflict(f"{last.name} turned to other work at this very moment: look again")
    done = _write(work, last, presence, reckoned, where, said_by)
    if works is not None:
        work.hint("allocate", works)
    return done


def presence_of(work: Work, seller_id: int) -> Presence:
    """How a seller's presence stands. Raises NotFound."""
    row = _read(work, _SELLER, seller_id)
    return Presence(
        row.id, row.name, row.presence, row.presence_since, row.away_reason, row.back_at,
        row.off_until is not None and row.off_until > work.now,
        row.said_by, row.assignment_id, row.segment_id,
    )  # fmt: skip


def _check_work(
    work: Work, presence: str, works: int | None, assignment_id: int | None, segment_id: int | None
) -> None:
    """Raises BadInput, NotFound."""
    if segment_id is not None and assignment_id is None:
        raise BadInput("assignment: say which assignment the segment is of", segment=segment_id)
    if presence == "available" and works is None:
        raise BadInput("assignment: say which assignment you work")
    if assignment_id is not None and work.run(_ASSIGNMENT, assignment_id=assignment_id).first() is None:
        raise NotFound("assignment", assignment_id)


def _alone(work: Work, before: Row[Any], presence: str, where: tuple[int | None, int | None]) -> int | None:
    """Whoever leaves their work waits for the allocator: it may be dealing to them at this very moment.

    The assignment of which we are the allocator from now on, if any.
    """
    if not _turned_away(before, presence, where, None):
        return None
    turnstile.become_allocator(work, before.assignment_id)
    return int(before.assignment_id)


def _turned_away(
    row: Row[Any], presence: str, where: tuple[int | None, int | None], alone_in: int | None
) -> bool:
    """Whether they are dealt customers of work that they leave, by an allocator other than we are."""
    assignment_id, segment_id = where
    same = row.assignment_id == assignment_id and segment_id in (None, row.segment_id)
    stays = presence == "available" and same
    dealt = row.presence == "available" and row.assignment_id is not None
    return dealt and not stays and row.assignment_id != alone_in


def _write(
    work: Work, last: Row[Any], presence: str, now: Reckoned, where: tuple[int | None, int | None],
    said_by: str | None,
) -> Presence:  # fmt: skip
    """Write how they are, and note what it was; saying the same again changes nothing."""
    was = (last.presence, last.away_reason, last.back_at, last.off_until, last.assignment_id, last.segment_id)
    if (presence, now.reason, now.back_at, now.off_until, *where) != was:
        same = (presence, now.reason) == (last.presence, last.away_reason)
        values = {
            "seller_id": last.id, "presence": presence, "reason": now.reason, "back_at": now.back_at,
            "off_until": now.off_until, "said_by": said_by, "assignment_id": where[0], "segment_id": where[1],
        }  # fmt: skip
        work.run(_SET, **values, since=last.presence_since if same else work.now)
        work.run(
            _NOTE, **values, before_presence=last.presence, before_reason=last.away_reason,
            before_since=last.presence_since,
        )  # fmt: skip
    return presence_of(work, last.id)


def _read(work: Work, statement: TextClause, seller_id: int) -> Row[Any]:
    row = work.run(statement, seller_id=seller_id).first()
    if row is None:
        raise NotFound("seller", seller_id)
    return row
