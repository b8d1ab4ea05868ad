"""Assignments may call first where customers answer best at the hour.

Revision: 0021, after: 0020
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"


def upgrade() -> None:
    op.create_table(
        "best_hours",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ordering", sa.Boolean(), nullable=False),
        sa.Column("lifts", postgresql.JSONB(), nullable=True),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", "assignment_id", name=op.f("pk_best_hours")),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_best_hours_crm_id_assignment_id"),
        ),
    )  # fmt: skip
    op.execute("grant select, insert, update, delete on best_hours to ringeliste_app")
    op.execute("alter table best_hours enable row level security")
    op.execute("alter table best_hours force row level security")
    op.execute(f"create policy wall on best_hours using ({MINE}) with check ({MINE})")


def downgrade() -> None:
    op.drop_table("best_hours")
