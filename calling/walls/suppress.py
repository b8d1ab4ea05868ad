"""Do-not-call is at once (P8): from the answer on, nobody offers, takes or rings it, except what it names."""

from datetime import datetime

from sqlalchemy import text

from calling.handout import gates
from calling.handout.recalling import Patience, WallAnswer, no_patience, recall_all
from models import turnstile
from models.errors import BadInput, NotFound
from models.work import OpenWork, Work

BATCH = 200

_CUSTOMER = text("select 1 from customer where crm_id = :crm_id and id = :customer_id")
_SUPPRESS = text("""
    insert into suppression (crm_id, e164, customer_id, reason, author, created_at, expires_at)
    values (:crm_id, :e164, :customer_id, :reason, :author, :now, :expires_at)
    returning id
""")
_ROW = text("select e164, customer_id, reason from suppression where crm_id = :crm_id and id = :id")
_WALLED = text(
    "update suppression set walled_at = :now where crm_id = :crm_id and id = :id and walled_at is null"
)
_UNFINISHED = text("""
    select id from suppression where crm_id = :crm_id and walled_at is null and lifted_at is null order by id
""")
_LIFT = text("""
    update suppression set lifted_at = :now, lifted_by = :author
     where crm_id = :crm_id and lifted_at is null
       and (e164 = :e164 or customer_id = :customer_id)
    returning id
""")
_ASSIGNMENTS = text("select id from assignment where crm_id = :crm_id order by id")
_CUSTOMERS = text("""
    select customer_id from customer_number where crm_id = :crm_id and e164 = :e164
    union select :customer_id where cast(:customer_id as bigint) is not null
""")
_CAUGHT = text("""
    select l.id from lease l
     where l.crm_id = :crm_id and l.ended_at is null and (l.e164 = :e164 or l.customer_id = :customer_id)
     order by l.id
""")


def suppress(
    open_work: OpenWork, *, e164: str | None = None, customer_id: int | None = None, reason: str, author: str,
    expires_at: datetime | None = None, patience: Patience = no_patience,
) -> WallAnswer:  # fmt: skip
    """Put a number (E.164) or a customer on the CRM's do-not-call list; what was in the air.

    Raises BadInput, NotFound.
    """
    if (e164 is None) == (customer_id is None):
        raise BadInput("suppress: give a number or a customer, one of the two")
    with open_work() as work:
        if customer_id is not None and work.run(_CUSTOMER, customer_id=customer_id).first() is None:
            raise NotFound("customer", customer_id)
        key = work.run(
            _SUPPRESS, e164=e164, customer_id=customer_id, reason=reason, author=author, expires_at=expires_at
        ).scalar_one()
    return finish_suppression(open_work, key, patience)


def finish_suppression(open_work: OpenWork, key: int, patience: Patience = no_patience) -> WallAnswer:
    """The second half: pass the turnstiles, stamp, recall, note that the wall stands."""
    with open_work() as work:
        row = work.run(_ROW, id=key).one()
        assignments = list(work.run(_ASSIGNMENTS).scalars())
    turnstile.pass_exclusively(open_work, assignments)
    subject = {"e164": row.e164, "customer_id": row.customer_id}
    answer = recall_all(open_work, _CAUGHT, subject, f"do not call: {row.reason}", patience)
    with open_work() as work:
        _stamp(work, row.e164, row.customer_id)
        work.run(_WALLED, id=key)
    return answer


def finish_suppressions(open_work: OpenWork) -> int:
    """Finish every suppression that an outcome asked for or a crash left; how many."""
    with open_work() as work:
        left = list(work.run(_UNFINISHED).scalars())
    for key in left:
        finish_suppression(open_work, key)
    return len(left)


def lift(open_work: OpenWork, *, e164: str | None = None, customer_id: int | None = None, author: str) -> int:
    """Take a number or a customer off the list; how many entries stood. Their gates are opened at once."""
    with open_work() as work:
        lifted = len(work.run(_LIFT, e164=e164, customer_id=customer_id, author=author).all())
        _stamp(work, e164, customer_id)
        for assignment_id in work.run(_ASSIGNMENTS).scalars():
            work.hint("allocate", assignment_id)
    return lifted


def _stamp(work: Work, e164: str | None, customer_id: int | None) -> None:
    gates.restamp(work, work.run(_CUSTOMERS, e164=e164, customer_id=customer_id).scalars())
