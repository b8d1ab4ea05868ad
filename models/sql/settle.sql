-- The placements of one batch of outcomes, as calling/settling.py worked them out, in one statement.
-- The rows were locked in key order by a statement before this one.
update placement p
   set state = t.state, due_at = t.due_at, status = t.status, attempts = t.attempts,
       lease_id = t.lease_id, return_state = t.return_state, return_due_at = t.return_due_at,
       last_outcome = t.last_outcome, last_attempt_at = t.last_attempt_at, last_lease_id = t.last_lease_id
  from unnest(
        cast(:assignments as bigint[]), cast(:customers as bigint[]),
        cast(:state_s as text[]), cast(:due_at_s as timestamptz[]), cast(:status_s as text[]),
        cast(:attempts_s as smallint[]), cast(:lease_id_s as uuid[]), cast(:return_state_s as text[]),
        cast(:return_due_at_s as timestamptz[]), cast(:last_outcome_s as text[]),
        cast(:last_attempt_at_s as timestamptz[]), cast(:last_lease_id_s as uuid[])
       ) as t(assignment_id, customer_id, state, due_at, status, attempts, lease_id, return_state,
              return_due_at, last_outcome, last_attempt_at, last_lease_id)
 where p.crm_id = :crm_id and p.assignment_id = t.assignment_id and p.customer_id = t.customer_id
