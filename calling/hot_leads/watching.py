"""The tick of hot leads: nobody else is in the way of who is free, and what is over ends.

It finds again whatever a crash has left behind.
"""

from uuid import UUID

from calling.handout import placements
from calling.handout.closing import closing_of
from calling.handout.hot import MISSED, deal_hot
from calling.handout.needs import hungry_and_there
from calling.handout.promise_watch import in_the_way
from calling.handout.recalling import recall
from calling.hot_leads import hot_leads_sql as sql
from calling.hot_leads.making import to_the_front
from calling.walls import pauses
from models import turnstile
from models.work import OpenWork, Work


def watch_hot_leads(open_work: OpenWork) -> int:
    """Look after every hot lead of the CRM; how many leases are recalled for one.

    Who was reached, or is called no more, is none any longer. Whom the word on an earlier call has put to
    rest is ready again. What else is offered of them, or of a number of theirs, is wanted back where somebody
    is free to ring them.
    """
    with open_work() as work:
        assignments = list(work.run(sql.WHERE).scalars())
    recalled = 0
    for assignment_id in assignments:
        with open_work() as work:
            work.run(sql.END, assignment_id=assignment_id, customers=None, missed=MISSED)
        _wake(open_work, assignment_id)
        with open_work() as work:
            leases = _unwanted(work, assignment_id)
        if leases:
            with open_work() as work:
                recall(work, leases, "they are a hot lead, or share a number with one", states=["offered"])
        recalled += len(leases)
    return recalled


def _wake(open_work: OpenWork, assignment_id: int) -> None:
    with open_work() as work:
        resting = list(work.run(sql.RESTING, assignment_id=assignment_id, missed=MISSED).scalars())
        if resting:
            turnstile.pass_shared(work, [assignment_id])
            placements.lock(work, resting)
            # Behind the lock: an outcome may have come meanwhile.
            still = list(work.run(sql.RESTING, assignment_id=assignment_id, missed=MISSED).scalars())
            to_the_front(work, assignment_id, [customer for customer in still if customer in set(resting)])


def _unwanted(work: Work, assignment_id: int) -> list[UUID]:
    """The leases that keep a hot lead from whoever is free to ring them."""
    leases = set(work.run(sql.OFFERED, assignment_id=assignment_id).scalars())
    standing = pauses.standing(work)
    hungry, _ = hungry_and_there(work, standing, assignment_id)
    if hungry:
        closing = closing_of(work, standing, assignment_id, hungry)
        wanted = [
            hot.customer_id for hot, _ in deal_hot(work, assignment_id, hungry, closing, even_held=True)
        ]
        leases |= in_the_way(work, wanted)
        if wanted:
            work.hint("allocate", assignment_id)
    return sorted(leases)
