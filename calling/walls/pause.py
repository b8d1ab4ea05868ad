"""Pause is a wall (P2): once `pause` has returned, nothing of its scope is handed out but what it names.

That of a data owner, or of everything, is one in each CRM: first all of them stop, then each becomes a wall.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from calling.handout.recalling import Patience, WallAnswer, look_again, no_patience, recall_all
from calling.segments.history import note_deed
from calling.walls import shared_pauses, spreading
from models import turnstile
from models.errors import BadInput, NotFound
from models.tables.walls import PAUSE_SCOPES, SHARED_PAUSES, WHOLE_CRM
from models.work import OpenWork, Work

_THERE = {
    scope: text(f"select id from {scope} where crm_id = :crm_id and id = :target_id")  # noqa: S608 - our words
    for scope in ("assignment", "segment", "seller", "dialer")
}
# Whoever deletes the segment waits for us and ends the pause, or we wait for them and see that it is gone.
_RETIRED = text("select retired_at from segment where crm_id = :crm_id and id = :target_id for share")
_PAUSE = text("""
    insert into pause (crm_id, scope, target_id, origin_id, reason, author, started_at, ends_at)
    values (:crm_id, :scope, :target_id, :origin_id, :reason, :author, :now, :ends_at)
    returning id
""")
_ROW = text("select scope, target_id, reason, walled_at from pause where crm_id = :crm_id and id = :pause_id")
# Who is handed out from a segment passes the turnstile of its assignment. A seller, and a dialer, may turn to
# another assignment at this very moment.
_CONCERNED = text("""
    select a.id from assignment a
     where a.crm_id = :crm_id
       and case :scope
           when 'assignment' then a.id = :target_id
           when 'segment' then a.id = (select s.assignment_id from segment s
                                        where s.crm_id = :crm_id and s.id = :target_id)
           else true end
     order by a.id
""")
_WALLED = text("""
    update pause set walled_at = :now where crm_id = :crm_id and id = :pause_id and walled_at is null
""")
_UNFINISHED = text("""
    select id from pause where crm_id = :crm_id and walled_at is null and lifted_at is null order by id
""")
_OF_ORIGINS = text("""
    select id from pause
     where crm_id = :crm_id and origin_id = any(:origins) and lifted_at is null order by id
""")
_RESUME = text("""
    update pause set lifted_at = :now, lifted_by = :author
     where crm_id = :crm_id and scope = :scope and target_id is not distinct from :target_id
       and lifted_at is null
    returning id
""")

_OF_SEGMENT = text("select assignment_id from segment where crm_id = :crm_id and id = :target_id")

# A lease belongs to the segment it was handed out from, and to the one its customer stands in now.
_CAUGHT = text("""
    select l.id from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.ended_at is null
       and case :scope
           when 'assignment' then l.assignment_id = :target_id
           when 'segment' then :target_id in (l.segment_id, p.segment_id)
           when 'seller' then l.seller_id = :target_id
           when 'dialer' then l.dialer_id = :target_id
           else true end
     order by l.id
""")


def pause(
    open_work: OpenWork, scope: str, target_id: int | None, *, reason: str, author: str,
    ends_at: datetime | None = None, patience: Patience = no_patience,
) -> WallAnswer:  # fmt: skip
    """Stop a segment, assignment, seller, dialer or the whole CRM; what was in the air, in three lists.

    Commits the pause, waits until everybody who passed a turnstile before has committed, recalls, answers.
    Scope owner stops all CRMs of our data owner, everything all there are; of other CRMs the answer counts.
    `ends_at` (business time, UTC): it lifts itself then. Raises BadInput, NotFound.
    """
    with open_work() as work:
        _check(work, scope, target_id)
        if scope == "segment" and work.run(_RETIRED, target_id=target_id).scalar() is not None:
            raise NotFound(scope, target_id, "it was deleted")
        why: dict[str, Any] = {"reason": reason, "author": author, "ends_at": ends_at}
        origin_id = shared_pauses.share(work, scope, **why) if scope in SHARED_PAUSES else None
        pause_id = work.run(_PAUSE, scope=scope, target_id=target_id, origin_id=origin_id, **why).scalar_one()
        _note(work, scope, target_id, "paused", author, reason=reason, until=ends_at)
    if origin_id is None:
        return finish_pause(open_work, pause_id, patience)
    return _everywhere(open_work, patience)


def finish_pause(open_work: OpenWork, pause_id: int, patience: Patience = no_patience) -> WallAnswer:
    """The second half of a pause; a tick calls it for what a crash left."""
    with open_work() as work:
        row = work.run(_ROW, pause_id=pause_id).one()
        found = work.run(_CONCERNED, scope=row.scope, target_id=row.target_id)
        assignments = list(found.scalars())
    turnstile.pass_exclusively(open_work, assignments)
    answer = recall_all(
        open_work,
        _CAUGHT,
        {"scope": row.scope, "target_id": row.target_id},
        f"paused: {row.reason}",
        patience,
    )
    with open_work() as work:
        work.run(_WALLED, pause_id=pause_id)
    return answer


def finish_pauses(open_work: OpenWork) -> int:
    """Finish every pause that a crash left half done; how many here. Shared ones go on to the other CRMs."""
    with open_work() as work:
        shared_pauses.adopt(work)
        left = list(work.run(_UNFINISHED).scalars())
    for pause_id in left:
        finish_pause(open_work, pause_id)
    _everywhere(open_work, no_patience)
    return len(left)


def resume(open_work: OpenWork, scope: str, target_id: int | None, *, author: str) -> int:
    """Lift the standing pauses of exactly this scope; how many stood. Raises BadInput, NotFound.

    Those of scope owner and everything are lifted in every CRM.
    """
    with open_work() as work:
        _check(work, scope, target_id)
    if scope in SHARED_PAUSES:
        lifted = shared_pauses.lift(open_work, scope, author=author)
        _everywhere(open_work, no_patience)
        return lifted
    with open_work() as work:
        lifted = len(work.run(_RESUME, scope=scope, target_id=target_id, author=author).all())
        if lifted:
            _note(work, scope, target_id, "resumed", author)
        for assignment_id in work.run(_CONCERNED, scope=scope, target_id=target_id).scalars():
            work.hint("allocate", assignment_id)
    return lifted


def _everywhere(open_work: OpenWork, patience: Patience) -> WallAnswer:
    """Bring what is shared to every CRM of its scope; what was in the air here, and how much elsewhere.

    All have stopped before the first one is waited for, and all are asked before any dialer is waited for.
    """
    brought = spreading.unspread(open_work, "shared_pause")
    doors = (open_work, *brought.others)
    for there in brought.others:
        with there() as work:
            shared_pauses.adopt(work)
    answers = [_finish_shared(there, brought.origins) for there in doors if brought.origins]
    while any(answer.unknown for answer in answers) and patience():
        for there, answer in zip(doors, answers, strict=True):
            look_again(there, answer)
    spreading.is_spread(open_work, brought)
    ours, *others = answers or [WallAnswer()]
    for answer in others:
        ours.elsewhere.add(answer)
    return ours


def _finish_shared(open_work: OpenWork, origins: Sequence[int]) -> WallAnswer:
    """The second half of these pauses in one CRM, also of one that its tick has finished meanwhile.

    Whoever answers has to name what rings.
    """
    with open_work() as work:
        standing = list(work.run(_OF_ORIGINS, origins=list(origins)).scalars())
    answer = WallAnswer()
    for pause_id in standing:
        answer.join(finish_pause(open_work, pause_id))
    return answer


def _note(work: Work, scope: str, target_id: int | None, deed: str, author: str, **detail: object) -> None:
    """A segment's pauses stand in its history."""
    if scope == "segment":
        of = work.run(_OF_SEGMENT, target_id=target_id).scalar_one()
        note_deed(work, of, target_id, deed, author, **detail)


def _check(work: Work, scope: str, target_id: int | None) -> None:
    if scope not in PAUSE_SCOPES:
        raise BadInput(f"scope: {scope!r} cannot be paused; one of {', '.join(PAUSE_SCOPES)}", scope=scope)
    if (scope in WHOLE_CRM) != (target_id is None):
        wants = "takes no" if scope in WHOLE_CRM else "needs a"
        raise BadInput(f"target: a pause of {scope} {wants} target")
    if target_id is not None and work.run(_THERE[scope], target_id=target_id).first() is None:
        raise NotFound(scope, target_id)
