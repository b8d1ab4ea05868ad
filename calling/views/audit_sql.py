"""What may never be, as statements that count it; calling/views/audit.py runs them over all that a CRM has.

Instants of two leases are compared strictly: one may end and the next begin in the same transaction. Late
outcomes are no violation: they always count (P4).
"""

_SCOPE = """case w.scope when 'assignment' then l.assignment_id = w.target_id
    when 'segment' then l.segment_id = w.target_id when 'seller' then l.seller_id = w.target_id
    when 'dialer' then l.dialer_id = w.target_id else true end"""
_LIFTED = "least(coalesce(w.lifted_at, 'infinity'), coalesce(w.ends_at, 'infinity'))"
_STANDS = "least(coalesce(w.lifted_at, 'infinity'), coalesce(w.expires_at, 'infinity'))"

_SELLERS = " and l.seller_id is not null"  # a dialer's orders are named in the wall's answer
# What a seller tells of a card that is theirs no more is stamped when it is told: when it rang nobody knows.
KNOWN = "(l.dialer_id is not null or l.rung_at <= coalesce(l.ended_at, 'infinity'))"
_RANG = f"{_SELLERS} and {KNOWN}"

# By number and by customer in turn: an OR in one join could use neither index.
_SUPPRESSED = f"""
    select l.seller_id, l.dialer_id, l.offered_at, l.taken_at, l.rung_at, l.ended_at, w.walled_at,
           {_STANDS} as stands
      from suppression w join lease l on l.crm_id = :crm_id and l.e164 = w.e164
     where w.crm_id = :crm_id and w.e164 is not null
    union all
    select l.seller_id, l.dialer_id, l.offered_at, l.taken_at, l.rung_at, l.ended_at, w.walled_at, {_STANDS}
      from suppression w join lease l on l.crm_id = :crm_id and l.customer_id = w.customer_id
     where w.crm_id = :crm_id and w.customer_id is not null"""  # noqa: S608 - only our own words go in


def _behind_a_pause(instant: str) -> str:
    return f"""
        select count(*) from lease l join pause w on w.crm_id = :crm_id
         where l.crm_id = :crm_id and l.{instant} > w.walled_at and l.{instant} < {_LIFTED} and {_SCOPE}"""  # noqa: S608


def _although_suppressed(instant: str) -> str:
    return f"""
        select count(*) from ({_SUPPRESSED}) l
         where l.{instant} > l.walled_at and l.{instant} < l.stands"""  # noqa: S608


def _overlapping(subject: str) -> str:
    return f"""
        select count(*) from (
            select offered_at, max(coalesce(ended_at, 'infinity')) over (
                       partition by {subject} order by offered_at, coalesce(ended_at, 'infinity'), id
                       rows between unbounded preceding and 1 preceding) as before
              from lease where crm_id = :crm_id) pair
         where pair.before > pair.offered_at"""  # noqa: S608


def _left_behind(owners: str) -> str:
    """Those of `owners` (assignment_id, segment_id) in a deleted segment, once it is rebuilt."""
    return f"""
        select count(*) from ({owners}) o
          join segment s on s.crm_id = :crm_id and s.id = o.segment_id and s.retired_at is not null
         where not exists (select from rebuild r where r.crm_id = :crm_id
                              and r.assignment_id = o.assignment_id and r.finished_at is null)"""  # noqa: S608


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
    ("P1", "two leases of one number overlapped", _overlapping("e164")),
    ("P1", "two leases of one customer overlapped", _overlapping("customer_id")),
    ("P2", "handed out behind a pause", _behind_a_pause("offered_at")),
    ("P2", "a seller took behind a pause", _behind_a_pause("taken_at") + _SELLERS),
    ("P2", "a seller rang behind a pause", _behind_a_pause("rung_at") + _RANG),
    ("P3", "rung after ring_by", f"""
        select count(*) from lease l left join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
         where l.crm_id = :crm_id and l.ended_by is distinct from 'unconfirmed' and {KNOWN}
           and l.rung_at > l.ring_by + coalesce(d.rings_late_seconds, 0) * interval '1 second'"""),  # noqa: S608
    ("P4", "a lease ended by an outcome has no attempt", """
        select count(*) from lease l where l.crm_id = :crm_id and l.ended_by = 'outcome'
           and not exists (select from attempt a where a.crm_id = :crm_id and a.lease_id = l.id)"""),
    ("P4", "a processed result has no attempt", """
        select count(*) from dialer_event e where e.crm_id = :crm_id and e.kind = 'ended'
           and e.processed_at is not null and e.problem is null
           and not exists (select from attempt a where a.crm_id = :crm_id and a.lease_id = e.lease_id)"""),
    ("P4", "attempts are miscounted", """
        select count(*) from placement p left join (
            select assignment_id, customer_id, count(*) as attempts from attempt_in_force
             where crm_id = :crm_id and outcome = any(:counting)
             group by assignment_id, customer_id) made using (assignment_id, customer_id)
         where p.crm_id = :crm_id and p.attempts <> coalesce(made.attempts, 0)"""),
    ("P4", "an outcome that implies a ring without one", """
        select count(*) from attempt a join lease l on l.crm_id = :crm_id and l.id = a.lease_id
         where a.crm_id = :crm_id and a.outcome = any(:ringing) and l.rung_at is null"""),
    ("P5", "a leased placement without its live lease", """
        select count(*) from placement p where p.crm_id = :crm_id and p.state = 'leased'
           and not exists (select from lease l where l.crm_id = :crm_id and l.id = p.lease_id
                              and l.ended_at is null and l.customer_id = p.customer_id)"""),
    ("P5", "a live lease whose placement is elsewhere", """
        select count(*) from lease l where l.crm_id = :crm_id and l.ended_at is null
           and not exists (select from placement p where p.crm_id = :crm_id and p.lease_id = l.id
                              and p.assignment_id = l.assignment_id and p.customer_id = l.customer_id)"""),
    ("P5", "a lease that nobody ended", """
        select count(*) from lease where crm_id = :crm_id and ended_at is null
           and expires_at < :now - interval '1 hour'"""),
    ("P5", "a promised call that nobody waits for", """
        select count(*) from follow_up f where f.crm_id = :crm_id and f.ended_at is null
           and not exists (select from placement p where p.crm_id = :crm_id
                              and p.assignment_id = f.assignment_id and p.customer_id = f.customer_id
                              and ((p.state = 'follow_up' and p.due_at = f.due_at)
                                or (p.return_state = 'follow_up' and p.return_due_at = f.due_at)))"""),
    ("P5", "somebody waits for a call that is not promised", """
        select count(*) from placement p where p.crm_id = :crm_id
           and 'follow_up' in (p.state, coalesce(p.return_state, ''))
           and not exists (select from follow_up f where f.crm_id = :crm_id and f.ended_at is null
                              and f.assignment_id = p.assignment_id and f.customer_id = p.customer_id)"""),
    ("P6", "a customer in a segment that was deleted", _left_behind("""
        select assignment_id, segment_id from placement
         where crm_id = :crm_id and state not in ('left', 'anonymised')""")),
    ("P6", "a hold in a segment that was deleted", _left_behind("""
        select assignment_id, segment_id from hold where crm_id = :crm_id""")),
    ("P6", "somebody works a segment that was deleted", _left_behind("""
        select assignment_id, segment_id from seller where crm_id = :crm_id
        union all select assignment_id, segment_id from dialer where crm_id = :crm_id""")),
    ("P7", "a table without its wall", """
        select count(*) from pg_class t join pg_attribute a on a.attrelid = t.oid and a.attname = 'crm_id'
         where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
           and t.relname <> 'api_key' and not (t.relrowsecurity and t.relforcerowsecurity)"""),
    ("P7", "a row of another CRM is visible", """
        select (select count(*) from customer where crm_id <> :crm_id)
             + (select count(*) from placement where crm_id <> :crm_id)
             + (select count(*) from lease where crm_id <> :crm_id)"""),
    ("P8", "offered although suppressed", _although_suppressed("offered_at")),
    ("P8", "a seller took a suppressed customer", _although_suppressed("taken_at") + _SELLERS),
    ("P8", "a seller rang a suppressed number", _although_suppressed("rung_at") + _RANG),
)  # fmt: skip
"""(promise, what, the statement). Some bind :counting and :ringing, the outcomes that count and that ring."""
