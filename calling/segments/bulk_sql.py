"""The statements of bulk actions (calling/segments/bulk.py)."""

from sqlalchemy import text

BEGIN = text("""
    insert into bulk_action (crm_id, assignment_id, kind, segment_id, of_segment, what, author, reason,
                             expires_at, customers, begun_at)
    values (:crm_id, :assignment_id, :kind, :segment_id, :of_segment, :what, :author, :reason, :expires_at,
            :customers, :now)
    returning id
""")
PARTS = text("""
    insert into bulk_part (crm_id, action_id, number, customers)
    select :crm_id, :action_id, (t.n - 1) / :size, array_agg(t.customer order by t.n)
      from unnest(cast(:customers as bigint[])) with ordinality as t(customer, n)
     group by (t.n - 1) / :size
""")
FIND = text("select * from bulk_action where crm_id = :crm_id and id = :action_id")
DONE_SO_FAR = text("""
    select coalesce(sum(cardinality(customers)), 0) from bulk_part
     where crm_id = :crm_id and action_id = :action_id and done_at is not null
""")
TAKE = text("""
    select number, customers from bulk_part
     where crm_id = :crm_id and action_id = :action_id and done_at is null
     order by number limit 1 for update skip locked
""")
CROSS_OFF = text("""
    update bulk_part set done_at = :now, changed = :changed
     where crm_id = :crm_id and action_id = :action_id and number = :number
""")
# Waits for whoever is at the last parts; what they did not commit comes back.
LEFT = text("""
    select number from bulk_part
     where crm_id = :crm_id and action_id = :action_id and done_at is null order by number for update
""")
FINISH = text("""
    update bulk_action
       set finished_at = :now, problem = :problem,
           changed = (select coalesce(sum(changed), 0) from bulk_part
                       where crm_id = :crm_id and action_id = :action_id)
     where crm_id = :crm_id and id = :action_id and finished_at is null
    returning *
""")
FORGET = text("delete from bulk_part where crm_id = :crm_id and action_id = :action_id")
ACTIONS = text("""
    select a.id, a.kind, a.segment_id, a.of_segment, a.what, a.author, a.reason, a.expires_at, a.customers,
           a.begun_at, a.finished_at, a.changed, a.problem,
           case when a.finished_at is null then (
               select coalesce(sum(cardinality(p.customers)), 0) from bulk_part p
                where p.crm_id = :crm_id and p.action_id = a.id and p.done_at is not null)
           else a.customers end as done
      from bulk_action a
     where a.crm_id = :crm_id and a.assignment_id = :assignment_id and a.id > :after
       and (not :open or a.finished_at is null)
     order by a.id limit :most
""")
OPEN = text("select id from bulk_action where crm_id = :crm_id and finished_at is null order by id")
