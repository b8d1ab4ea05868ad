"""The statements by which hot leads are made, watched and ended."""

from sqlalchemy import text

from calling.handout.hot import SERVED_BY

ASSIGNMENT = text("select 1 from assignment where crm_id = :crm_id and id = :assignment_id")
# Who has them, to be told; the lease may go on meanwhile, and is looked at again by whoever recalls it.
HELD = text("""
    select l.id, l.customer_id, l.state, coalesce(s.name, 'dialer ' || d.name) as holder
      from lease l
      left join seller s on s.crm_id = :crm_id and s.id = l.seller_id
      left join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
     where l.crm_id = :crm_id and l.id = any(cast(:leases as uuid[])) and l.ended_at is null
     order by l.id
""")
MAKE = text("""
    insert into hot_lead (crm_id, assignment_id, customer_id, reason, author, made_at)
    select :crm_id, :assignment_id, t.customer_id, :reason, :author, :now
      from unnest(cast(:customers as bigint[])) as t(customer_id) order by t.customer_id
    on conflict (crm_id, assignment_id, customer_id) where ended_at is null do nothing
""")
OPEN = text("""
    select id, customer_id from hot_lead
     where crm_id = :crm_id and assignment_id = :assignment_id and ended_at is null
       and customer_id = any(cast(:customers as bigint[]))
""")
# Whoever has gone back to a rest meanwhile rests no longer, either.
READY = text("""
    update placement
       set state = case when state = 'resting' then 'ready' else state end,
           due_at = case when state <> 'resting' then due_at end,
           return_state = case when return_state = 'resting' then 'ready' else return_state end,
           return_due_at = case when return_state <> 'resting' then return_due_at end
     where crm_id = :crm_id and assignment_id = :assignment_id
       and customer_id = any(cast(:customers as bigint[])) and 'resting' in (state, return_state)
""")
PROMISED = text("""
    select customer_id, seller_id, note from follow_up
     where crm_id = :crm_id and assignment_id = :assignment_id and ended_at is null
       and customer_id = any(cast(:customers as bigint[]))
""")
ANYBODYS = text("""
    update follow_up set anybodys_at = :now
     where crm_id = :crm_id and assignment_id = :assignment_id and ended_at is null
       and customer_id = any(cast(:customers as bigint[])) and seller_id is not null
""")
LOCK = text("""
    select id, assignment_id, ended_at, ended_by from hot_lead
     where crm_id = :crm_id and id = :id for no key update
""")
COOL = text("""
    update hot_lead set ended_at = :now, ended_by = 'cooled', ended_author = :author
     where crm_id = :crm_id and id = :id
""")
WHERE = text("""
    select distinct assignment_id from hot_lead where crm_id = :crm_id and ended_at is null
     order by assignment_id
""")
# A call has reached them and is over, or they are called no more. While it lasts, a number may still turn out
# to be wrong.
END = text(f"""
    with over as (
        select h.id, p.state in ('closed', 'left', 'anonymised') as closed,
               (select s.id from ({SERVED_BY}) s where s.ended_at is not null
                 order by s.id limit 1) as lease_id
          from hot_lead h
         cross join lateral (
            select * from placement p
             where p.crm_id = :crm_id and p.assignment_id = h.assignment_id and p.customer_id = h.customer_id
            offset 0) p
         where h.crm_id = :crm_id and h.assignment_id = :assignment_id and h.ended_at is null
           and (cast(:customers as bigint[]) is null or h.customer_id = any(cast(:customers as bigint[])))
    )
    update hot_lead h
       set ended_at = :now, ended_by = case when o.lease_id is null then 'closed' else 'rung' end,
           ended_lease_id = o.lease_id
      from over o
     where h.crm_id = :crm_id and h.id = o.id and h.ended_at is null and (o.closed or o.lease_id is not null)
""")  # noqa: S608 - our own words
# What an earlier call came to was told since, and put them to rest: whoever asked later is rung all the same.
RESTING = text(f"""
    select h.customer_id
      from hot_lead h
     cross join lateral (
        select * from placement p
         where p.crm_id = :crm_id and p.assignment_id = h.assignment_id and p.customer_id = h.customer_id
        offset 0) p
      join lease last on last.crm_id = :crm_id and last.id = p.last_lease_id
     where h.crm_id = :crm_id and h.assignment_id = :assignment_id and h.ended_at is null
       and 'resting' in (p.state, p.return_state) and p.last_attempt_at >= h.made_at
       and coalesce(last.rung_at, last.offered_at) < h.made_at and last.hot_lead_id is distinct from h.id
       and not exists ({SERVED_BY})
     order by h.customer_id
""")  # noqa: S608 - our own words
# They lie in a list as one of many, or were sent out so: a crash came between, or they were dealt at that
# very moment.
OFFERED = text("""
    select l.id
      from hot_lead h
     cross join lateral (
        select * from placement p
         where p.crm_id = :crm_id and p.assignment_id = h.assignment_id and p.customer_id = h.customer_id
        offset 0) p
      join lease l on l.crm_id = :crm_id and l.id = p.lease_id
     where h.crm_id = :crm_id and h.assignment_id = :assignment_id and h.ended_at is null
       and l.ended_at is null and l.state = 'offered' and l.follow_up_id is null and l.hot_lead_id is null
       and not exists (select from recall r where r.crm_id = :crm_id and r.lease_id = l.id)
     order by l.id
""")
