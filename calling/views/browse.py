"""Reading what there is, page by page: in the order of ids, after one id, at most so many.

So a page costs the same wherever it is, and no row comes twice or is left out while others come and go.
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, text

from calling.views.number_stands import registers, suppressed
from models.errors import NotFound
from models.work import Work

_ASSIGNMENTS = text("""
    select id, name, rule_version, order_field, order_descending, max_attempts, gap_seconds, about_debts,
           retry_plan, do_not_call_scope, offer_seconds, hold_seconds, created_at
      from assignment where crm_id = :crm_id and id > :after and (cast(:id as bigint) is null or id = :id)
     order by id limit :most
""")
_RULES = text("""
    select version, body, author, published_at from rule_set
     where crm_id = :crm_id and assignment_id = :assignment_id
       and (cast(:version as bigint) is null or version = :version)
     order by version desc limit 1
""")
_RULE_VERSIONS = text("""
    select version as id, version, author, published_at, jsonb_array_length(body -> 'segments') as segments
      from rule_set
     where crm_id = :crm_id and assignment_id = :assignment_id and (:before = 0 or version < :before)
     order by version desc limit :most
""")
_PAUSES = text("""
    select w.id, w.scope, w.target_id, coalesce(a.name, s.name, v.name, d.name) as target, w.reason, w.author,
           w.started_at, w.ends_at, w.walled_at, w.lifted_at, w.lifted_by,
           case when w.lifted_at is not null then 'lifted'
                when w.ends_at <= :now then 'ended' else 'standing' end as state
      from pause w
      left join assignment a on a.crm_id = :crm_id and w.scope = 'assignment' and a.id = w.target_id
      left join segment s on s.crm_id = :crm_id and w.scope = 'segment' and s.id = w.target_id
      left join seller v on v.crm_id = :crm_id and w.scope = 'seller' and v.id = w.target_id
      left join dialer d on d.crm_id = :crm_id and w.scope = 'dialer' and d.id = w.target_id
     where w.crm_id = :crm_id and w.id > :after
       and (:all or (w.lifted_at is null and (w.ends_at is null or w.ends_at > :now)))
     order by w.id limit :most
""")
_PAUSE = text("""
    select id, scope, target_id, started_at from pause where crm_id = :crm_id and id = :id
""")
_LAST_PAUSE = text("""
    select max(id) from pause where crm_id = :crm_id and scope = :scope
       and target_id is not distinct from cast(:target_id as bigint) and lifted_at is null
""")
_SUPPRESSION = text("""
    select id, e164, customer_id, scope from suppression where crm_id = :crm_id and id = :id
""")
_LAST_SUPPRESSION = text("""
    select max(id) from suppression where crm_id = :crm_id and lifted_at is null
       and (e164 = :e164 or customer_id = :customer_id)
""")
_CUSTOMERS = text(f"""
    select c.id, c.external_id, c.name, c.email, c.place, c.reckoning_zone, c.fields, c.created_at,
           coalesce((select jsonb_agg(jsonb_build_object(
                                'e164', n.e164, 'state', n.state, 'kind', n.kind,
                                'suppressed', {suppressed("n.e164")},
                                'registers', {registers("n.e164", "n.customer_id")})
                                      order by n.position, n.e164)
                       from customer_number n where n.crm_id = :crm_id and n.customer_id = c.id),
                    '[]') as numbers
      from customer c
     where c.crm_id = :crm_id and c.id > :after
       and (cast(:external_id as text) is null or c.external_id = :external_id)
       and (cast(:id as bigint) is null or c.id = :id)
     order by c.id limit :most
""")  # noqa: S608 - only our own words go in
_PLACEMENTS = text("""
    select p.assignment_id, a.name as assignment, p.segment_id, s.name as segment, p.state, p.status,
           p.attempts, p.due_at, p.gated_by, p.last_outcome, p.last_attempt_at
      from placement p
      join assignment a on a.crm_id = :crm_id and a.id = p.assignment_id
      join segment s on s.crm_id = :crm_id and s.id = p.segment_id
     where p.crm_id = :crm_id and p.customer_id = :customer_id
     order by p.assignment_id
""")
_LEASES = text("""
    select id, assignment_id, seller_id, dialer_id, connected_seller_id from lease
     where crm_id = :crm_id and id = any(:leases)
""")
_SELLER = text("""
    select id, name, presence, presence_since, away_reason as reason, back_at, said_by, assignment_id,
           segment_id
      from seller where crm_id = :crm_id and id = :id
""")
_DIALER = text("select id, name, mode, assignment_id from dialer where crm_id = :crm_id and id = :id")

Rows = Sequence[Row[Any]]
Found = TypeVar("Found")


def assignments(work: Work, after: int, most: int) -> Rows:
    """Assignments with an id above `after`."""
    return work.run(_ASSIGNMENTS, after=after, most=most, id=None).all()


def assignment(work: Work, assignment_id: int) -> Row[Any]:
    """One assignment. Raises NotFound."""
    row = work.run(_ASSIGNMENTS, after=0, most=1, id=assignment_id).first()
    return _found(row, "assignment", assignment_id)


def rules(work: Work, assignment_id: int) -> Row[Any] | None:
    """The rule set in force: version, body, author, published_at; None when none was published."""
    assignment(work, assignment_id)
    return work.run(_RULES, assignment_id=assignment_id, version=None).first()


def rule_version(work: Work, assignment_id: int, version: int) -> Row[Any]:
    """A rule set as it was published: version, body, author, published_at. Raises NotFound."""
    assignment(work, assignment_id)
    row = work.run(_RULES, assignment_id=assignment_id, version=version).first()
    return _found(row, "rule version", version)


def rule_versions(work: Work, assignment_id: int, before: int, most: int) -> Rows:
    """Published rule sets with a number below `before` (0: all), the newest first. Raises NotFound."""
    assignment(work, assignment_id)
    return work.run(_RULE_VERSIONS, assignment_id=assignment_id, before=before, most=most).all()


def pauses(work: Work, after: int, most: int, *, over_too: bool = False) -> Rows:
    """Standing pauses, with the names of what they stop; `over_too`: all that ever stood."""
    return work.run(_PAUSES, after=after, most=most, all=over_too).all()


def pause(work: Work, pause_id: int) -> Row[Any]:
    """One pause, standing or lifted: its scope and target. Raises NotFound."""
    return _found(work.run(_PAUSE, id=pause_id).first(), "pause", pause_id)


def last_pause(work: Work, scope: str, target_id: int | None) -> int:
    """The newest standing pause of exactly this scope. Raises NotFound."""
    key = work.run(_LAST_PAUSE, scope=scope, target_id=target_id).scalar()
    return int(_found(key, "pause", f"of {scope} {target_id or ''}".strip()))


def suppression(work: Work, key: int) -> Row[Any]:
    """One suppression, standing or lifted: its number or customer. Raises NotFound."""
    return _found(work.run(_SUPPRESSION, id=key).first(), "suppression", key)


def last_suppression(work: Work, e164: str | None, customer_id: int | None) -> int:
    """The newest standing suppression of this number or customer. Raises NotFound."""
    key = work.run(_LAST_SUPPRESSION, e164=e164, customer_id=customer_id).scalar()
    return int(_found(key, "suppression", "of that number or customer"))


def customers(work: Work, after: int, most: int, *, external_id: str | None = None) -> Rows:
    """Customers with their numbers as web/api/customers.py tells them; or the one of that external id."""
    return work.run(_CUSTOMERS, after=after, most=most, external_id=external_id, id=None).all()


def customer(work: Work, customer_id: int) -> tuple[Row[Any], Rows]:
    """One customer with their numbers, and their place in each assignment. Raises NotFound."""
    row = work.run(_CUSTOMERS, after=0, most=1, external_id=None, id=customer_id).first()
    return _found(row, "customer", customer_id), work.run(_PLACEMENTS, customer_id=customer_id).all()


def leases(work: Work, ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    """Whose these are: id -> row with assignment_id and whom it is with; unknown ones are missing."""
    return {row.id: row for row in work.run(_LEASES, leases=list(ids))}


def seller(work: Work, seller_id: int | None) -> Row[Any]:
    """One seller. Raises NotFound."""
    return _found(work.run(_SELLER, id=seller_id).first(), "seller", seller_id)


def dialer(work: Work, dialer_id: int | None) -> Row[Any]:
    """One dialer. Raises NotFound."""
    return _found(work.run(_DIALER, id=dialer_id).first(), "dialer", dialer_id)


def _found(found: Found | None, what: str, key: object) -> Found:
    if found is None:
        raise NotFound(what, key)
    return found
