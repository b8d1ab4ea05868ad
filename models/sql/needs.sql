-- Who could take more customers of one assignment now, and how many.
-- A seller who is available holds up to :depth offered customers; one on a call keeps at most as many waiting.
-- A dialer holds as many orders as its link last heard it wants, and only while the link is in touch. Orders
-- that are wanted back, or of which nobody knows since Redis burnt, do not count against it; nor does anything
-- that can ring no more.
select s.id as seller_id, null::bigint as dialer_id, s.segment_id,
       :depth - (select count(*) from lease l
                  where l.crm_id = :crm_id and l.seller_id = s.id and l.ended_at is null
                    and l.state = 'offered' and l.ring_by > :now) as wanted,
       0 as rings_late_seconds
  from seller s
 where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.presence = 'available'
   and (cast(:only_seller as bigint) is null or s.id = :only_seller)
union all
select null, d.id, d.segment_id,
       d.wanted - (select count(*) from lease l
                    where l.crm_id = :crm_id and l.dialer_id = d.id and l.ended_at is null
                      and l.state = 'offered' and l.ring_by > :now
                      and not exists (select from recall r where r.crm_id = :crm_id and r.lease_id = l.id)),
       d.rings_late_seconds
  from dialer d
 where d.crm_id = :crm_id and d.assignment_id = :assignment_id
   and d.wanted_at > :in_touch_since and cast(:only_seller as bigint) is null
 order by 1 nulls last, 2
