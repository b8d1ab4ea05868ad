"""Who is held in a segment is found by index: a deletion looks for them, also when there is nobody.

Revision: 0013, after: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_hold_segment", "hold", ["crm_id", "assignment_id", "segment_id", "customer_id"])


def downgrade() -> None:
    op.drop_index("ix_hold_segment", "hold")
