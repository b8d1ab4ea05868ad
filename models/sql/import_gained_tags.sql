-- The rows about known customers that give them a tag which they have not.
select distinct m.row_no
  from matched m
  join staged s on s.row_no = m.row_no
 cross join lateral unnest(s.tags) as t(tag)
 where m.kind = 'same'
   and not exists (select from customer_tag x
                    where x.crm_id = :crm_id and x.customer_id = m.customer_id and x.tag = t.tag)
