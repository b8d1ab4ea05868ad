"""Stricter hours and exemptions; the data that decisions were made by, and what new data did to customers.

Revision: 0014, after: 0013
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TENANT = ("stricter_hours", "exemption", "rezoning", "rezoned_customers")

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

STANDING = sa.text("ended_at is null")
JSON = postgresql.JSONB(astext_type=sa.Text())


def instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def crm_and_id() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
    )


def to(table: str, other: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["crm_id", column], [f"{other}.crm_id", f"{other}.id"], name=op.f(f"fk_{table}_crm_id_{column}")
    )


def upgrade() -> None:
    op.create_table(
        "data_version",
        sa.Column("id", sa.SmallInteger(), sa.Identity(always=False), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("law", "zones", "tzdata", "phonenumbers", "holidays")
        ),
        instant("noted_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_version")),
        sa.UniqueConstraint(
            "law", "zones", "tzdata", "phonenumbers", "holidays",
            name=op.f("uq_data_version_law_zones_tzdata_phonenumbers_holidays"),
        ),
    )  # fmt: skip
    for table in ("lease", "attempt"):
        op.add_column(table, sa.Column("data_version", sa.SmallInteger(), nullable=True))
    op.create_table(
        "stricter_hours",
        *crm_and_id(),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column("week", JSON, nullable=True),
        sa.Column("days", JSON, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        instant("set_at"),
        sa.Column("replaces", sa.BigInteger(), nullable=True),
        instant("walled_at", nullable=True),
        instant("ended_at", nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "segment_id is null or assignment_id is not null", name=op.f("ck_stricter_hours_segment")
        ),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("ck_stricter_hours_time")),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_stricter_hours_ended")),
        to("stricter_hours", "assignment", "assignment_id"),
        to("stricter_hours", "segment", "segment_id"),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_stricter_hours")),
    )
    op.create_index(
        "ix_stricter_hours_standing", "stricter_hours", ["crm_id", "id"], postgresql_where=STANDING
    )
    op.create_table(
        "exemption",
        *crm_and_id(),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("law", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("manager", sa.Text(), nullable=False),
        instant("given_at"),
        instant("ended_at", nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        instant("walled_at", nullable=True),
        sa.CheckConstraint("btrim(manager) <> '' and btrim(reason) <> ''", name=op.f("ck_exemption_named")),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("ck_exemption_time")),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_exemption_ended")),
        to("exemption", "assignment", "assignment_id"),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_exemption")),
    )
    op.create_index("ix_exemption_standing", "exemption", ["crm_id", "id"], postgresql_where=STANDING)
    op.create_table(
        "rezoning",
        *crm_and_id(),
        sa.Column("from_version", sa.SmallInteger(), nullable=True),
        sa.Column("to_version", sa.SmallInteger(), nullable=False),
        instant("started_at"),
        instant("finished_at", nullable=True),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in ("done_to", "customers", "moved", "recalled")
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_rezoning")),
    )
    op.create_index(
        "uq_rezoning_open", "rezoning", ["crm_id"],
        unique=True, postgresql_where=sa.text("finished_at is null"),
    )  # fmt: skip
    op.create_table(
        "rezoned_customers",
        *(
            sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)
            for name in ("crm_id", "rezoning_id", "from_clock", "to_clock")
        ),
        sa.Column("customers", sa.BigInteger(), nullable=False),
        sa.Column("samples", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        to("rezoned_customers", "rezoning", "rezoning_id"),
        sa.PrimaryKeyConstraint(
            "crm_id", "rezoning_id", "from_clock", "to_clock", name=op.f("pk_rezoned_customers")
        ),
    )
    op.execute("grant select, insert, update on data_version to ringeliste_app")
    for table in TENANT:
        op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")


def downgrade() -> None:
    for table in reversed(TENANT):
        op.drop_table(table)
    for table in ("attempt", "lease"):
        op.drop_column(table, "data_version")
    op.drop_table("data_version")
