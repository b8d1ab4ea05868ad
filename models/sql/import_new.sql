-- Staged rows that are no customers yet become customers, in key order. Whoever is made by somebody else in
-- this very moment is left out, and found by the next match.
with made as (
    insert into customer (crm_id, external_id, name, email, place, clock_id, reckoning_zone,
                          verified_zone, fields, created_at, updated_at)
    select :crm_id, s.external_id, coalesce(s.name, ''), s.email, nullif(s.place, ''), k.id, s.reckoning_zone,
           s.verified_zone, s.fields, :now, :now
      from staged s join call_clock k on k.key = s.clock_key
     where not exists (select from matched m where m.row_no = s.row_no)
     order by s.external_id
    on conflict (crm_id, external_id) do nothing
    returning id, external_id
)
insert into matched (row_no, customer_id, kind)
select s.row_no, made.id, 'created' from made join staged s on s.external_id = made.external_id
