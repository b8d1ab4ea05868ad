-- Claim every number of customers just claimed, in key order. Answers the leases whose claim is whole; the
-- others lost a number to somebody else.
-- A statement after the customers' own: whoever gave one of them another number held their claim meanwhile,
-- and a statement that waited for it would still not see that number.
with wanted as (
    select m.e164, w.lease_id
      from unnest(cast(:customers as bigint[]), cast(:leases as uuid[])) as w(customer_id, lease_id)
      join customer_number m on m.crm_id = :crm_id and m.customer_id = w.customer_id
), claimed as (
    insert into claim_number (crm_id, e164, lease_id)
    select :crm_id, w.e164, w.lease_id from wanted w order by w.e164, w.lease_id
    on conflict do nothing
    returning lease_id
)
select w.lease_id
  from unnest(cast(:leases as uuid[])) as w(lease_id)
  left join (select lease_id, count(*) as numbers from wanted group by lease_id) asked using (lease_id)
  left join (select lease_id, count(*) as numbers from claimed group by lease_id) got using (lease_id)
 where coalesce(asked.numbers, 0) = coalesce(got.numbers, 0)
