"""The quick way to a seller's next customer: the first of their list, if nothing at all is unusual about it.

What every `next` costs most is the asking, so this is two statements in one turn: the turnstile, and a change
of one row that asks everything which could stop it. It believes the stamp of the gates, which whoever changes
a fact writes, and `ring_by`, which whoever shuts hours brings forward; `ring` believes neither. Whatever it
would have to weigh (a promise, a hot lead, a second number, another clock or segment) hand_out.py weighs.
"""

from typing import Any

from sqlalchemy import Row, text

from calling.walls.pauses import STOPS_SELLER
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import OpenWork

# The lock is taken through a row of the assignment, as in models/turnstile.py.
_TURNSTILE = text("""
    select a.id, pg_advisory_xact_lock_shared(a.id * 2)
      from seller s join assignment a on a.crm_id = :crm_id and a.id = s.assignment_id
     where s.crm_id = :crm_id and s.id = :seller_id
""")

# The first by key, if it is offered: behind somebody held, taken or promised there is nothing for this way.
# Two tabs at once: who comes second waits for the row, and finds it offered no more.
_TAKE = text(f"""
    with seller_there as materialized (
        select s.id, s.assignment_id from seller s
         where s.crm_id = :crm_id and s.id = :seller_id and s.presence = 'available'
           and coalesce(s.asked_in_vain_at < s.presence_since, true) and s.connected_lease_id is null
           and coalesce((select min(f.due_at) from follow_up f
                          where f.crm_id = :crm_id and f.assignment_id = s.assignment_id
                            and f.ended_at is null) > :now, true)
           and not exists (select from hot_lead h
                            where h.crm_id = :crm_id and h.assignment_id = s.assignment_id
                              and h.ended_at is null)
    ), listed as materialized (
        select l.id, l.state, l.follow_up_id from lease l
         where l.crm_id = :crm_id and l.ended_at is null and l.seller_id = :seller_id
         order by l.id
    ), top as (
        select id from listed
         where not exists (select from listed x where x.state <> 'offered' or x.follow_up_id is not null)
         order by id limit 1
    )
    update lease l set state = 'taken', taken_at = :now,
           expires_at = least(l.ring_by, :now + a.hold_seconds * interval '1 second')
      from top
     cross join seller_there s
      join assignment a on a.crm_id = :crm_id and a.id = s.assignment_id,
           placement p
      join customer c on c.crm_id = :crm_id and c.id = p.customer_id
      join customer_number m on m.crm_id = :crm_id and m.customer_id = c.id
     where l.crm_id = :crm_id and l.id = top.id and l.state = 'offered' and l.ended_at is null
       and l.assignment_id = s.assignment_id and l.ring_by > :now
       and p.crm_id = :crm_id and p.assignment_id = l.assignment_id and p.customer_id = l.customer_id
       and p.lease_id = l.id and p.return_state = 'ready' and p.gated_by is null
       and p.segment_id = l.segment_id and p.clock_id = l.clock_id
       and m.e164 = l.e164 and m.state = any(:callable)
       and not exists (select from customer_number another
                        where another.crm_id = :crm_id and another.customer_id = l.customer_id
                          and another.e164 <> l.e164)
       and not {STOPS_SELLER}
    returning l.id as lease_id, l.state, l.assignment_id, p.segment_id, l.customer_id, c.external_id, c.name,
              l.e164, l.zone, p.status, p.attempts, c.fields, l.ring_by, l.expires_at,
              cast(null as timestamptz) as promised_at, cast(null as text) as promise_note,
              cast(null as timestamptz) as hot_at, cast(null as text) as hot_reason, l.flagged
""")  # noqa: S608 - our own words


class _Elsewhere(Exception):
    """They turned to another assignment between the two statements: its turnstile was not passed."""


def take(open_work: OpenWork, seller_id: int) -> Row[Any] | None:
    """The first of the seller's list, taken, in one transaction; None: the long way has to look.

    The row has the columns of HandOut.
    """
    try:
        with open_work() as work:
            seller = {"seller_id": seller_id}
            passed, taken = work.run_together(
                (_TURNSTILE, seller), (_TAKE, {**seller, "callable": list(CALLABLE_NUMBER_STATES)})
            )
            row, turnstile = taken.first(), passed.first()
            if row is not None and (turnstile is None or turnstile.id != row.assignment_id):
                raise _Elsewhere
            return row
    except _Elsewhere:
        return None
