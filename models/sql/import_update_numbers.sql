-- Known customers' numbers in the order of the file; a number that the file lacks stays, behind them.
-- Whose order was set by hand keep it: what is new to them goes behind. A number's state is what calls have
-- shown of it: no file changes it. Its kind is the file's unless somebody set it by hand; what only the
-- numbering plan knows fills an unknown one.
with given as (
    select m.customer_id, n.e164, n.zones, n.kind, n.kind_by,
           case when c.numbers_by_hand then n.position + 1 + coalesce(
                     (select max(y.position) from customer_number y
                       where y.crm_id = :crm_id and y.customer_id = m.customer_id), -1)
                else n.position end as position,
           c.numbers_by_hand
      from staged_number n
      join matched m on m.row_no = n.row_no
      join customer c on c.crm_id = :crm_id and c.id = m.customer_id
     where m.kind in ('differs', 'same')
), behind as (
    update customer_number x set position = x.position + g.numbers
      from (select customer_id, count(*)::smallint as numbers from given
             where not numbers_by_hand group by customer_id) g
     where x.crm_id = :crm_id and x.customer_id = g.customer_id and x.position < g.numbers
       and not exists (select from given y where y.customer_id = x.customer_id and y.e164 = x.e164)
), wanted as (
    select g.customer_id, g.e164, g.zones,
           case when g.numbers_by_hand then coalesce(x.position, g.position) else g.position end as position,
           case when x.kind_by = 'hand' or (x.kind_by = 'list' and g.kind_by is distinct from 'list')
                then x.kind else g.kind end as kind,
           case when x.kind_by = 'hand' or (x.kind_by = 'list' and g.kind_by is distinct from 'list')
                then x.kind_by else g.kind_by end as kind_by
      from given g
      left join customer_number x on x.crm_id = :crm_id and x.customer_id = g.customer_id and x.e164 = g.e164
)
insert into customer_number as x (crm_id, customer_id, e164, position, zones, kind, kind_by)
select :crm_id, w.customer_id, w.e164, w.position, w.zones, w.kind, w.kind_by
  from wanted w order by w.customer_id, w.e164
on conflict (crm_id, customer_id, e164) do update
   set position = excluded.position, zones = excluded.zones, kind = excluded.kind, kind_by = excluded.kind_by
 where (x.position, x.zones, x.kind, x.kind_by)
       is distinct from (excluded.position, excluded.zones, excluded.kind, excluded.kind_by)
