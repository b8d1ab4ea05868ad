-- The tags of staged rows of these kinds; a customer who has one keeps its first source and time.
insert into customer_tag (crm_id, customer_id, tag, source, author, tagged_at)
select :crm_id, m.customer_id, t.tag, 'import', :author, :now
  from staged s join matched m on m.row_no = s.row_no
 cross join lateral unnest(s.tags) as t(tag)
 where m.kind = any(:kinds)
 order by m.customer_id, t.tag
on conflict (crm_id, customer_id, tag) do nothing
