"""Bulk actions in parts, and what they did to segments; facets learn who has a number.

Revision: 0010, after: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TENANT = ("bulk_action", "bulk_part")

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

BEFORE = ("created", "renamed", "ruled", "reordered", "paused", "resumed", "held", "freed", "deleted")
DEEDS = (*BEFORE[:-1], "released", "woken", "deleted")

NOTE_NUMBERS = """
create function note_changed_numbers() returns trigger language plpgsql as $$
begin
    insert into facet_change (crm_id, xid, customers)
    select crm_id, pg_current_xact_id()::text::bigint, array_agg(distinct customer_id) from changed
     group by crm_id;
    return null;
end $$
"""
EVENTS = {"insert": "new", "update": "new", "delete": "old"}

# Behind the wall there is one CRM at a time, for the owner as well.
FORGET = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        delete from segment_event where deed in ('released', 'woken');
    end loop;
end $$
"""


def allow(deeds: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_segment_event_deed"), "segment_event")
    words = ", ".join(repr(deed) for deed in deeds)
    op.create_check_constraint(op.f("ck_segment_event_deed"), "segment_event", f"deed in ({words})")


def upgrade() -> None:
    op.create_table(
        "bulk_action",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column("of_segment", sa.BigInteger(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("customers", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('hold', 'free', 'release', 'wake')", name=op.f("ck_bulk_action_kind")),
        sa.CheckConstraint(
            "(kind in ('hold', 'free')) = (segment_id is not null)", name=op.f("ck_bulk_action_segment")
        ),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_bulk_action_crm_id_assignment_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_bulk_action")),
    )  # fmt: skip
    op.create_index(
        "ix_bulk_action_open",
        "bulk_action",
        ["crm_id", "id"],
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_table(
        "bulk_part",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("action_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customers", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["crm_id", "action_id"], ["bulk_action.crm_id", "bulk_action.id"],
            name=op.f("fk_bulk_part_crm_id_action_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "action_id", "number", name=op.f("pk_bulk_part")),
    )  # fmt: skip
    for table in TENANT:
        op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")
    allow(DEEDS)
    op.execute(NOTE_NUMBERS)
    for event, rows in EVENTS.items():
        op.execute(
            f"create trigger note_changed_numbers_{event} after {event} on customer_number "
            f"referencing {rows} table as changed for each statement execute function note_changed_numbers()"
        )


def downgrade() -> None:
    for event in EVENTS:
        op.execute(f"drop trigger note_changed_numbers_{event} on customer_number")
    op.execute("drop function note_changed_numbers()")
    op.execute(FORGET)
    allow(BEFORE)
    op.drop_table("bulk_part")
    op.drop_table("bulk_action")
