-- Write the rank of these customers' placements anew, after a field that orders them has changed.
-- The caller holds the placements' locks. The rank's expression is put in by calling/intake/placing.py.
with ranked as (
    select p.assignment_id, p.customer_id, /*rank*/ as rank
      from placement p
      join assignment a on a.crm_id = :crm_id and a.id = p.assignment_id
      join customer c on c.crm_id = :crm_id and c.id = p.customer_id
     where p.crm_id = :crm_id and p.customer_id = any(cast(:customers as bigint[]))
)
update placement p set rank = r.rank
  from ranked r
 where p.crm_id = :crm_id and p.assignment_id = r.assignment_id and p.customer_id = r.customer_id
   and p.rank <> r.rank
