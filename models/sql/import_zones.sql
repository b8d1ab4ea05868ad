-- The zones that staged rows of these kinds vouch for, of whomever nobody vouches; and so the customers' own.
with said as (
    insert into zone_verification (crm_id, customer_id, zone, source, author, reason, contradicts, verified_at)
    select :crm_id, m.customer_id, s.verified_zone, :source, :source, 'said by the list', s.contradicts, :now
      from staged s join matched m on m.row_no = s.row_no
     where m.kind = any(:kinds) and s.verified_zone is not null
       and not exists (select from zone_verification v
                        where v.crm_id = :crm_id and v.customer_id = m.customer_id and v.ended_at is null)
     order by m.customer_id
    returning customer_id, zone
)
update customer c set verified_zone = said.zone
  from said
 where c.crm_id = :crm_id and c.id = said.customer_id and c.verified_zone is distinct from said.zone
