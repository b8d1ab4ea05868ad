-- Claim customers and all their numbers, each in key order, so that two claimers never wait in a circle.
-- Answers every lease whose claim is whole; the others lost a number or the customer to somebody else and
-- have to be dropped by the caller.
with wanted as (
    select w.customer_id, w.lease_id
      from unnest(cast(:customers as bigint[]), cast(:leases as uuid[])) as w(customer_id, lease_id)
     order by w.customer_id
), customer_claim as (
    insert into claim_customer (crm_id, customer_id, lease_id)
    select :crm_id, w.customer_id, w.lease_id from wanted w order by w.customer_id
    on conflict do nothing
    returning customer_id, lease_id
), number_wanted as (
    select m.e164, c.lease_id
      from customer_claim c
      join customer_number m on m.crm_id = :crm_id and m.customer_id = c.customer_id
), number_claim as (
    insert into claim_number (crm_id, e164, lease_id)
    select :crm_id, w.e164, w.lease_id from number_wanted w order by w.e164, w.lease_id
    on conflict do nothing
    returning lease_id
)
select c.lease_id
  from customer_claim c
 where (select count(*) from number_wanted w where w.lease_id = c.lease_id)
     = (select count(*) from number_claim n where n.lease_id = c.lease_id)
