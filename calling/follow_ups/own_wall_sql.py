"""The statements by which promises follow their wall, as own_wall.py runs them."""

from sqlalchemy import text

# With the offered lease that was to keep it, if there is one. `put_off_to`: until when it waits behind a call
# for it that came to a word, or was given up: by the row that was open then, for the wall has moved others.
# Promises and leases are read by keys whatever the planner guesses of the recursion (offset 0): it read every
# lease of the CRM for each batch of a list.
OPEN = text("""
    with recursive standing as materialized (
        select f.* from unnest(cast(:customers as bigint[])) as w(customer_id)
         cross join lateral (
            select * from follow_up f where f.crm_id = :crm_id and f.customer_id = w.customer_id offset 0) f
         where f.ended_at is null
    ), name as (
        select f.id as of_id, f.id, f.replaces, f.customer_id, f.asked_at, f.due_at, f.created_at, f.ended_at
          from standing f
        union all
        select n.of_id, f.id, f.replaces, f.customer_id, f.asked_at, f.due_at, f.created_at, f.ended_at
          from name n
         cross join lateral (
            select * from follow_up f where f.crm_id = :crm_id and f.id = n.replaces offset 0) f
         where f.ended_by = 'moved' or f.ended_by = 'changed' and f.asked_at = n.asked_at
    ), over as (
        select n.of_id, call.at
          from name n
         cross join lateral (
            select l.id, l.ended_at, l.ended_by from lease l
             where l.crm_id = :crm_id and l.customer_id = n.customer_id and l.follow_up_id = n.id
               and l.ended_at is not null offset 0) l
         cross join lateral (
            select greatest(l.ended_at, max(a.reported_at)) as at, max(a.reported_at) as said_at
              from attempt a where a.crm_id = :crm_id and a.lease_id = l.id) call
         where l.ended_by = 'unconfirmed' or call.said_at is not null
    ), put_off as (
        select distinct on (n.of_id) n.of_id, n.due_at
          from name n
          join over o on o.of_id = n.of_id and o.at >= n.created_at
                     and (n.ended_at is null or o.at <= n.ended_at)
         order by n.of_id, n.id desc
    )
    select f.id, f.assignment_id, f.customer_id, f.asked_at, f.wall_time, f.zone, f.asked_as, f.due_at,
           c.reckoning_zone, p.clock_id, p.segment_id, l.id as offered, w.due_at as put_off_to
      from standing f
      join customer c on c.crm_id = :crm_id and c.id = f.customer_id
      join placement p on p.crm_id = :crm_id and p.assignment_id = f.assignment_id
                      and p.customer_id = f.customer_id
      left join put_off w on w.of_id = f.id
      left join lease l on l.crm_id = :crm_id and l.id = p.lease_id and l.follow_up_id = f.id
                       and l.ended_at is null and l.state = 'offered'
     order by f.customer_id, f.id
""")
END = text("""
    update follow_up set ended_at = :now, ended_by = 'moved', ended_author = :by
     where crm_id = :crm_id and id = any(:ids) and ended_at is null
""")
# Whoever promised it, in whose call: nobody asked anew. What is due when it was is no less waited for.
MAKE = text("""
    insert into follow_up (crm_id, assignment_id, customer_id, seller_id, asked_at, wall_time, zone, asked_as,
                           due_at, note, author, made_by, lease_id, replaces, otherwise_state,
                           otherwise_due_at, anybodys_at, kept_free_until, handed_at, handed_by, handed_from,
                           created_at)
    select :crm_id, f.assignment_id, f.customer_id, f.seller_id, t.asked_at, f.wall_time, t.zone, f.asked_as,
           t.due_at, f.note, f.author, f.made_by, f.lease_id, f.id, f.otherwise_state,
           f.otherwise_due_at, case when t.due_at = f.due_at then f.anybodys_at end,
           case when t.due_at = f.due_at then f.kept_free_until end, f.handed_at, f.handed_by, f.handed_from,
           :now
      from unnest(cast(:ids as bigint[]), cast(:asked_ats as timestamptz[]), cast(:zones as text[]),
                  cast(:due_ats as timestamptz[])) as t(id, asked_at, zone, due_at)
      join follow_up f on f.crm_id = :crm_id and f.id = t.id
     order by f.id
    returning id, replaces
""")
# Who is on the telephone stays there; what they go back to is the promise.
WAIT = text("""
    update placement p
       set due_at = case when p.state = 'follow_up' then t.due_at else p.due_at end,
           return_due_at = case when p.return_state = 'follow_up' then t.due_at else p.return_due_at end
      from unnest(cast(:assignments as bigint[]), cast(:customers as bigint[]),
                  cast(:due_ats as timestamptz[])) as t(assignment_id, customer_id, due_at)
     where p.crm_id = :crm_id and p.assignment_id = t.assignment_id and p.customer_id = t.customer_id
""")
# The same time by another name.
RENAME = text("""
    update follow_up f set zone = t.zone
      from unnest(cast(:ids as bigint[]), cast(:zones as text[])) as t(id, zone)
     where f.crm_id = :crm_id and f.id = t.id and f.ended_at is null
""")
ON_WALLS = text("""
    select f.customer_id, f.asked_at, f.wall_time, f.zone, f.asked_as, c.reckoning_zone
      from follow_up f
      join customer c on c.crm_id = :crm_id and c.id = f.customer_id
     where f.crm_id = :crm_id and f.customer_id = any(:customers) and f.ended_at is null
       and f.asked_as <> 'instant'
""")
