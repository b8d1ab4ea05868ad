-- The rows about known customers that say something new: a value of theirs, a number, or the kind of one.
-- What was set by hand no file changes; what only the numbering plan knows is no news.
select m.row_no, m.customer_id from matched m where m.kind = 'differs'
union
select m.row_no, m.customer_id
  from matched m
  join staged_number n on n.row_no = m.row_no
 cross join lateral (
       select c.numbers_by_hand from customer c where c.crm_id = :crm_id and c.id = m.customer_id limit 1) c
  left join lateral (
       select x.position, x.zones, x.kind, x.kind_by from customer_number x
        where x.crm_id = :crm_id and x.customer_id = m.customer_id and x.e164 = n.e164 limit 1) x on true
 where m.kind = 'same'
   and (x.zones is distinct from n.zones
        or (x.position is distinct from n.position and not c.numbers_by_hand)
        or (n.kind_by = 'list' and x.kind_by is distinct from 'hand'
            and (x.kind, x.kind_by) is distinct from (n.kind, n.kind_by)))
 order by customer_id
