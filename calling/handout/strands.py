"""Cards that are stranded: they lie in the list of somebody who talks, while somebody else has none.

Only what is offered for no promise is taken back, and never the last card of who waits themself: it would go
back and forth.
"""

from uuid import UUID

from sqlalchemy import text

from calling.handout.closing import Closing, bound
from calling.handout.give_back import Why, give_back
from models import turnstile
from models.work import OpenWork, Work

_WHY = Why(reason="a colleague had none")

# From the longest list, and among the longest the oldest; of it the card that would be their turn last.
_STRANDED = text("""
    select h.id
      from (select l.id, l.assignment_id, l.seller_id, l.segment_id, l.clock_id,
                   l.state = 'offered' and l.follow_up_id is null and l.ring_by > :now as lies,
                   count(*) over mine as cards, min(l.offered_at) over mine as since
              from lease l
             where l.crm_id = :crm_id and l.ended_at is null and l.seller_id is not null
            window mine as (partition by l.seller_id)) h
      join unnest(cast(:segments as bigint[]), cast(:hours as bigint[])) as door(segment_id, hours)
           on door.segment_id = h.segment_id
     where h.lies and h.cards > 1 and h.assignment_id = :assignment_id and h.seller_id <> :asker
       and door.hours + h.clock_id = any(cast(:open as bigint[]))
     order by h.cards desc, h.since, h.id desc limit 1
""")


def find(
    work: Work, assignment_id: int, seller_id: int, segment_id: int | None, closing: Closing
) -> UUID | None:
    """A card of another's list that this seller could be given. `segment_id`: the only one they work.

    Whoever holds two or more, the call that they are in among them, can spare one.
    """
    segments = [segment for segment in closing if segment_id in (None, segment)]
    found: UUID | None = work.run(
        _STRANDED, assignment_id=assignment_id, asker=seller_id, **bound(closing, segments)
    ).scalar()
    return found


def take_back(open_work: OpenWork, assignment_id: int, lease_id: UUID) -> bool:
    """Take it back, unless its holder has taken it by now; whether it is free.

    A transaction of its own: claims are locked before the placements that a hand-out has locked.
    """
    with open_work() as work:
        turnstile.pass_shared(work, [assignment_id])
        return bool(give_back(work, [lease_id], "recalled", states=["offered"], why=_WHY))
