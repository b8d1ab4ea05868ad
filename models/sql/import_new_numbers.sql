-- The numbers of the customers that were just made.
insert into customer_number (crm_id, customer_id, e164, position, zones, kind, kind_by)
select :crm_id, m.customer_id, n.e164, n.position, n.zones, n.kind, n.kind_by
  from staged_number n join matched m on m.row_no = n.row_no
 where m.kind = 'created'
 order by m.customer_id, n.e164
