"""Why a seller is away, until when, and who said so; every change of it.

Revision: 0023, after: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

COLUMNS = (
    ("away_reason", sa.Text()),
    ("back_at", sa.DateTime(timezone=True)),
    ("off_until", sa.DateTime(timezone=True)),
    ("said_by", sa.Text()),
)
CHECKS = {
    "away_reason": """away_reason in ('break', 'lunch', 'meeting', 'training', 'coaching', 'paperwork',
        'technical', 'off', 'ill', 'holiday', 'leave')""",
    "away": "presence = 'away' or num_nonnulls(away_reason, back_at, off_until) = 0",
}


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("seller", sa.Column(name, kind, nullable=True))
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_seller_{name}"), "seller", condition)
    op.create_table(
        "presence_change",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("presence", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("off_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column("before_presence", sa.Text(), nullable=False),
        sa.Column("before_reason", sa.Text(), nullable=True),
        sa.Column("before_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_presence_change")),
    )
    op.create_index("ix_presence_change_seller", "presence_change", ["crm_id", "seller_id", "id"])
    op.execute("grant select, insert on presence_change to ringeliste_app")
    op.execute("alter table presence_change enable row level security")
    op.execute("alter table presence_change force row level security")
    op.execute(f"create policy wall on presence_change using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")


def downgrade() -> None:
    op.drop_table("presence_change")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_seller_{name}"), "seller")
    for name, _ in COLUMNS:
        op.drop_column("seller", name)
