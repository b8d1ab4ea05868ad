"""The life of a lease: its wrap-up, who took it away and why, whom a dialer connected, who has gone silent.

Revision: 0031, after: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

COLUMNS = {
    "lease": (
        sa.Column("ended_author", sa.Text(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("flagged", sa.Text(), nullable=True),
        sa.Column("connected_seller_id", sa.BigInteger(), nullable=True),
    ),
    "seller": (
        sa.Column("alive_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_lease_id", sa.Uuid(), nullable=True),
    ),
    "assignment": (
        sa.Column("wrap_up_seconds", sa.BigInteger(), nullable=True),
        sa.Column("skip_seconds", sa.BigInteger(), server_default="600", nullable=False),
    ),
}
CHECKS = {"wrap_up_seconds": "wrap_up_seconds > 0", "skip_seconds": "skip_seconds >= 0"}
BEFORE = "ended_by in ('outcome', 'released', 'recalled', 'expired', 'never_seen', 'unconfirmed')"
AFTER = "ended_by in ('outcome', 'released', 'skipped', 'recalled', 'expired', 'never_seen', 'unconfirmed')"


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_assignment_{name}"), "assignment", condition)
    _endings(AFTER)
    # Few of all leases that ever were: what a person looks at, newest last.
    op.create_index(
        "ix_lease_odd_end", "lease", ["crm_id", "ended_by", "id"],
        postgresql_where=sa.text("ended_by in ('skipped', 'unconfirmed')"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_lease_odd_end", "lease")
    op.execute("alter table lease no force row level security")  # or its owner would see no row
    op.execute("update lease set ended_by = 'released' where ended_by = 'skipped'")
    op.execute("alter table lease force row level security")
    _endings(BEFORE)
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_assignment_{name}"), "assignment")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name)


def _endings(condition: str) -> None:
    """A lease may end in these ways. Held against the rows that are there without keeping others out."""
    op.drop_constraint(op.f("ck_lease_ended_by"), "lease")
    op.execute(f"alter table lease add constraint ck_lease_ended_by check ({condition}) not valid")
    op.execute("alter table lease validate constraint ck_lease_ended_by")
