"""The statements of the inbox, in the order in which calling/dialers/inbox.py runs them."""

from sqlalchemy import text

JOURNAL = text("""
    insert into dialer_event (crm_id, dialer_id, event_id, lease_id, kind, body, received_at)
    select :crm_id, :dialer_id, t.event_id, t.lease_id, t.kind, t.body, :now
      from unnest(cast(:events as text[]), cast(:leases as uuid[]), cast(:kinds as text[]),
                  cast(:bodies as jsonb[])) as t(event_id, lease_id, kind, body)
     order by t.event_id
    on conflict (crm_id, dialer_id, event_id) do nothing
""")
UNPROCESSED = text("""
    select event_id, lease_id, kind, body, received_at from dialer_event
     where crm_id = :crm_id and dialer_id = :dialer_id and processed_at is null
     order by received_at, event_id limit :batch
""")
LEASES = text("""
    select id, assignment_id, dialer_id, offered_at from lease where crm_id = :crm_id and id = any(:leases)
""")
TAKE = text("""
    with locked as (
        select id from lease where crm_id = :crm_id and id = any(:leases) and state = 'offered'
         order by id for update
    )
    update lease l set state = 'taken', taken_at = t.at
      from locked, unnest(cast(:leases as uuid[]), cast(:times as timestamptz[])) as t(id, at)
     where l.crm_id = :crm_id and l.id = locked.id and l.id = t.id
""")
# A ring is a ring even if it is told after the lease has ended: limits and the gap count it. When it began is
# what the first of its events says, in whatever order they come.
RING = text("""
    with locked as (
        select l.id from lease l
          join unnest(cast(:leases as uuid[]), cast(:times as timestamptz[])) as t(id, at) on t.id = l.id
         where l.crm_id = :crm_id and l.id = any(:leases) and (l.rung_at is null or l.rung_at > t.at)
         order by l.id for update of l
    )
    update lease l
       set rung_at = t.at, taken_at = coalesce(l.taken_at, t.at),
           state = case when l.ended_at is null then 'rung' else l.state end,
           expires_at = t.at + :talk
      from locked, unnest(cast(:leases as uuid[]), cast(:times as timestamptz[])) as t(id, at)
     where l.crm_id = :crm_id and l.id = locked.id and l.id = t.id
    returning l.id
""")
DONE = text("""
    update dialer_event set processed_at = :now, problem = t.problem
      from unnest(cast(:events as text[]), cast(:problems as text[])) as t(event_id, problem)
     where crm_id = :crm_id and dialer_id = :dialer_id and dialer_event.event_id = t.event_id
       and processed_at is null
    returning dialer_event.event_id
""")
