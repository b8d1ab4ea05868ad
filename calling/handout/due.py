"""What time alone changes: a rest is over, a gate opens. Holds run out with the sweep."""

from sqlalchemy import text

from calling.handout import gates
from calling.segments.following import follow
from models import turnstile
from models.work import OpenWork

BATCH = 200

_WAKE = text("""
    with due as (
        select assignment_id, customer_id from placement
         where crm_id = :crm_id and state = 'resting' and due_at <= :now
           and assignment_id = any(:assignments)
         order by due_at limit :batch
    ), locked as (
        select p.assignment_id, p.customer_id from placement p join due using (assignment_id, customer_id)
         where p.crm_id = :crm_id
         order by p.assignment_id, p.customer_id for no key update of p skip locked
    )
    update placement p set state = 'ready', due_at = null
      from locked
     where p.crm_id = :crm_id and p.assignment_id = locked.assignment_id
       and p.customer_id = locked.customer_id and p.state = 'resting' and p.due_at <= :now
    returning p.assignment_id, p.customer_id
""")
_WAKING = text("""
    select distinct assignment_id from (
        select assignment_id from placement
         where crm_id = :crm_id and state = 'resting' and due_at <= :now
         order by due_at limit :batch) due
     order by assignment_id
""")
_OPENING = text("""
    select customer_id from placement
     where crm_id = :crm_id and gated_by is not null and gated_until <= :now
       and state not in ('left', 'anonymised')
     order by gated_until limit :batch
""")


def wake_due(open_work: OpenWork) -> int:
    """Make ready whoever has rested long enough; how many. A busy placement waits for the next tick."""
    woken = 0
    while True:
        with open_work() as work:
            assignments = list(work.run(_WAKING, batch=BATCH).scalars())
            turnstile.pass_shared(work, assignments)
            rows = work.run(_WAKE, batch=BATCH, assignments=assignments).all()
            for assignment_id in sorted({row.assignment_id for row in rows}):
                woke = [row.customer_id for row in rows if row.assignment_id == assignment_id]
                follow(work, assignment_id, woke, "due", "time")
                work.hint("allocate", assignment_id)
        woken += len(rows)
        if len(rows) < BATCH:
            return woken


def open_gates(open_work: OpenWork) -> int:
    """Stamp anew whoever's gate has opened by time; how many placements changed."""
    opened = 0
    while True:
        with open_work() as work:
            customers = list(work.run(_OPENING, batch=BATCH).scalars())
            changed = gates.restamp(work, customers)
        opened += changed
        if len(customers) < BATCH or not changed:
            return opened
