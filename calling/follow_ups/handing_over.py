"""Somebody leaves: what they have promised becomes somebody else's, or everybody's, all of it or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from calling.follow_ups.elsewhere import works_elsewhere
from calling.follow_ups.promising import check_seller
from calling.handout import placements
from calling.handout.recalling import recall
from models import turnstile
from models.errors import BadInput, Conflict
from models.work import OpenWork, Work

BATCH = 200

_THEIRS = text("""
    select id, assignment_id, customer_id from follow_up
     where crm_id = :crm_id and seller_id = :seller_id and ended_at is null
""")
# The new owner is waited for as anybody is.
_HAND = text("""
    update follow_up set seller_id = :to_seller_id, handed_at = :now, handed_by = :author,
           handed_from = seller_id, anybodys_at = null
     where crm_id = :crm_id and id = any(:ids) and seller_id = :seller_id and ended_at is null
""")
_OFFERED = text("""
    select l.id from lease l join follow_up f on f.crm_id = :crm_id and f.id = l.follow_up_id
     where l.crm_id = :crm_id and l.seller_id = :seller_id and l.ended_at is null and l.state = 'offered'
       and f.seller_id is distinct from :seller_id
     order by l.id
""")


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How many open follow-ups are another's now. `warning`: whoever has them works elsewhere."""

    handed: int
    warning: str | None = None


def hand_over(
    open_work: OpenWork, seller_id: int, to_seller_id: int | None, *, expected: int, author: str
) -> HandedOver:
    """Give all open follow-ups of a seller to another one, or (None) to everybody; in one transaction.

    What is offered to them for one of these is recalled; who is on the telephone goes on. What moves to
    another time meanwhile goes with the others. Raises NotFound, BadInput, and Conflict when they are not as
    many as expected, or by then those of other customers.
    """
    if seller_id == to_seller_id:
        raise BadInput("to: a seller cannot hand over to themself", seller=seller_id)
    with open_work() as work:
        for somebody in (seller_id, to_seller_id):
            if somebody is not None:
                check_seller(work, somebody)
        assignments = sorted({row.assignment_id for row in work.run(_THEIRS, seller_id=seller_id)})
        # Nobody deals meanwhile: what is dealt before is seen below, what is dealt after is the new owner's.
        for assignment_id in assignments:
            turnstile.become_allocator(work, assignment_id)
        turnstile.pass_shared(work, assignments)
        found = [row for row in work.run(_THEIRS, seller_id=seller_id) if row.assignment_id in assignments]
        if len(found) != expected:
            message = f"they have {len(found)} open follow-ups instead of {expected}; look again"
            raise Conflict(message, count=len(found), expected=expected)
        ids = _locked(work, seller_id, found)
        to = {"ids": ids, "to_seller_id": to_seller_id, "author": author}
        handed = work.run(_HAND, seller_id=seller_id, **to).rowcount
        if handed != len(ids):
            message = (
                f"{handed} of their {len(ids)} open follow-ups could be handed over; none was, try again"
            )
            raise Conflict(message, count=handed, expected=len(ids))
        warning = works_elsewhere(work, to_seller_id, {row.assignment_id for row in found})
        for assignment_id in assignments:
            work.hint("allocate", assignment_id)
    with open_work() as work:
        offered = list(work.run(_OFFERED, seller_id=seller_id).scalars())
    for start in range(0, len(offered), BATCH):
        with open_work() as work:
            recall(work, offered[start : start + BATCH], "their promise was handed over", states=["offered"])
    return HandedOver(handed, warning)


def _locked(work: Work, seller_id: int, found: Sequence[Row[Any]]) -> list[int]:
    """Lock the placements of these, and look again: the ids of their follow-ups by now.

    Whoever moved one while we waited has put another in its place, which is theirs too. Raises Conflict when
    they are no more those of the same customers.
    """
    placements.lock(work, {row.customer_id for row in found})
    rows = work.run(_THEIRS, seller_id=seller_id).all()
    if {(x.assignment_id, x.customer_id) for x in rows} != {(x.assignment_id, x.customer_id) for x in found}:
        message = f"their open follow-ups are others by now, {len(rows)} of them; look again"
        raise Conflict(message, count=len(rows), expected=len(found))
    return [row.id for row in rows]


def theirs(open_work: OpenWork, seller_id: int) -> int:
    """How many open follow-ups a seller has. Raises NotFound."""
    with open_work() as work:
        check_seller(work, seller_id)
        return len(work.run(_THEIRS, seller_id=seller_id).all())
