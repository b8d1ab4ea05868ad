-- Which staged rows are customers already, and whether they say anything new. A lookup by key for each row:
-- joined freely, a large CRM would be scanned whole for every batch.
-- :has_email, :has_place: the file has that column; :keys: its own fields. What a file lacks stays as it is,
-- and so does a place where the row's own could not be read ('').
insert into matched (row_no, customer_id, kind)
select s.row_no, c.id,
       case when c.anonymised_at is not null then 'gone'
            when (c.name, c.email, c.place, c.fields) is distinct from (
                 coalesce(s.name, c.name),
                 case when :has_email then s.email else c.email end,
                 case when :has_place and s.place is distinct from '' then s.place else c.place end,
                 (c.fields - cast(:keys as text[])) || s.fields) then 'differs'
            when s.verified_zone <> coalesce(c.verified_zone, '')
                 and not exists (select from zone_verification v
                                  where v.crm_id = :crm_id and v.customer_id = c.id
                                    and v.ended_at is null and v.source is null) then 'differs'
            else 'same' end
  from staged s
 cross join lateral (
       select x.id, x.name, x.email, x.place, x.fields, x.verified_zone, x.anonymised_at from customer x
        where x.crm_id = :crm_id and x.external_id = s.external_id limit 1) c
 where not exists (select from matched m where m.row_no = s.row_no)
