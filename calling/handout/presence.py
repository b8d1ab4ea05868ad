"""Who is there: a seller's presence, and what they work on."""

from sqlalchemy import text

from calling.handout.give_back import give_back
from calling.segments.bulk_steps import check_segment
from models import turnstile
from models.errors import BadInput, NotFound
from models.tables.people import PRESENCES
from models.work import Work

_LIVE = text("""
    select l.id, l.assignment_id, l.segment_id, f.seller_id is not distinct from l.seller_id as own_promise
      from lease l left join follow_up f on f.crm_id = :crm_id and f.id = l.follow_up_id
     where l.crm_id = :crm_id and l.seller_id = :seller_id and l.ended_at is null order by l.id
""")
_SELLER = text(
    "select presence, assignment_id, segment_id from seller where crm_id = :crm_id and id = :seller_id"
)
_SET = text("""
    update seller
       set presence = :presence, assignment_id = :assignment_id, segment_id = :segment_id,
           presence_since = case when presence = :presence then presence_since else :now end
     where crm_id = :crm_id and id = :seller_id
    returning id
""")
_ASSIGNMENT = text("select 1 from assignment where crm_id = :crm_id and id = :assignment_id")


def be(
    work: Work,
    seller_id: int,
    presence: str,
    *,
    assignment_id: int | None = None,
    segment_id: int | None = None,
) -> None:
    """A seller becomes available for an assignment (or one segment of it), or goes away.

    Whoever goes away, or to other work, gives back what they hold unrung; in the same assignment what is of
    another segment. Raises BadInput, NotFound.
    """
    if presence not in PRESENCES:
        raise BadInput(f"presence: {presence!r} is not one of {', '.join(PRESENCES)}", presence=presence)
    if presence == "available" and assignment_id is None:
        raise BadInput("assignment: say which assignment you work")
    if assignment_id is not None and work.run(_ASSIGNMENT, assignment_id=assignment_id).first() is None:
        raise NotFound("assignment", assignment_id)
    if segment_id is not None and assignment_id is None:
        raise BadInput("assignment: say which assignment the segment is of", segment=segment_id)
    _alone(work, seller_id, presence, assignment_id, segment_id)
    live = work.run(_LIVE, seller_id=seller_id).all()
    begins = [] if assignment_id is None else [assignment_id]
    turnstile.pass_shared(work, [*(row.assignment_id for row in live), *begins])
    if assignment_id is not None and segment_id is not None:
        # Behind the turnstile: whoever deletes the segment waits for us before they free us, or we see that
        # it is gone.
        check_segment(work, assignment_id, segment_id)
    leaving = [
        row.id
        for row in live
        if presence == "away"
        or row.assignment_id != assignment_id
        # An owner keeps a promise in whatever segment it is.
        or (not row.own_promise and segment_id not in (None, row.segment_id))
    ]
    if leaving:
        give_back(work, leaving, "released")
    done = work.run(
        _SET, seller_id=seller_id, presence=presence, assignment_id=assignment_id, segment_id=segment_id
    ).first()
    if done is None:
        raise NotFound("seller", seller_id)
    if assignment_id is not None:
        work.hint("allocate", assignment_id)


def _alone(
    work: Work, seller_id: int, presence: str, assignment_id: int | None, segment_id: int | None
) -> None:
    """Whoever leaves their work waits for the allocator: it may be dealing to them at this very moment.

    Raises NotFound.
    """
    seller = work.run(_SELLER, seller_id=seller_id).first()
    if seller is None:
        raise NotFound("seller", seller_id)
    same = seller.assignment_id == assignment_id and segment_id in (None, seller.segment_id)
    stays = presence == "available" and same
    if seller.presence == "available" and seller.assignment_id is not None and not stays:
        turnstile.become_allocator(work, seller.assignment_id)
