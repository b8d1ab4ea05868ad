"""The statements by which outcomes make, keep and consume promises, as by_outcome.py runs them."""

from sqlalchemy import text

# Open ones of who waits for one, and what the first word on these calls has ended. `names`: the promise
# itself, and what it was before its note or its owner was changed, or the wall had moved it away and back.
# `walls`: what it was at other times, before the wall moved it.
STANDING = text("""
    with recursive standing as (
        select f.*, null::uuid as over from follow_up f
         where f.crm_id = :crm_id and f.customer_id = any(:waiting) and f.ended_at is null
        union all
        select f.*, f.ended_lease_id from follow_up f
         where f.crm_id = :crm_id and f.customer_id = any(:completed) and f.ended_by = 'outcome'
           and f.ended_lease_id = any(:leases)
    ), name as (
        select s.id as of_id, s.id, s.replaces, s.asked_at from standing s
        union all
        select n.of_id, f.id, f.replaces, f.asked_at
          from name n
          join follow_up f on f.crm_id = :crm_id and f.id = n.replaces
                          and (f.ended_by = 'moved' or f.ended_by = 'changed' and f.asked_at = n.asked_at)
    )
    select s.id, s.assignment_id, s.customer_id, s.asked_at, s.due_at, s.over, s.otherwise_state,
           s.otherwise_due_at, n.names, coalesce(n.walls, '{}') as walls
      from standing s
      cross join lateral (select array_agg(n.id) filter (where n.asked_at = s.asked_at) as names,
                                 array_agg(n.id) filter (where n.asked_at <> s.asked_at) as walls
                            from name n where n.of_id = s.id) n
     order by s.over is null, s.id
""")
END = text("""
    update follow_up f
       set ended_at = :now, ended_by = 'outcome', ended_author = t.author, ended_lease_id = t.lease_id
      from unnest(cast(:ids as bigint[]), cast(:leases as uuid[]), cast(:authors as text[]))
           as t(id, lease_id, author)
     where f.crm_id = :crm_id and f.id = t.id and f.ended_at is null
""")
# Their placements are locked and were read before: who is here stands, or stands again.
STAY = text("""
    update follow_up f
       set due_at = t.due_at, otherwise_state = t.otherwise_state, otherwise_due_at = t.otherwise_due_at,
           anybodys_at = case when f.ended_at is null and f.due_at = t.due_at then f.anybodys_at end,
           ended_at = null, ended_by = null, ended_author = null, ended_lease_id = null
      from unnest(cast(:ids as bigint[]), cast(:dues as timestamptz[]), cast(:states as text[]),
                  cast(:state_dues as timestamptz[])) as t(id, due_at, otherwise_state, otherwise_due_at)
     where f.crm_id = :crm_id and f.id = t.id
""")
MAKE = text("""
    insert into follow_up (crm_id, assignment_id, customer_id, seller_id, asked_at, wall_time, zone, asked_as,
                           due_at, note, author, made_by, lease_id, replaces, otherwise_state,
                           otherwise_due_at, created_at, ended_at, ended_by, ended_lease_id)
    select :crm_id, t.assignment_id, t.customer_id, t.seller_id, t.asked_at, t.wall_time, t.zone, t.asked_as,
           t.due_at, t.note, coalesce(s.name, t.made_by), t.made_by, t.lease_id, t.replaces,
           t.otherwise_state, t.otherwise_due_at, :now,
           case when t.ended_by is not null then cast(:now as timestamptz) end, t.ended_by, t.ended_lease_id
      from unnest(
            cast(:assignment_ids as bigint[]), cast(:customer_ids as bigint[]),
            cast(:seller_ids as bigint[]), cast(:rung_bys as bigint[]), cast(:asked_ats as timestamptz[]),
            cast(:wall_times as text[]), cast(:zones as text[]), cast(:asked_ass as text[]),
            cast(:due_ats as timestamptz[]),
            cast(:notes as text[]), cast(:made_bys as text[]), cast(:lease_ids as uuid[]),
            cast(:replacess as bigint[]), cast(:otherwise_states as text[]),
            cast(:otherwise_due_ats as timestamptz[]), cast(:ended_bys as text[]),
            cast(:ended_lease_ids as uuid[])
           ) as t(assignment_id, customer_id, seller_id, rung_by, asked_at, wall_time, zone, asked_as, due_at,
                  note, made_by, lease_id, replaces, otherwise_state, otherwise_due_at, ended_by,
                  ended_lease_id)
      left join seller s on s.crm_id = :crm_id and s.id = t.rung_by
    returning id, lease_id
""")
