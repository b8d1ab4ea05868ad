"""The statements of a rezoning, in the order in which calling/customers/rezoning.py runs them."""

from sqlalchemy import text

OPEN = text("""
    select id, from_version, to_version, done_to from rezoning where crm_id = :crm_id and finished_at is null
""")
LAST = text("""
    select to_version from rezoning where crm_id = :crm_id and finished_at is not null
     order by id desc limit 1
""")
# Two who begin at once begin one.
BEGIN = text("""
    insert into rezoning (crm_id, from_version, to_version, started_at)
    values (:crm_id, :from_version, :to_version, :now)
    on conflict (crm_id) where finished_at is null do nothing
""")
# Whom the data before have moved already has to be looked at as well: from nothing that is known.
BEGIN_ANEW = text("""
    update rezoning set to_version = :to_version, from_version = null, done_to = 0, customers = 0
     where crm_id = :crm_id and id = :id and finished_at is null
""")
NEXT = text("""
    select c.id, c.verified_zone, c.place, c.reckoning_zone, k.key as clock,
           coalesce(n.numbers, '{}') as numbers, coalesce(n.zones, '{}') as zones
      from (select * from customer
             where crm_id = :crm_id and anonymised_at is null
               and id > (select done_to from rezoning
                          where crm_id = :crm_id and id = :id and to_version = :mine and finished_at is null)
             order by id limit :most) c
      join call_clock k on k.id = c.clock_id
      left join lateral (
           select array_agg(m.e164 order by m.position, m.e164) as numbers,
                  array_agg(array_to_string(m.zones, ',') order by m.position, m.e164) as zones
             from customer_number m where m.crm_id = :crm_id and m.customer_id = c.id) n on true
     order by c.id
""")
LOCK = text("""
    select 1 from customer where crm_id = :crm_id and id = any(:customers) order by id for no key update
""")
CLOCKS = text("select id, clock_id from customer where crm_id = :crm_id and id = any(:customers)")
NUMBERS = text("""
    select distinct e164 from customer_number where crm_id = :crm_id and customer_id = any(:customers)
     order by e164
""")
WRITE_ZONES = text("""
    update customer_number m set zones = string_to_array(t.zones, ',')
      from unnest(cast(:numbers as text[]), cast(:zones as text[])) as t(e164, zones)
     where m.crm_id = :crm_id and m.customer_id = any(:customers) and m.e164 = t.e164
       and m.zones is distinct from string_to_array(t.zones, ',')
""")
PLACES = text("""
    select distinct place from customer
     where crm_id = :crm_id and id = any(:customers) and place is not null order by place
""")
RENAME_PLACE = text("""
    update customer set place = :name, updated_at = :now
     where crm_id = :crm_id and id = any(:customers) and place = :place
""")
# At most five samples of each kind of move, the first ones that were found.
TELL = text("""
    with told as (
        select t.clock_id as from_clock, c.clock_id as to_clock, array_agg(c.id order by c.id) as customers
          from unnest(cast(:customers as bigint[]), cast(:clocks as bigint[])) as t(id, clock_id)
          join customer c on c.crm_id = :crm_id and c.id = t.id and c.clock_id <> t.clock_id
         group by t.clock_id, c.clock_id
    ), written as (
        insert into rezoned_customers as r (crm_id, rezoning_id, from_clock, to_clock, customers, samples)
        select :crm_id, :id, from_clock, to_clock, cardinality(customers), customers[1:5] from told
         order by from_clock, to_clock
        on conflict (crm_id, rezoning_id, from_clock, to_clock) do update
           set customers = r.customers + excluded.customers,
               samples = (r.samples || excluded.samples)[1:5]
    )
    update rezoning set moved = moved + (select coalesce(sum(cardinality(customers)), 0) from told)
     where crm_id = :crm_id and id = :id
""")
# What stood before is told of once, also if another edition has begun it anew.
PROMISES = text("""
    insert into rezoned_promise (crm_id, rezoning_id, follow_up_id, was_due_at, due_at, moved)
    select :crm_id, :id, t.follow_up_id, t.was_due_at, t.due_at, t.moved
      from unnest(cast(:follow_ups as bigint[]), cast(:was_due_ats as timestamptz[]),
                  cast(:due_ats as timestamptz[]), cast(:moved as boolean[]))
           as t(follow_up_id, was_due_at, due_at, moved)
    on conflict (crm_id, rezoning_id, follow_up_id) do nothing
""")
# Whoever looked at the same customers beside us, or before a crash, has counted them already.
DONE_TO = text("""
    update rezoning z
       set done_to = :done_to,
           customers = z.customers + (select count(*) from customer c
                                       where c.crm_id = :crm_id and c.anonymised_at is null
                                         and c.id > z.done_to and c.id <= :done_to)
     where z.crm_id = :crm_id and z.id = :id and z.done_to < :done_to
       and z.to_version = :mine and z.finished_at is null
""")
FINISH = text("""
    update rezoning set finished_at = coalesce(finished_at, :now), recalled = greatest(recalled, :recalled)
     where crm_id = :crm_id and id = :id and to_version = :mine
    returning customers, moved, recalled,
              (select count(*) from rezoned_promise r
                where r.crm_id = :crm_id and r.rezoning_id = :id and r.moved) as promises
""")
ASSIGNMENTS = text("select id from assignment where crm_id = :crm_id order by id")
