"""The statements by which calls are promised, changed and taken back, as promising.py and putting.py do."""

from sqlalchemy import text

ZONE = text("select reckoning_zone from customer where crm_id = :crm_id and id = :customer_id")
SELLER = text("select 1 from seller where crm_id = :crm_id and id = :seller_id")
FOLLOW_UP = text("select * from follow_up where crm_id = :crm_id and id = :follow_up_id")
END = text("""
    update follow_up set ended_at = :now, ended_by = :ended_by, ended_author = :author
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = :customer_id
       and ended_at is null
    returning id, seller_id, due_at, anybodys_at, handed_at, handed_by, handed_from,
              otherwise_state, otherwise_due_at
""")
MAKE = text("""
    insert into follow_up (crm_id, assignment_id, customer_id, seller_id, asked_at, wall_time, zone, asked_as,
                           due_at, note, author, made_by, replaces, otherwise_state, otherwise_due_at,
                           anybodys_at, handed_at, handed_by, handed_from, created_at)
    values (:crm_id, :assignment_id, :customer_id, :seller_id, :asked_at, :wall_time, :zone, :asked_as,
            :due_at, :note, :author, :made_by, :replaces, :otherwise_state, :otherwise_due_at,
            :anybodys_at, :handed_at, :handed_by, :handed_from, :now)
    returning id
""")
# Who is on the telephone stays there; what they go back to is the promise.
WAIT = text("""
    update placement
       set state = case when state = 'leased' then state else 'follow_up' end,
           due_at = case when state = 'leased' then due_at else cast(:due_at as timestamptz) end,
           return_state = case when state = 'leased' then 'follow_up' end,
           return_due_at = case when state = 'leased' then cast(:due_at as timestamptz) end
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = :customer_id
""")
_IS = """case when p.attempts >= a.max_attempts then 'closed'
              when t.state = 'resting' and t.due_at <= :now then 'ready' else t.state end"""
# Back to what they would be without it; a rest that is over by now is over, and so are they who have had all
# their attempts.
LET_GO = text(f"""
    update placement p
       set state = case when p.state = 'leased' then p.state else {_IS} end,
           due_at = case when p.state = 'leased' then p.due_at when {_IS} = 'resting' then t.due_at end,
           return_state = case when p.state = 'leased' then {_IS} end,
           return_due_at = case when p.state = 'leased' and {_IS} = 'resting' then t.due_at end
      from (values (cast(:otherwise_state as text), cast(:otherwise_due_at as timestamptz)))
           as t(state, due_at), assignment a
     where a.crm_id = :crm_id and a.id = :assignment_id
       and p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = :customer_id
""")  # noqa: S608 - our own words
