"""Indexes: holds that run out, parts that are not done, the attempts of a segment, zones that are lived by.

Revision: 0011, after: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_hold_expires", "hold", ["crm_id", "assignment_id", "expires_at"],
        postgresql_where=sa.text("expires_at is not null"),
    )  # fmt: skip
    op.drop_index("ix_hold_crm_id_expires_at", "hold")
    op.create_index(
        "ix_bulk_part_undone", "bulk_part", ["crm_id", "action_id", "number"],
        postgresql_where=sa.text("done_at is null"),
    )  # fmt: skip
    op.create_index("ix_attempt_segment", "attempt", ["crm_id", "assignment_id", "segment_id", "lease_id"])
    op.create_index("ix_customer_crm_id_reckoning_zone", "customer", ["crm_id", "reckoning_zone"])


def downgrade() -> None:
    op.drop_index("ix_customer_crm_id_reckoning_zone", "customer")
    op.drop_index("ix_attempt_segment", "attempt")
    op.drop_index("ix_bulk_part_undone", "bulk_part")
    op.create_index(
        "ix_hold_crm_id_expires_at", "hold", ["crm_id", "expires_at"],
        postgresql_where=sa.text("expires_at is not null"),
    )  # fmt: skip
    op.drop_index("ix_hold_expires", "hold")
