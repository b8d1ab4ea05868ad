-- Put customers of a CRM into an assignment: ready, Unsegmented, ranked. Who is there already stays as they are:
-- the key says so. Asking beforehand (not exists) read all placements for each customer while the table was young.
-- The rank's expression is put in by calling/intake/placing.py.
insert into placement (crm_id, assignment_id, customer_id, state, segment_id, clock_id, rank, entered_at)
select :crm_id, a.id, c.id, 'ready', s.id, c.clock_id, /*rank*/, :now
  from assignment a
  join segment s on s.crm_id = :crm_id and s.assignment_id = a.id and s.key = 'unsegmented'
  join customer c on c.crm_id = :crm_id and c.id = any(cast(:customers as bigint[]))
 where a.crm_id = :crm_id and a.id = :assignment_id and c.anonymised_at is null
 order by c.id
on conflict (crm_id, assignment_id, customer_id) do nothing
returning customer_id
