-- Claim customers in key order, so that two claimers never wait in a circle. Answers those who were free.
insert into claim_customer (crm_id, customer_id, lease_id)
select :crm_id, w.customer_id, w.lease_id
  from unnest(cast(:customers as bigint[]), cast(:leases as uuid[])) as w(customer_id, lease_id)
 order by w.customer_id
on conflict do nothing
returning customer_id, lease_id
