"""Follow-ups: promised calls, with who asked for which time and what became of it.

Revision: 0016, after: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"
OPEN = sa.text("ended_at is null")

# Follow-ups are gone with their table: who waits for one rests until then.
BACK = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        update placement set state = 'resting' where state = 'follow_up';
        update placement set return_state = 'resting' where return_state = 'follow_up';
    end loop;
end $$
"""


def upgrade() -> None:
    op.add_column(
        "assignment",
        sa.Column("follow_up_grace_seconds", sa.BigInteger(), server_default="900", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_assignment_follow_up_grace_seconds"), "assignment", "follow_up_grace_seconds >= 0"
    )
    op.add_column("lease", sa.Column("follow_up_id", sa.BigInteger(), nullable=True))
    op.create_table(
        "follow_up",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wall_time", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("lease_id", sa.Uuid(), nullable=True),
        sa.Column("replaces", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_by", sa.Text(), nullable=True),
        sa.Column("handed_from", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_author", sa.Text(), nullable=True),
        sa.Column("ended_lease_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "made_by in ('seller', 'key_press', 'api', 'hand')", name=op.f("ck_follow_up_made_by")
        ),
        sa.CheckConstraint(
            "ended_by in ('outcome', 'changed', 'cancelled', 'overtaken')", name=op.f("ck_follow_up_ended_by")
        ),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_follow_up_ended")),
        sa.CheckConstraint("(handed_at is null) = (handed_by is null)", name=op.f("ck_follow_up_handed")),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id", "customer_id"],
            ["placement.crm_id", "placement.assignment_id", "placement.customer_id"],
            name=op.f("fk_follow_up_crm_id_assignment_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_follow_up")),
    )
    op.create_index(
        "uq_follow_up_open", "follow_up", ["crm_id", "assignment_id", "customer_id"],
        unique=True, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_index("ix_follow_up_due", "follow_up", ["crm_id", "due_at", "id"], postgresql_where=OPEN)
    op.create_index(
        "ix_follow_up_seller", "follow_up", ["crm_id", "seller_id", "due_at", "id"], postgresql_where=OPEN
    )
    op.create_index("ix_follow_up_customer", "follow_up", ["crm_id", "customer_id", "id"])
    op.execute("grant select, insert, update, delete on follow_up to ringeliste_app")
    op.execute("alter table follow_up enable row level security")
    op.execute("alter table follow_up force row level security")
    op.execute(f"create policy wall on follow_up using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")


def downgrade() -> None:
    op.execute(BACK)
    op.drop_table("follow_up")
    op.drop_column("lease", "follow_up_id")
    op.drop_constraint(op.f("ck_assignment_follow_up_grace_seconds"), "assignment")
    op.drop_column("assignment", "follow_up_grace_seconds")
