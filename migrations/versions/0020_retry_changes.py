"""Who changed a plan of retries, from what to what; and the clock by which a lease was rung.

Revision: 0020, after: 0019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"


def upgrade() -> None:
    op.add_column(
        "assignment", sa.Column("retry_version", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("lease", sa.Column("clock_id", sa.BigInteger(), nullable=True))
    op.create_table(
        "retry_change",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", "assignment_id", "version", name=op.f("pk_retry_change")),
    )
    op.execute("grant select, insert, update, delete on retry_change to ringeliste_app")
    op.execute("alter table retry_change enable row level security")
    op.execute("alter table retry_change force row level security")
    op.execute(f"create policy wall on retry_change using ({MINE}) with check ({MINE})")


def downgrade() -> None:
    op.drop_table("retry_change")
    op.drop_column("lease", "clock_id")
    op.drop_column("assignment", "retry_version")
