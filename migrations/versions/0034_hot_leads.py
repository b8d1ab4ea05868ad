"""Hot leads: who is to be rung before all others, and which lease was handed out for it.

Revision: 0034, after: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"


def upgrade() -> None:
    op.create_table(
        "hot_lead",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_author", sa.Text(), nullable=True),
        sa.Column("ended_lease_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("ended_by in ('rung', 'closed', 'cooled')", name=op.f("ck_hot_lead_ended_by")),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_hot_lead_ended")),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id", "customer_id"],
            ["placement.crm_id", "placement.assignment_id", "placement.customer_id"],
            name=op.f("fk_hot_lead_crm_id_assignment_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_hot_lead")),
    )
    op.create_index(
        "uq_hot_lead_open", "hot_lead", ["crm_id", "assignment_id", "customer_id"],
        unique=True, postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip
    op.create_index("ix_hot_lead_customer", "hot_lead", ["crm_id", "customer_id", "id"])
    op.execute("grant select, insert, update, delete on hot_lead to ringeliste_app")
    op.execute("alter table hot_lead enable row level security")
    op.execute("alter table hot_lead force row level security")
    op.execute(f"create policy wall on hot_lead using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")
    op.add_column("lease", sa.Column("hot_lead_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("lease", "hot_lead_id")
    op.drop_table("hot_lead")
