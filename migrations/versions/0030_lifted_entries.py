"""Entries of the do-not-call list that were lifted are found without those that stand.

Revision: 0030, after: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_suppression_lifted", "suppression", ["crm_id", "id"],
        postgresql_where=sa.text("lifted_at is not null"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_suppression_lifted", "suppression")
