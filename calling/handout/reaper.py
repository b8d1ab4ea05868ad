"""Every lease ends (P5): the reaper takes what its holder has forgotten."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.handout.flagging import flag_overtaken
from calling.handout.give_back import STARTED, give_back, give_up
from calling.handout.promised import OVERTAKEN
from calling.handout.recalling import recall
from models import turnstile
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import OpenWork

BATCH = 200

_EXPIRED = text("""
    select id, assignment_id, seller_id, state, sent_at from lease
     where crm_id = :crm_id and ended_at is null and expires_at <= :now
     order by expires_at limit :batch
""")

# Who lets a card expire in their list is not there: they wait for none, and are not dealt to before others.
_NOT_THERE = text("""
    update seller set asked_in_vain_at = null
     where crm_id = :crm_id and id = any(:sellers) and asked_in_vain_at is not null
""")

# A crash may have come between a late outcome, a number that died, a move to another segment, or whatever
# became of a promise, and the recall of the offered lease that it concerns.
_OVERTAKEN = text(f"""
    select l.id from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
                      and (l.segment_id <> p.segment_id or p.gated_by = 'register' or {OVERTAKEN}
                        or not exists (
                            select from customer_number m
                             where m.crm_id = :crm_id and m.customer_id = l.customer_id and m.e164 = l.e164
                               and m.state = any(:callable)))
     where l.crm_id = :crm_id and l.ended_at is null and l.state = 'offered'
       and not exists (select from recall r where r.crm_id = :crm_id and r.lease_id = l.id)
     order by l.id limit :batch
""")  # noqa: S608 - our own words


def reap(open_work: OpenWork) -> int:
    """End leases whose time is over, in batches; how many.

    Unrung at a seller, or never sent: back to where they came from. Rung, or offered outside and past the
    last instant at which it could ring: unconfirmed, which counts as a ring.
    """
    ended = 0
    while True:
        with open_work() as work:
            rows = work.run(_EXPIRED, batch=BATCH).all()
        unsure = [row for row in rows if row.state in STARTED or row.sent_at is not None]
        unrung = [row for row in rows if row not in unsure]
        done = _end(open_work, unrung, sure=True) + _end(open_work, unsure, sure=False)
        ended += done
        absent = sorted({row.seller_id for row in unrung if row.seller_id and row.state == "offered"})
        if absent:
            with open_work() as work:
                work.run(_NOT_THERE, sellers=absent)
        if len(rows) < BATCH or not done:
            break
    with open_work() as work:
        callable_ = list(CALLABLE_NUMBER_STATES)
        overtaken = list(work.run(_OVERTAKEN, callable=callable_, batch=BATCH).scalars())
        recall(work, overtaken, "overtaken by a late outcome, or moved", states=["offered"])
    with open_work() as work:
        flag_overtaken(work)
    return ended


def _end(open_work: OpenWork, rows: Sequence[Row[Any]], *, sure: bool) -> int:
    """One transaction a kind: all its rows are locked in key order at once."""
    leases: list[UUID] = sorted(row.id for row in rows)
    if not leases:
        return 0
    with open_work() as work:
        turnstile.pass_shared(work, (row.assignment_id for row in rows))
        if sure:
            return len(give_back(work, leases, "expired", unsent=True, expired=True))
        return len(give_up(work, leases, expired=True))
