"""Who took a number or a customer off the do-not-call list.

Revision: 0004, after: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("suppression", sa.Column("lifted_by", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("suppression", "lifted_by")
