"""How a promised call was asked for, so that one on their own wall follows it; what a rezoning moved.

Revision: 0024, after: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

ENDED_BY = "ck_follow_up_ended_by"
BEFORE = "ended_by in ('outcome', 'changed', 'cancelled', 'overtaken')"
NOW = "ended_by in ('outcome', 'changed', 'cancelled', 'overtaken', 'moved')"

# Behind the wall there is one CRM at a time, for the owner as well.
MOVED_WERE_CHANGED = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        update follow_up set ended_by = 'changed' where crm_id = one and ended_by = 'moved';
    end loop;
end $$
"""


def upgrade() -> None:
    # How an older one was asked for nobody has kept. An instant is moved by nothing.
    op.add_column("follow_up", sa.Column("asked_as", sa.Text(), server_default="instant", nullable=False))
    op.alter_column("follow_up", "asked_as", server_default=None)
    op.create_check_constraint(
        op.f("ck_follow_up_asked_as"), "follow_up", "asked_as in ('instant', 'named_zone', 'own_zone')"
    )
    op.drop_constraint(op.f(ENDED_BY), "follow_up")
    op.create_check_constraint(op.f(ENDED_BY), "follow_up", NOW)
    op.create_table(
        "rezoned_promise",
        *(
            sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)
            for name in ("crm_id", "rezoning_id", "follow_up_id")
        ),
        sa.Column("was_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["crm_id", "rezoning_id"], ["rezoning.crm_id", "rezoning.id"],
            name=op.f("fk_rezoned_promise_crm_id_rezoning_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "rezoning_id", "follow_up_id", name=op.f("pk_rezoned_promise")),
    )  # fmt: skip
    op.execute("grant select, insert, update, delete on rezoned_promise to ringeliste_app")
    op.execute("alter table rezoned_promise enable row level security")
    op.execute("alter table rezoned_promise force row level security")
    op.execute(f"create policy wall on rezoned_promise using ({MINE}) with check ({MINE})")


def downgrade() -> None:
    op.drop_table("rezoned_promise")
    op.execute(MOVED_WERE_CHANGED)
    op.drop_constraint(op.f(ENDED_BY), "follow_up")
    op.create_check_constraint(op.f(ENDED_BY), "follow_up", BEFORE)
    op.drop_column("follow_up", "asked_as")
