"""What was told and could not be used: kept until somebody has looked at it.

Revision: 0030, after: 0029
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"


def upgrade() -> None:
    op.create_table(
        "set_aside",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("told_id", sa.Text(), nullable=False),
        sa.Column("dialer_id", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("lease_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("(seen_at is null) = (seen_by is null)", name=op.f("ck_set_aside_seen")),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_set_aside")),
        sa.UniqueConstraint("crm_id", "told_id", name=op.f("uq_set_aside_crm_id_told_id")),
    )
    op.create_index(
        "ix_set_aside_unseen", "set_aside", ["crm_id", "id"], postgresql_where=sa.text("seen_at is null")
    )
    op.execute("grant select, insert, update, delete on set_aside to ringeliste_app")
    op.execute("alter table set_aside enable row level security")
    op.execute("alter table set_aside force row level security")
    op.execute(f"create policy wall on set_aside using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")


def downgrade() -> None:
    op.drop_table("set_aside")
