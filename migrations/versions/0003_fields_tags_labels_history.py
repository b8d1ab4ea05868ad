"""Fields that say more, tags, labels, the history of segments, and how far time was swept.

Revision: 0003, after: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TENANT = (
    "customer_day", "customer_tag", "unique_value", "label", "segment_event", "segment_move", "sweep",
)  # fmt: skip

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"


def upgrade() -> None:
    op.create_table(
        "customer_day",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("year_day", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["crm_id", "customer_id"],
            ["customer.crm_id", "customer.id"],
            name=op.f("fk_customer_day_crm_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "customer_id", "field", name=op.f("pk_customer_day")),
    )
    op.create_index(
        op.f("ix_customer_day_crm_id_field_day"), "customer_day", ["crm_id", "field", "day"], unique=False
    )
    op.create_index(
        op.f("ix_customer_day_crm_id_field_year_day"),
        "customer_day",
        ["crm_id", "field", "year_day"],
        unique=False,
    )
    op.create_table(
        "customer_tag",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("tagged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source in ('hand', 'import', 'api', 'event', 'rule')", name=op.f("ck_customer_tag_source")
        ),
        sa.ForeignKeyConstraint(
            ["crm_id", "customer_id"],
            ["customer.crm_id", "customer.id"],
            name=op.f("fk_customer_tag_crm_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "customer_id", "tag", name=op.f("pk_customer_tag")),
    )
    op.create_index(
        op.f("ix_customer_tag_crm_id_tag_customer_id"),
        "customer_tag",
        ["crm_id", "tag", "customer_id"],
        unique=False,
    )
    op.create_table(
        "label",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"],
            ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_label_crm_id_assignment_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_label")),
        sa.UniqueConstraint("crm_id", "assignment_id", "key", name=op.f("uq_label_crm_id_assignment_id_key")),
    )
    op.create_table(
        "segment_event",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column("deed", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "deed in ('created', 'renamed', 'ruled', 'reordered', 'paused', 'resumed', "
            "'held', 'freed', 'deleted')",
            name=op.f("ck_segment_event_deed"),
        ),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"],
            ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_segment_event_crm_id_assignment_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_segment_event")),
    )
    op.create_index(
        op.f("ix_segment_event_crm_id_assignment_id_done_at"),
        "segment_event",
        ["crm_id", "assignment_id", "done_at"],
        unique=False,
    )
    op.create_table(
        "segment_move",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("from_segment", sa.BigInteger(), nullable=True),
        sa.Column("to_segment", sa.BigInteger(), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("customers", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint(
            "(cause = 'entered') = (from_segment is null)", name=op.f("ck_segment_move_entered")
        ),
        sa.CheckConstraint(
            "cause in ('entered', 'rule', 'event', 'time', 'hand')", name=op.f("ck_segment_move_cause")
        ),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"],
            ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_segment_move_crm_id_assignment_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_segment_move")),
    )
    op.create_index(
        op.f("ix_segment_move_crm_id_assignment_id_moved_at"),
        "segment_move",
        ["crm_id", "assignment_id", "moved_at"],
        unique=False,
    )
    op.create_table(
        "sweep",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("swept_to", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"],
            ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_sweep_crm_id_assignment_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "assignment_id", name=op.f("pk_sweep")),
    )
    op.create_table(
        "unique_value",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["crm_id", "customer_id"],
            ["customer.crm_id", "customer.id"],
            name=op.f("fk_unique_value_crm_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "field", "value", name=op.f("pk_unique_value")),
    )
    op.create_index(
        op.f("ix_unique_value_crm_id_customer_id"), "unique_value", ["crm_id", "customer_id"], unique=False
    )
    op.add_column(
        "field", sa.Column("required", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "field", sa.Column("is_unique", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("field", sa.Column("pattern", sa.Text(), nullable=True))
    op.add_column(
        "field",
        sa.Column("choices", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column(
        "placement",
        sa.Column(
            "labels", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    for table in TENANT:
        op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
    op.execute("revoke update, delete on segment_move from ringeliste_app")
    op.execute("revoke update, delete on segment_event from ringeliste_app")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")


def downgrade() -> None:
    op.drop_column("placement", "labels")
    op.drop_column("field", "choices")
    op.drop_column("field", "pattern")
    op.drop_column("field", "is_unique")
    op.drop_column("field", "required")
    op.drop_index(op.f("ix_unique_value_crm_id_customer_id"), table_name="unique_value")
    op.drop_table("unique_value")
    op.drop_table("sweep")
    op.drop_index(op.f("ix_segment_move_crm_id_assignment_id_moved_at"), table_name="segment_move")
    op.drop_table("segment_move")
    op.drop_index(op.f("ix_segment_event_crm_id_assignment_id_done_at"), table_name="segment_event")
    op.drop_table("segment_event")
    op.drop_table("label")
    op.drop_index(op.f("ix_customer_tag_crm_id_tag_customer_id"), table_name="customer_tag")
    op.drop_table("customer_tag")
    op.drop_index(op.f("ix_customer_day_crm_id_field_year_day"), table_name="customer_day")
    op.drop_index(op.f("ix_customer_day_crm_id_field_day"), table_name="customer_day")
    op.drop_table("customer_day")
