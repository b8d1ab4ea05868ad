-- Who could take more customers of one assignment now, and how many.
-- A seller who is available holds up to :depth offered customers; one on a call keeps at most as many waiting.
-- A dialer holds as many orders as its link last heard it wants, and only while the link is in touch. Orders
-- that are wanted back, or of which nobody knows since Redis burnt, do not count against it; nor does anything
-- that can ring no more.
-- `promised`: how many promised calls or hot leads they may be given besides. Who is on a call gets none: it would wait
-- behind a conversation; who is not may get one beyond the depth, since it jumps the queue. `room`: how many if
-- nobody were busy. `person`: a seller, or a dialer in a mode in which a person is heard.
-- In the order in which they are dealt to: whoever has nothing before whoever has something, then who asked in
-- vain first, then whose last one is oldest; dialers behind sellers. `in_hand`: what a seller holds, the call
-- they are in among it. Beside the only seller asked for stand those who have nothing and asked in vain: one
-- who asks more often is not dealt to before them.
-- All are counted in one pass over the live leases: counted seller by seller, 200 of them took 236 ms at a
-- million, since every index of live leases looks alike to the planner while there are few.
with waiting as materialized (
    select l.seller_id, l.dialer_id,
           count(*) filter (where l.state = 'offered' and l.ring_by > :now) as orders,
           count(*) filter (where l.state <> 'offered' or l.ring_by > :now) as in_hand,
           bool_or(l.state <> 'offered' or l.follow_up_id is not null or l.hot_lead_id is not null) as busy,
           max(l.offered_at) as dealt_at
      from lease l
     where l.crm_id = :crm_id and l.ended_at is null
       and (l.seller_id is not null or (l.state = 'offered' and l.ring_by > :now))
       and (cast(:only_seller as bigint) is null or l.seller_id = :only_seller)
       and (l.seller_id is not null
            or not exists (select from recall r where r.crm_id = :crm_id and r.lease_id = l.id))
     group by l.seller_id, l.dialer_id
), in_vain as (
    select s.id, s.segment_id, s.asked_in_vain_at from seller s
     where cast(:only_seller as bigint) is not null
       and s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.presence = 'available'
       and s.id <> :only_seller and s.asked_in_vain_at >= s.presence_since
       and s.id not in (select l.seller_id from lease l
                         where l.crm_id = :crm_id and l.ended_at is null and l.seller_id is not null)
     order by s.asked_in_vain_at, s.id limit :ahead
)
select seller_id, dialer_id, segment_id, wanted, rings_late_seconds, promised, room, robot, person, in_hand
  from (
    select s.id as seller_id, null::bigint as dialer_id, s.segment_id,
           :depth - coalesce(w.orders, 0) as wanted, 0 as rings_late_seconds,
           case when coalesce(w.busy, false) then 0 else 1 end as promised, 1 as room,
           false as robot, true as person, coalesce(w.in_hand, 0) as in_hand,
           case when s.asked_in_vain_at >= s.presence_since then s.asked_in_vain_at end as waits_since,
           w.dealt_at
      from seller s
      left join waiting w on w.seller_id = s.id
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.presence = 'available'
       and (cast(:only_seller as bigint) is null or s.id = :only_seller)
    union all
    select v.id, null, v.segment_id, 1, 0, 1, 1, false, true, 0, v.asked_in_vain_at, null from in_vain v
    union all
    select null, d.id, d.segment_id, d.wanted - coalesce(w.orders, 0), d.rings_late_seconds,
           d.wanted - coalesce(w.orders, 0), d.wanted, d.mode in ('key_press', 'voice_robot'),
           d.mode in ('connect', 'preview'), 0, null, null
      from dialer d
      left join waiting w on w.dialer_id = d.id
     where d.crm_id = :crm_id and d.assignment_id = :assignment_id
       and d.wanted_at > :in_touch_since and cast(:only_seller as bigint) is null
  ) holder
 order by dialer_id nulls first, in_hand, waits_since nulls last, dealt_at nulls first, seller_id
