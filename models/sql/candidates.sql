-- The best ready customers of some segments on some clocks: probe, do not filter (design 5.3).
-- `pair` hops along ix_placement_ready from one (segment, clock) that has ready customers to the next; each
-- open one is then probed for its best ranks with a descent of its own. `clock_id = any(...) order by rank`
-- read every ready customer instead: 470 ms against 0.4 ms at a million. Who is held in another assignment,
-- or shares a number with somebody held, is stepped over: else the best ranks would be the same few busy
-- customers in every round, and one switchboard would empty everybody's list.
-- `kept_free`: whoever is wanted for a promised call that is due, or shares a number with them.
-- `held` is read once, as a hashed set: asked for each pair, it was read again for each.
with recursive held as materialized (
    select c.customer_id from claim_customer c where c.crm_id = :crm_id
    union
    select m.customer_id from claim_number n
      join customer_number m on m.crm_id = :crm_id and m.e164 = n.e164
     where n.crm_id = :crm_id
    union
    select unnest(cast(:kept_free as bigint[]))
), pair as (
    (select p.segment_id, p.clock_id from placement p
      where p.crm_id = :crm_id and p.assignment_id = :assignment_id
        and p.state = 'ready' and p.gated_by is null
      order by p.segment_id, p.clock_id limit 1)
    union all
    select hop.segment_id, hop.clock_id from pair
     cross join lateral (
        select p.segment_id, p.clock_id from placement p
         where p.crm_id = :crm_id and p.assignment_id = :assignment_id
           and p.state = 'ready' and p.gated_by is null
           and (p.segment_id, p.clock_id) > (pair.segment_id, pair.clock_id)
         order by p.segment_id, p.clock_id limit 1) hop
)
select best.customer_id, pair.segment_id, pair.clock_id
  from pair
  join unnest(cast(:segments as bigint[]), cast(:hours as bigint[])) with ordinality
       as wanted(segment_id, hours, place) on wanted.segment_id = pair.segment_id
 cross join lateral (
    select p.customer_id, p.rank from placement p
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id
       and p.segment_id = pair.segment_id and p.clock_id = pair.clock_id
       and p.state = 'ready' and p.gated_by is null
       and p.customer_id not in (select held.customer_id from held)
     order by p.rank, p.customer_id limit :most) best
 -- A clock under the hours of the segment, both in one number: looked up in a hash, without another join.
 where wanted.hours + pair.clock_id = any(cast(:open as bigint[]))
 order by wanted.place, best.rank, best.customer_id
 limit :most_in_all
