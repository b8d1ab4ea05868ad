"""Do-not-call is at once (P8): from the answer on, nobody offers, takes or rings it, except what it names."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from calling.handout import gates
from calling.handout.recalling import Patience, WallAnswer, no_patience, recall_all
from calling.walls import scopes
from models import turnstile
from models.errors import BadInput, NotFound
from models.tables.walls import SUPPRESSION_SCOPES
from models.work import OpenWork, Work

BATCH = 200
AT_ONCE = 10_000
"""Entries that share one pass of the turnstiles."""

_CUSTOMER = text("select 1 from customer where crm_id = :crm_id and id = :customer_id")
_SUPPRESS = text("""
    insert into suppression (crm_id, e164, customer_id, scope, origin_id, reason, author, created_at,
                             expires_at)
    values (:crm_id, :e164, :customer_id, :scope, :origin_id, :reason, :author, :now, :expires_at)
    returning id
""")
_WALLED = text("""
    update suppression set walled_at = :now where crm_id = :crm_id and id = any(:ids) and walled_at is null
""")
_UNFINISHED = text("""
    select id from suppression where crm_id = :crm_id and walled_at is null and lifted_at is null
     order by id limit :most
""")
_REASONS = text("select distinct reason from suppression where crm_id = :crm_id and id = any(:ids) limit 2")
_LIFT = text("""
    update suppression set lifted_at = :now, lifted_by = :author
     where crm_id = :crm_id and lifted_at is null and scope = 'crm'
       and (e164 = :e164 or customer_id = :customer_id)
    returning id
""")
_STANDING = text("""
    select distinct scope from suppression
     where crm_id = :crm_id and lifted_at is null and (expires_at is null or expires_at > :now)
       and (e164 = :e164 or customer_id = :customer_id)
     order by scope
""")
_ASSIGNMENTS = text("select id from assignment where crm_id = :crm_id order by id")
_OF_SUBJECT = text("""
    select customer_id from customer_number where crm_id = :crm_id and e164 = :e164
    union select :customer_id where cast(:customer_id as bigint) is not null
""")
_OF_ENTRIES = text("""
    select m.customer_id from suppression s join customer_number m on m.crm_id = :crm_id and m.e164 = s.e164
     where s.crm_id = :crm_id and s.id = any(:ids)
    union
    select s.customer_id from suppression s
     where s.crm_id = :crm_id and s.id = any(:ids) and s.customer_id is not null
     order by 1
""")
_CAUGHT = text("""
    select l.id from lease l join suppression s on s.crm_id = :crm_id and s.e164 = l.e164
     where l.crm_id = :crm_id and l.ended_at is null and s.id = any(:ids)
    union
    select l.id from lease l join suppression s on s.crm_id = :crm_id and s.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.ended_at is null and s.id = any(:ids)
     order by 1
""")


def suppress(
    open_work: OpenWork, *, e164: str | None = None, customer_id: int | None = None, reason: str, author: str,
    expires_at: datetime | None = None, scope: str = "crm", patience: Patience = no_patience,
) -> WallAnswer:  # fmt: skip
    """Put a number (E.164) or a customer on the do-not-call list; what was in the air.

    `scope`: "crm"; "owner", all CRMs of the data owner; "everyone". The wider two take a number.
    Raises BadInput, NotFound.
    """
    if (e164 is None) == (customer_id is None):
        raise BadInput("suppress: give a number or a customer, one of the two")
    check_scope(scope)
    if e164 is None and scope != "crm":
        raise BadInput(f"scope: a customer belongs to one CRM; give a number to keep it from {scope}")
    origin_id = None
    with open_work() as work:
        if customer_id is not None and work.run(_CUSTOMER, customer_id=customer_id).first() is None:
            raise NotFound("customer", customer_id)
        if e164 is not None and scope != "crm":
            shared = scopes.share(
                work, [e164], scope=scope, reason=reason, author=author, expires_at=expires_at
            )
            origin_id = shared[e164]
        key = work.run(
            _SUPPRESS,
            e164=e164,
            customer_id=customer_id,
            scope=scope,
            origin_id=origin_id,
            reason=reason,
            author=author,
            expires_at=expires_at,
        ).scalar_one()
    answer = _wall(open_work, [key], patience)
    if origin_id is not None:
        answer.elsewhere = scopes.spread(open_work, lambda there: _finish_here(there, patience)[1])
    return answer


def check_scope(scope: str) -> None:
    """Raises BadInput for what is no scope."""
    if scope not in SUPPRESSION_SCOPES:
        raise BadInput(f"scope: {scope!r} is none of {', '.join(SUPPRESSION_SCOPES)}", scope=scope)


def finish_suppressions(open_work: OpenWork) -> int:
    """Finish every suppression that an outcome or a list asked for, or a crash left; how many.

    Those that are shared go on to the other CRMs of their scope.
    """
    done, _ = _finish_here(open_work)
    scopes.spread(open_work, lambda there: _finish_here(there)[1])
    return done


def _finish_here(open_work: OpenWork, patience: Patience = no_patience) -> tuple[int, WallAnswer]:
    """Adopt what is shared; then the second half of all that is no wall yet in this CRM."""
    done, answer = 0, WallAnswer()
    more = True
    while True:
        with open_work() as work:
            more = more and scopes.adopt(work) > 0
        with open_work() as work:
            left = list(work.run(_UNFINISHED, most=AT_ONCE).scalars())
        if not left and not more:
            return done, answer
        if not left:
            continue
        answer.join(_wall(open_work, left, patience))
        done += len(left)


def _wall(open_work: OpenWork, entries: Sequence[int], patience: Patience) -> WallAnswer:
    """The second half: pass the turnstiles, recall, stamp, note that the wall stands."""
    ids = list(entries)
    with open_work() as work:
        assignments = list(work.run(_ASSIGNMENTS).scalars())
        reasons = list(work.run(_REASONS, ids=ids).scalars())
    turnstile.pass_exclusively(open_work, assignments)
    told = f": {reasons[0]}" if len(reasons) == 1 else ""
    answer = recall_all(open_work, _CAUGHT, {"ids": ids}, f"do not call{told}", patience)
    with open_work() as work:
        customers = list(work.run(_OF_ENTRIES, ids=ids).scalars())
    # A transaction of its own: whoever lifts one locks the entry before the placements.
    for start in range(0, len(customers), BATCH):
        with open_work() as work:
            gates.restamp(work, customers[start : start + BATCH])
    with open_work() as work:
        work.run(_WALLED, ids=ids)
    return answer


def lift(
    open_work: OpenWork, *, e164: str | None = None, customer_id: int | None = None, author: str,
    scope: str = "crm",
) -> int:  # fmt: skip
    """Take a number or a customer off the list of one scope; how many entries stood there.

    Their gates are opened at once, unless an entry of another scope still stands (`scopes_of`).
    """
    check_scope(scope)
    if scope == "crm":
        with open_work() as work:
            lifted = len(work.run(_LIFT, e164=e164, customer_id=customer_id, author=author).all())
            found = work.run(_OF_SUBJECT, e164=e164, customer_id=customer_id)
            gates.restamp(work, found.scalars())
            _hint(work)
        return lifted
    if e164 is None:
        raise BadInput("scope: a customer belongs to one CRM; give the number that was shared")
    with open_work() as work:
        lifted = scopes.lift_shared(work, e164, scope, author)
        scopes.adopt(work)
        _hint(work)
    scopes.spread(open_work, lambda there: _finish_here(there)[1])
    return lifted


def scopes_of(work: Work, *, e164: str | None = None, customer_id: int | None = None) -> list[str]:
    """The scopes of the entries that stand for a number or a customer."""
    return list(work.run(_STANDING, e164=e164, customer_id=customer_id).scalars())


def _hint(work: Work) -> None:
    """Somebody may be free again."""
    for assignment_id in work.run(_ASSIGNMENTS).scalars():
        work.hint("allocate", assignment_id)
