-- Known customers' numbers in the order of the file; a number that the file lacks stays, behind them.
-- A number's state is what calls have shown of it: no file changes it.
with given as (
    select m.customer_id, n.e164, n.position, n.zones
      from staged_number n join matched m on m.row_no = n.row_no
     where m.kind in ('differs', 'same')
), behind as (
    update customer_number x set position = x.position + g.numbers
      from (select customer_id, count(*)::smallint as numbers from given group by customer_id) g
     where x.crm_id = :crm_id and x.customer_id = g.customer_id and x.position < g.numbers
       and not exists (select from given y where y.customer_id = x.customer_id and y.e164 = x.e164)
)
insert into customer_number (crm_id, customer_id, e164, position, zones)
select :crm_id, g.customer_id, g.e164, g.position, g.zones from given g order by g.customer_id, g.e164
on conflict (crm_id, customer_id, e164) do update set position = excluded.position, zones = excluded.zones
 where (customer_number.position, customer_number.zones) is distinct from (excluded.position, excluded.zones)
