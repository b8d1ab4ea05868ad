-- The best ready customers of some segments on some clocks: probe, do not filter (design 5.3).
-- In each segment `pair` hops along ix_placement_ready from one clock that has ready customers to the next,
-- and meets the best of each on the way. No pair whose best lies behind the `bar`, the last of the `most`
-- best ones met, can have any of the `most` best customers, nor can what lies behind it in other pairs: what
-- is left is probed by a descent each. `clock_id = any(...) order by rank` read every ready customer instead:
-- 470 ms against 0.4 ms at a million; probing each of a thousand pairs for all that is wanted took 33 ms
-- against 6 ms. Segments are looked at in the order of their priority, and no further than `most_in_all`.
--
-- Fewer attempts come first, then the clocks where customers answer best at this hour (`lag`: by how much a
-- clock lags behind the best one, if the assignment orders by the hour), then rank.
-- Who is held in another assignment, or shares a number with somebody held, is stepped over: else the best
-- ranks would be the same few busy customers in every round, and one switchboard would empty everybody's
-- list. `kept_free`: whoever is wanted for a promised call that is due, or shares a number with them.
-- `held` is read once, as a hashed set: asked for each pair, it was read again for each.
with held as materialized (
    select c.customer_id from claim_customer c where c.crm_id = :crm_id
    union
    select m.customer_id from claim_number n
      join customer_number m on m.crm_id = :crm_id and m.e164 = n.e164
     where n.crm_id = :crm_id
    union
    select unnest(cast(:kept_free as bigint[]))
)
select found.customer_id, wanted.segment_id, found.clock_id, found.rank, found.lag
  from unnest(cast(:segments as bigint[]), cast(:hours as bigint[]), cast(:mosts as integer[]))
       as wanted(segment_id, hours, most)
 cross join lateral (
    with recursive pair as (
        (select p.clock_id, p.rank, p.customer_id from placement p
          where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.segment_id = wanted.segment_id
            and p.state = 'ready' and p.gated_by is null
          order by p.clock_id, p.rank, p.customer_id limit 1)
        union all
        select hop.* from pair
         cross join lateral (
            select p.clock_id, p.rank, p.customer_id from placement p
             where p.crm_id = :crm_id and p.assignment_id = :assignment_id
               and p.segment_id = wanted.segment_id and p.clock_id > pair.clock_id
               and p.state = 'ready' and p.gated_by is null
             order by p.clock_id, p.rank, p.customer_id limit 1) hop
    ), ajar as materialized (
        -- A clock under the hours of the segment, both in one number: looked up in a hash, without a join.
        select pair.clock_id, pair.rank, coalesce(late.lag, 0) as lag,
               pair.customer_id in (select held.customer_id from held) as held
          from pair
          left join unnest(cast(:late as bigint[]), cast(:lags as integer[])) as late(clock_id, lag)
                 on late.clock_id = pair.clock_id
         where wanted.hours + pair.clock_id = any(cast(:open as bigint[]))
    ), bar as materialized (
        select ajar.rank >> 52 as attempts, ajar.lag, ajar.rank from ajar
         where not ajar.held
         order by 1, 2, 3 offset wanted.most - 1 limit 1
    )
    select best.customer_id, ajar.clock_id, best.rank, ajar.lag
      from ajar
      left join bar on true
     cross join lateral (
        select p.customer_id, p.rank from placement p
         where p.crm_id = :crm_id and p.assignment_id = :assignment_id
           and p.segment_id = wanted.segment_id and p.clock_id = ajar.clock_id
           and p.state = 'ready' and p.gated_by is null
           and p.rank <= case when bar.rank is null then 9223372036854775807
                              when ajar.lag = bar.lag then bar.rank
                              when ajar.lag < bar.lag then ((bar.attempts + 1) << 52) - 1
                              else (bar.attempts << 52) - 1 end
           and p.customer_id not in (select held.customer_id from held)
         order by p.rank, p.customer_id limit wanted.most) best
     order by best.rank >> 52, ajar.lag, best.rank, best.customer_id
     limit wanted.most) found
 limit :most_in_all
