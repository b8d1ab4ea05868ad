-- Lease the placements that are still as they were chosen; the caller has locked their rows. Whoever is handed
-- out to keep a promise (follow_up_id) goes back to it if nobody rings. A number that an outcome has called bad
-- since it was chosen is not leased: another one is chosen in the next round.
-- Answers the leases that came to be; of the others the caller gives the claims back.
with chosen as (
    select * from unnest(
        cast(:customers as bigint[]), cast(:leases as uuid[]), cast(:segments as bigint[]),
        cast(:sellers as bigint[]), cast(:dialers as bigint[]), cast(:numbers as text[]), cast(:zones as text[]),
        cast(:ring_bys as timestamptz[]), cast(:expiries as timestamptz[]), cast(:follow_ups as bigint[]),
        cast(:hot_leads as bigint[])
    ) as t(customer_id, lease_id, segment_id, seller_id, dialer_id, e164, zone, ring_by, expires_at, follow_up_id,
           hot_lead_id)
), hit as (
    update placement p
       set state = 'leased', lease_id = t.lease_id, return_state = p.state, return_due_at = p.due_at
      from chosen t
      join customer_number m on m.crm_id = :crm_id and m.customer_id = t.customer_id and m.e164 = t.e164
                            and m.state = any(:callable)
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = t.customer_id
       and p.gated_by is null and p.segment_id = t.segment_id
       and case when t.follow_up_id is null then p.state = 'ready'
                else p.state = 'follow_up' and p.due_at <= :now end
    returning p.rule_version, p.clock_id, m.kind, t.*
)
insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version, seller_id, dialer_id,
                   state, e164, number_kind, zone, offered_at, ring_by, expires_at, data_version, clock_id,
                   follow_up_id, hot_lead_id)
select :crm_id, lease_id, :assignment_id, customer_id, segment_id, rule_version, seller_id, dialer_id,
       'offered', e164, kind, zone,
       -- Whoever freed them may have begun after us: a lease never begins before the one before it ended.
       -- (By keys whatever the planner has heard of the table's size: a join read every lease for each.)
       greatest(:now, (select max(last.ended_at)
                         from customer_number m
                        cross join lateral (select max(l.ended_at) as ended_at from lease l
                                             where l.crm_id = :crm_id and l.customer_id = m.customer_id) last
                        where m.crm_id = :crm_id and m.e164 = hit.e164)),
       ring_by, expires_at, :data_version, clock_id, follow_up_id, hot_lead_id
  from hit
returning id
