"""Lifted entries of the do-not-call list, and the last rings of an assignment, are found by an index.

Revision: 0029, after: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_suppression_lifted", "suppression", ["crm_id", "id"],
        postgresql_where=sa.text("lifted_at is not null"),
    )  # fmt: skip
    op.create_index(
        "ix_lease_assignment_rings", "lease", ["crm_id", "assignment_id", "rung_at"],
        postgresql_where=sa.text("rung_at is not null"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_lease_assignment_rings", "lease")
    op.drop_index("ix_suppression_lifted", "suppression")
