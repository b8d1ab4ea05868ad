"""Follow-ups: what a customer would be without it, when its grace is over, and indexes of their own.

Revision: 0017, after: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at is null")
WAITING = sa.text("state in ('resting', 'follow_up')")

# Who was closed by their attempts, or by a final word, before they were promised a call is closed without it;
# the walls stand, so a CRM at a time.
CLOSED = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        update follow_up f set otherwise_state = 'closed'
          from placement p join assignment a on a.crm_id = p.crm_id and a.id = p.assignment_id
         where f.crm_id = one and f.ended_at is null
           and p.crm_id = one and p.assignment_id = f.assignment_id and p.customer_id = f.customer_id
           and (p.attempts >= a.max_attempts or p.last_outcome in ('sale', 'no_sale', 'do_not_call'));
    end loop;
end $$
"""


def upgrade() -> None:
    op.add_column(
        "follow_up", sa.Column("otherwise_state", sa.Text(), server_default="ready", nullable=False)
    )
    op.add_column("follow_up", sa.Column("otherwise_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("follow_up", sa.Column("anybodys_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("follow_up", sa.Column("kept_free_until", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_follow_up_otherwise_state"), "follow_up", "otherwise_state in ('ready', 'resting', 'closed')"
    )
    op.execute(CLOSED)
    op.drop_index("ix_follow_up_due", "follow_up")
    op.create_index(
        "ix_follow_up_due", "follow_up", ["crm_id", "assignment_id", "due_at", "id"], postgresql_where=OPEN
    )
    op.create_index(
        "ix_follow_up_kept_free", "follow_up", ["crm_id", "kept_free_until"],
        postgresql_where=sa.text("ended_at is null and kept_free_until is not null"),
    )  # fmt: skip
    op.drop_index("ix_placement_due", "placement")
    op.create_index("ix_placement_due", "placement", ["crm_id", "state", "due_at"], postgresql_where=WAITING)
    op.create_index(
        "ix_placement_promised", "placement",
        ["crm_id", "assignment_id", "segment_id", "clock_id", "due_at", "customer_id"],
        postgresql_where=sa.text("state = 'follow_up' and gated_by is null"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_placement_promised", "placement")
    op.drop_index("ix_placement_due", "placement")
    op.create_index("ix_placement_due", "placement", ["crm_id", "due_at"], postgresql_where=WAITING)
    op.drop_index("ix_follow_up_kept_free", "follow_up")
    op.drop_index("ix_follow_up_due", "follow_up")
    op.create_index("ix_follow_up_due", "follow_up", ["crm_id", "due_at", "id"], postgresql_where=OPEN)
    op.drop_constraint(op.f("ck_follow_up_otherwise_state"), "follow_up")
    for column in ("kept_free_until", "anybodys_at", "otherwise_due_at", "otherwise_state"):
        op.drop_column("follow_up", column)
