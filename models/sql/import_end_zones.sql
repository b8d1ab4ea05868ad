-- Zones that a list vouched for, and staged rows of these kinds say otherwise now. A person's word stays.
update zone_verification v set ended_at = :now, ended_by = :source
  from matched m join staged s on s.row_no = m.row_no
 where v.crm_id = :crm_id and v.customer_id = m.customer_id and m.kind = any(:kinds)
   and v.ended_at is null and v.source is not null and v.zone <> s.verified_zone
