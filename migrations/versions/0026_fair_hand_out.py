"""What a call came to in the end, read in one place; since when a seller waits for a customer.

Revision: 0026, after: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# The facts of the call are its first row's, so that what is completed or corrected next week counts in the
# hour in which it was rung; what it came to is the last row's. Without a grouping, so that the planner may
# ask a few calls by key, and join a million. A call whose last word was taken back is none.
IN_FORCE = """
create view attempt_in_force with (security_invoker = true) as
select a.crm_id, a.lease_id, a.assignment_id, a.customer_id, a.segment_id, a.e164, a.zone, a.rung_at,
       a.reported_at, coalesce(last.outcome, a.outcome) as outcome
  from attempt a
  left join (
      select l.crm_id, l.lease_id, l.kind, l.outcome from attempt l
       where l.revision > 0
         and not exists (select from attempt later
                          where later.crm_id = l.crm_id and later.lease_id = l.lease_id
                            and later.revision > l.revision)
  ) last on last.crm_id = a.crm_id and last.lease_id = a.lease_id
 where a.revision = 0 and last.kind is distinct from 'undo'
"""


def upgrade() -> None:
    op.execute(IN_FORCE)
    op.execute("grant select on attempt_in_force to ringeliste_app")
    op.add_column("seller", sa.Column("asked_in_vain_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("seller", "asked_in_vain_at")
    op.execute("drop view attempt_in_force")
