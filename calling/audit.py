"""The audit: the promises P1 to P8 held against the whole database of a CRM, as numbers of violations."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from calling.opening import openings
from models.outcomes import EFFECTS
from models.work import Work
from segmentation.resegment import differing


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of violation of one promise, and how often it was found."""

    promise: str
    what: str
    count: int


# Each statement counts what may never be. Instants of two leases are compared strictly: one may end and
# the next begin in the same transaction.
CHECKS: tuple[tuple[str, str, str], ...] = (
    ("P1", "two live leases hold one customer", """
        select count(*) from (select customer_id from lease
         where crm_id = :crm_id and ended_at is null group by customer_id having count(*) > 1) twice"""),
    ("P1", "a live lease without its claims", """
        select count(*) from lease l where l.crm_id = :crm_id and l.ended_at is null and (
            not exists (select from claim_customer c where c.crm_id = :crm_id
                           and c.customer_id = l.customer_id and c.lease_id = l.id)
            or not exists (select from claim_number n where n.crm_id = :crm_id
                           and n.e164 = l.e164 and n.lease_id = l.id))"""),
    ("P1", "a claim without a live lease", """
        select count(*) from (
            select lease_id from claim_customer where crm_id = :crm_id
            union all select lease_id from claim_number where crm_id = :crm_id) held
         where not exists (select from lease l where l.crm_id = :crm_id and l.id = held.lease_id
                              and l.ended_at is null)"""),
    ("P1", "two leases of one number overlapped", """
        select count(*) from (
            select offered_at, lag(coalesce(ended_at, 'infinity')) over same as before from lease
             where crm_id = :crm_id window same as (partition by e164 order by offered_at, id)) pair
         where pair.before > pair.offered_at"""),
    ("P2", "handed out behind a pause", """
        select count(*) from lease l join pause w on w.crm_id = :crm_id
         where l.crm_id = :crm_id and l.offered_at > w.walled_at and l.offered_at < {lifted} and {scope}"""),
    ("P2", "a seller rang behind a pause", """
        select count(*) from lease l join pause w on w.crm_id = :crm_id
         where l.crm_id = :crm_id and l.seller_id is not null
           and l.rung_at > w.walled_at and l.rung_at < {lifted} and {scope}"""),
    ("P3", "rung after ring_by", """
        select count(*) from lease l left join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
         where l.crm_id = :crm_id and l.ended_by is distinct from 'unconfirmed'
           and l.rung_at > l.ring_by + coalesce(d.rings_late_seconds, 0) * interval '1 second'"""),
    ("P4", "a lease ended by an outcome has no attempt", """
        select count(*) from lease l where l.crm_id = :crm_id and l.ended_by = 'outcome'
           and not exists (select from attempt a where a.crm_id = :crm_id and a.lease_id = l.id)"""),
    ("P4", "a processed result has no attempt", """
        select count(*) from dialer_event e where e.crm_id = :crm_id and e.kind = 'ended'
           and e.processed_at is not null and e.problem is null
           and not exists (select from attempt a where a.crm_id = :crm_id and a.lease_id = e.lease_id)"""),
    ("P4", "attempts are miscounted", """
        select count(*) from placement p where p.crm_id = :crm_id and p.attempts <> (
            select count(*) from attempt a where a.crm_id = :crm_id and a.customer_id = p.customer_id
               and a.assignment_id = p.assignment_id and a.revision = 0 and a.outcome = any(:counting))"""),
    ("P5", "a leased placement without its live lease", """
        select count(*) from placement p where p.crm_id = :crm_id and p.state = 'leased'
           and not exists (select from lease l where l.crm_id = :crm_id and l.id = p.lease_id
                              and l.ended_at is null and l.customer_id = p.customer_id)"""),
    ("P5", "a live lease whose placement is elsewhere", """
        select count(*) from lease l where l.crm_id = :crm_id and l.ended_at is null
           and not exists (select from placement p where p.crm_id = :crm_id and p.lease_id = l.id)"""),
    ("P5", "a lease that nobody ended", """
        select count(*) from lease where crm_id = :crm_id and ended_at is null
           and expires_at < :now - interval '1 hour'"""),
    ("P5", "rung twice inside the gap", """
        select count(*) from (
            select l.rung_at, lag(l.rung_at) over same as before, a.gap_seconds from lease l
              join assignment a on a.crm_id = :crm_id and a.id = l.assignment_id
             where l.crm_id = :crm_id and l.rung_at is not null
            window same as (partition by l.e164 order by l.rung_at, l.id)) pair
         where pair.rung_at - pair.before < pair.gap_seconds * interval '1 second'"""),
    ("P7", "a table without its wall", """
        select count(*) from pg_class t join pg_attribute a on a.attrelid = t.oid and a.attname = 'crm_id'
         where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
           and t.relname <> 'api_key' and not (t.relrowsecurity and t.relforcerowsecurity)"""),
    ("P7", "a row of another CRM is visible", """
        select (select count(*) from customer where crm_id <> :crm_id)
             + (select count(*) from placement where crm_id <> :crm_id)
             + (select count(*) from lease where crm_id <> :crm_id)"""),
    ("P8", "offered although suppressed", """
        select count(*) from lease l join suppression w on w.crm_id = :crm_id
           and (w.e164 = l.e164 or w.customer_id = l.customer_id)
         where l.crm_id = :crm_id and l.offered_at > w.walled_at and l.offered_at < {stands}"""),
    ("P8", "a seller rang a suppressed number", """
        select count(*) from lease l join suppression w on w.crm_id = :crm_id
           and (w.e164 = l.e164 or w.customer_id = l.customer_id)
         where l.crm_id = :crm_id and l.seller_id is not null
           and l.rung_at > w.walled_at and l.rung_at < {stands}"""),
)  # fmt: skip

_SCOPE = """case w.scope when 'crm' then true when 'assignment' then l.assignment_id = w.target_id
    when 'segment' then l.segment_id = w.target_id when 'seller' then l.seller_id = w.target_id
    when 'dialer' then l.dialer_id = w.target_id end"""
_PARTS = {
    "lifted": "least(coalesce(w.lifted_at, 'infinity'), coalesce(w.ends_at, 'infinity'))",
    "stands": "least(coalesce(w.lifted_at, 'infinity'), coalesce(w.expires_at, 'infinity'))",
    "scope": _SCOPE,
}

_RINGS = text("""
    select p.clock_id, l.rung_at from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.rung_at is not null and l.ended_by is distinct from 'unconfirmed'
""")
_QUIET = text("""
    select a.id from assignment a where a.crm_id = :crm_id and not exists (
        select from rebuild r where r.crm_id = :crm_id and r.assignment_id = a.id and r.finished_at is null)
     order by a.id
""")


def audit(work: Work) -> list[Finding]:
    """Every check of the CRM, also those that found nothing."""
    counting = [outcome.value for outcome, effect in EFFECTS.items() if effect.counts]
    findings = [
        Finding(promise, what, int(work.run(text(sql.format(**_PARTS)), counting=counting).scalar_one()))
        if ":counting" in sql
        else Finding(promise, what, int(work.run(text(sql.format(**_PARTS))).scalar_one()))
        for promise, what, sql in CHECKS
    ]
    findings.append(Finding("P3", "rung outside the hours", _rung_outside_hours(work)))
    moved = sum(differing(work, assignment) for assignment in work.run(_QUIET).scalars())
    findings.append(Finding("P6", "in another segment than the rules say", moved))
    return findings


def by_promise(findings: list[Finding]) -> Mapping[str, int]:
    """{"P1": 0, ...}: violations per promise."""
    totals = {f"P{n}": 0 for n in range(1, 9)}
    for finding in findings:
        totals[finding.promise] += finding.count
    return totals


def _rung_outside_hours(work: Work) -> int:
    """Rings at an instant at which the customer's clock was shut, each held against the hours anew."""
    hours = openings(work)
    return sum(not hours.is_open(row.clock_id, row.rung_at) for row in work.run(_RINGS))
