-- Due promised calls of one assignment that the asked may keep: of each of :sellers the oldest of their own, and
-- for each kind of holder so many as `mosts` says of what is anybody's, oldest first.
-- Owners and everybody are two probes: what waits for an owner who is busy would fill the list of one. What is
-- anybody's is probed like who is ready (candidates.sql): only the pairs of segment and clock that a kind may
-- ring are looked into, however many wait in the others. Which pairs there are, the few that are due say; where
-- many are due, at night or behind a pause, it is hopped from one pair with promised customers to the next: a
-- thousand promises in as many pairs cost that on any day otherwise.
-- A kind without a person is given what was never anybody's own.
-- Promises and their placements are read by keys whatever the planner has heard of the tables' sizes (offset 0):
-- before the first ANALYZE each was joined with all.
-- Who is `held` is stepped over. :even_offered: whoever is no more than offered is named as well, since they may
-- be asked back; who is on a screen or a telephone goes on there, and the next promise is looked at.
with recursive held as materialized (
    select c.customer_id from claim_customer c
     where c.crm_id = :crm_id
       and (not :even_offered
            or (select l.state from lease l where l.crm_id = :crm_id and l.id = c.lease_id) <> 'offered')
    union
    select m.customer_id
      from claim_number n
      join customer_number m on m.crm_id = :crm_id and m.e164 = n.e164
     where n.crm_id = :crm_id
       and (not :even_offered
            or (select l.state from lease l where l.crm_id = :crm_id and l.id = n.lease_id) <> 'offered')
), due as materialized (
    select f.customer_id from follow_up f
     where f.crm_id = :crm_id and f.assignment_id = :assignment_id and f.ended_at is null and f.due_at <= :now
     order by f.due_at, f.id limit :few + 1
), many as materialized (
    select count(*) > :few as are from due
), hop as (
    (select p.segment_id, p.clock_id from placement p
      where p.crm_id = :crm_id and p.assignment_id = :assignment_id
        and p.state = 'follow_up' and p.gated_by is null and (select many.are from many)
      order by p.segment_id, p.clock_id limit 1)
    union all
    select further.segment_id, further.clock_id from hop
     cross join lateral (
        select p.segment_id, p.clock_id from placement p
         where p.crm_id = :crm_id and p.assignment_id = :assignment_id
           and p.state = 'follow_up' and p.gated_by is null
           and (p.segment_id, p.clock_id) > (hop.segment_id, hop.clock_id)
         order by p.segment_id, p.clock_id limit 1) further
), pair as (
    select hop.segment_id, hop.clock_id from hop
    union
    select p.segment_id, p.clock_id
      from due
     cross join lateral (
        select * from placement p
         where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = due.customer_id
        offset 0) p
     where p.state = 'follow_up' and p.gated_by is null and not (select many.are from many)
), door as (
    select * from unnest(cast(:kinds as int[]), cast(:segments as bigint[]), cast(:hours as bigint[]))
                  as t(kind, segment_id, hours)
), own as (
    select mine.*, w.seller_id as owner_id
      from unnest(cast(:sellers as bigint[])) as w(seller_id)
     cross join lateral (
        select f.id, f.customer_id, p.segment_id, p.clock_id, p.due_at
          from (select * from follow_up f
                 where f.crm_id = :crm_id and f.seller_id = w.seller_id
                   and f.ended_at is null and f.due_at <= :now
                 order by f.due_at, f.id offset 0) f
         cross join lateral (
            select * from placement p
             where p.crm_id = :crm_id and p.assignment_id = f.assignment_id and p.customer_id = f.customer_id
            offset 0) p
          join door on door.kind = :any and door.segment_id = p.segment_id
                   and door.hours + p.clock_id = any(cast(:open as bigint[]))
         where f.assignment_id = :assignment_id
           and p.state = 'follow_up' and p.due_at <= :now and p.gated_by is null
           and f.customer_id not in (select held.customer_id from held)
         order by f.due_at, f.id limit 1) mine
), everybodys as (
    select best.*, pair.segment_id, pair.clock_id, asked.most,
           row_number() over (partition by asked.kind order by best.due_at, best.id) as place
      from pair
      join door on door.segment_id = pair.segment_id
               and door.hours + pair.clock_id = any(cast(:open as bigint[]))
      join unnest(cast(:asked as int[]), cast(:people as boolean[]), cast(:mosts as int[]))
           as asked(kind, person, most) on asked.kind = door.kind
     cross join lateral (
        select f.id, p.customer_id, p.due_at
          from placement p
         cross join lateral (
            select * from follow_up f
             where f.crm_id = :crm_id and f.customer_id = p.customer_id and f.ended_at is null
            offset 0) f
         where p.crm_id = :crm_id and p.assignment_id = :assignment_id and f.assignment_id = :assignment_id
           and p.segment_id = pair.segment_id and p.clock_id = pair.clock_id
           and p.state = 'follow_up' and p.gated_by is null and p.due_at <= :now
           and case when f.seller_id is null then asked.person or f.handed_from is null
                    else asked.person and f.anybodys_at <= :now end
           and p.customer_id not in (select held.customer_id from held)
         order by p.due_at, p.customer_id limit asked.most) best
)
select id, customer_id, segment_id, clock_id, due_at, owner_id, false as robots_too from own
union all
select distinct e.id, e.customer_id, e.segment_id, e.clock_id, e.due_at, null::bigint,
       f.seller_id is null and f.handed_from is null
  from everybodys e join follow_up f on f.crm_id = :crm_id and f.id = e.id
 where e.place <= e.most
 order by owner_id nulls last, due_at, id
