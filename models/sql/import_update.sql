-- Known customers take what their staged row says; the caller holds their rows' locks. An empty place is one
-- that could not be read: what stands stays, and the law that goes with it.
update customer c
   set name = coalesce(s.name, c.name),
       email = case when :has_email then s.email else c.email end,
       place = case when :has_place and s.place is distinct from '' then s.place else c.place end,
       fields = (c.fields - cast(:keys as text[])) || s.fields,
       updated_at = :now
  from matched m join staged s on s.row_no = m.row_no
 where c.crm_id = :crm_id and c.id = m.customer_id and m.kind in ('differs', 'same')
