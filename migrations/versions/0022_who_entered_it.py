"""Who entered an exemption is kept beside the manager who answers for it.

Revision: 0022, after: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# As far as anybody knows, whoever answers for an older one entered it.
TABLES = ("exemption", "register_exemption")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("author", sa.Text(), nullable=True))
        op.execute(f"update {table} set author = manager")  # noqa: S608 - our own words
        op.alter_column(table, "author", nullable=False)


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "author")
