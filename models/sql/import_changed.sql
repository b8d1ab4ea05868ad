-- The rows about known customers that say something new: a value of theirs, or a number.
select m.row_no, m.customer_id from matched m where m.kind = 'differs'
union
select m.row_no, m.customer_id
  from matched m
  join staged_number n on n.row_no = m.row_no
  left join lateral (
       select x.position, x.zones from customer_number x
        where x.crm_id = :crm_id and x.customer_id = m.customer_id and x.e164 = n.e164 limit 1) x on true
 where m.kind = 'same' and (x.position is distinct from n.position or x.zones is distinct from n.zones)
 order by customer_id
