"""The statements of an outcome, in the order in which calling/outcomes/outcome.py runs them."""

from sqlalchemy import text

from calling.handout.rank import rank_sql

WHERE = text("""
    select l.id, l.assignment_id, l.customer_id, l.dialer_id, l.e164,
           (select m.state from customer_number m
             where m.crm_id = :crm_id and m.customer_id = l.customer_id and m.e164 = l.e164) as number_state
      from lease l
     where l.crm_id = :crm_id and l.id = any(:leases)
""")
LOCK = text("""
    select l.id, l.assignment_id, l.customer_id, l.dialer_id, l.seller_id, l.state, l.e164, l.rung_at,
           l.ended_at, l.zone, l.follow_up_id, a.max_attempts, a.retry_plan, a.do_not_call_scope
      from lease l join assignment a on a.crm_id = :crm_id and a.id = l.assignment_id
     where l.crm_id = :crm_id and l.id = any(:leases)
     order by l.id for update of l
""")
KNOWN = text("""
    select distinct on (lease_id) lease_id, revision, outcome from attempt
     where crm_id = :crm_id and lease_id = any((select cast(:leases as uuid[]))::uuid[])
     order by lease_id, revision desc
""")
# How often each outcome came to these customers by other calls than those that are settled now: the word in
# force of each.
CAME = text("""
    select a.assignment_id, a.customer_id, a.outcome, count(*) as times from attempt a
     where a.crm_id = :crm_id and a.customer_id = any((select cast(:customers as bigint[]))::bigint[])
       and a.outcome = any(:outcomes) and not a.lease_id = any(:leases)
       and not exists (select from attempt later
                        where later.crm_id = :crm_id and later.lease_id = a.lease_id
                          and later.revision > a.revision)
     group by a.assignment_id, a.customer_id, a.outcome
""")
# Nothing rings before it was offered, nor after we heard of it: a clock in 1970 would open every gap.
END = text("""
    update lease l
       set rung_at = coalesce(l.rung_at, case when t.rung_at is not null
                                           then greatest(l.offered_at, least(t.rung_at, :now)) end),
           state = 'ended', ended_at = coalesce(l.ended_at, :now), ended_by = coalesce(l.ended_by, 'outcome')
      from unnest((select cast(:leases as uuid[])), cast(:rung as timestamptz[])) as t(id, rung_at)
     where l.crm_id = :crm_id and l.id = t.id
""")
MARK_NUMBERS = text("""
    update customer_number m set state = t.state
      from unnest(cast(:customers as bigint[]), cast(:numbers as text[]), cast(:states as text[]))
           as t(customer_id, e164, state)
     where m.crm_id = :crm_id and m.customer_id = t.customer_id and m.e164 = t.e164
""")
# A number that somebody has called bad by now stays so.
PROVE_NUMBERS = text("""
    update customer_number m set state = 'good'
      from unnest(cast(:customers as bigint[]), cast(:numbers as text[])) as t(customer_id, e164)
     where m.crm_id = :crm_id and m.customer_id = t.customer_id and m.e164 = t.e164
       and m.state = 'unverified'
""")
# Calls in a row that nobody answered, counted anew from all that is in force: whatever came late, or was
# completed, counts in its place. What did not ring counts neither way.
COUNT_UNANSWERED = text("""
    with told as (
        select distinct customer_id, e164 from unnest(
            (select cast(:customers as bigint[])), cast(:numbers as text[])) as t(customer_id, e164)
    ), call as (
        select t.customer_id, t.e164, a.outcome = any(:unanswered) as unanswered,
               bool_or(a.outcome = any(:contacts))
                   over (partition by t.customer_id, t.e164 order by a.lease_id desc) as before_contact
          from told t
          join attempt a on a.crm_id = :crm_id and a.customer_id = t.customer_id and a.e164 = t.e164
         where not exists (select from attempt later
                            where later.crm_id = :crm_id and later.lease_id = a.lease_id
                              and later.revision > a.revision)
    ), counted as (
        select customer_id, e164, count(*) filter (where unanswered and not before_contact) as calls
          from call group by customer_id, e164
    )
    update customer_number m set unanswered = least(r.calls, 32767)
      from counted r
     where m.crm_id = :crm_id and m.customer_id = r.customer_id and m.e164 = r.e164
       and m.unanswered <> least(r.calls, 32767)
""")
OTHER_NUMBERS = text("""
    select m.customer_id, m.e164 from customer_number m
     where m.crm_id = :crm_id and m.customer_id = any(:customers) and m.state = any(:callable)
""")
# Who heard it: the seller by name, or the dialer by which the customer said so.
HEARD_BY = text("""
    select l.id, case when t.by_seller then s.name else 'dialer ' || d.name end as name
      from unnest(cast(:leases as uuid[]), cast(:by_seller as boolean[])) as t(id, by_seller)
      join lease l on l.crm_id = :crm_id and l.id = t.id
      left join seller s on s.crm_id = :crm_id and s.id = l.seller_id
      left join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
""")
SUPPRESS = text("""
    insert into suppression (crm_id, customer_id, e164, scope, origin_id, reason, author, created_at)
    select :crm_id, t.customer_id, t.e164, t.scope, t.origin_id, t.reason, t.author, :now
      from unnest(cast(:customers as bigint[]), cast(:numbers as text[]), cast(:scopes as text[]),
                  cast(:origins as bigint[]), cast(:reasons as text[]), cast(:authors as text[]))
           as t(customer_id, e164, scope, origin_id, reason, author)
    on conflict do nothing
""")

# The placements of one batch, as calling/outcomes/settling.py worked them out. The rows are locked already.
SETTLE = text(f"""
    update placement p
       set state = t.state, due_at = t.due_at, status = t.status, attempts = t.attempts,
           lease_id = t.lease_id, return_state = t.return_state, return_due_at = t.return_due_at,
           last_outcome = t.last_outcome, last_attempt_at = t.last_attempt_at,
           last_lease_id = t.last_lease_id,
           rank = {rank_sql("t.attempts", "t.last_attempt_at")}
      from unnest(
            cast(:assignments as bigint[]), cast(:customers as bigint[]),
            cast(:state_s as text[]), cast(:due_at_s as timestamptz[]), cast(:status_s as text[]),
            cast(:attempts_s as smallint[]), cast(:lease_id_s as uuid[]), cast(:return_state_s as text[]),
            cast(:return_due_at_s as timestamptz[]), cast(:last_outcome_s as text[]),
            cast(:last_attempt_at_s as timestamptz[]), cast(:last_lease_id_s as uuid[])
           ) as t(assignment_id, customer_id, state, due_at, status, attempts, lease_id, return_state,
                  return_due_at, last_outcome, last_attempt_at, last_lease_id),
           customer c, assignment a
     where p.crm_id = :crm_id and p.assignment_id = t.assignment_id and p.customer_id = t.customer_id
       and c.crm_id = :crm_id and c.id = t.customer_id
       and a.crm_id = :crm_id and a.id = t.assignment_id
""")
