-- Append attempts: the facts of the call come from its lease, so that reports need no guessing.
insert into attempt (crm_id, lease_id, revision, kind, assignment_id, customer_id, segment_id, rule_version,
                     seller_id, dialer_id, e164, number_kind, zone, outcome, status, counted, late, rung_at,
                     reported_at, talk_seconds, data_version)
select :crm_id, l.id, t.revision, case when t.revision = 0 then 'first' else 'completion' end,
       l.assignment_id, l.customer_id, l.segment_id, l.rule_version,
       coalesce(l.seller_id, l.connected_seller_id), l.dialer_id, l.e164,
       l.number_kind, l.zone,
       t.outcome, t.status, t.counted, t.late, l.rung_at, :now, t.talk_seconds,
       l.data_version
  from unnest(
        cast(:leases as uuid[]), cast(:revisions as bigint[]), cast(:outcomes as text[]),
        cast(:statuses as text[]), cast(:counted as smallint[]), cast(:late as boolean[]),
        cast(:talk as bigint[])
       ) as t(lease_id, revision, outcome, status, counted, late, talk_seconds)
  join lease l on l.crm_id = :crm_id and l.id = t.lease_id
