"""An outbox of changed customers, written by triggers, for caches of facets.

Revision: 0005, after: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TENANT = ("facet_change", "facet_horizon")

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

# Once a statement, not once a row: a batch of 200 costs one row more.
NOTE_PLACEMENTS = """
create function note_changed_placements() returns trigger language plpgsql as $$
begin
    insert into facet_change (crm_id, xid, assignment_id, customers)
    select crm_id, pg_current_xact_id()::text::bigint, assignment_id, array_agg(customer_id) from changed
     group by crm_id, assignment_id;
    return null;
end $$
"""
NOTE_CUSTOMERS = """
create function note_changed_customers() returns trigger language plpgsql as $$
begin
    insert into facet_change (crm_id, xid, customers)
    select crm_id, pg_current_xact_id()::text::bigint, array_agg(id) from changed group by crm_id;
    return null;
end $$
"""
NOTE_TAGS = """
create function note_changed_tags() returns trigger language plpgsql as $$
begin
    insert into facet_change (crm_id, xid, customers)
    select crm_id, pg_current_xact_id()::text::bigint, array_agg(distinct customer_id) from changed
     group by crm_id;
    return null;
end $$
"""
FUNCTIONS = {
    "note_changed_placements": NOTE_PLACEMENTS,
    "note_changed_customers": NOTE_CUSTOMERS,
    "note_changed_tags": NOTE_TAGS,
}

# A new customer is in no assignment yet, and one with a placement cannot be deleted.
TRIGGERS = (
    ("placement", "insert", "note_changed_placements"),
    ("placement", "update", "note_changed_placements"),
    ("placement", "delete", "note_changed_placements"),
    ("customer", "update", "note_changed_customers"),
    ("customer_tag", "insert", "note_changed_tags"),
    ("customer_tag", "update", "note_changed_tags"),
    ("customer_tag", "delete", "note_changed_tags"),
)


def upgrade() -> None:
    op.create_table(
        "facet_change",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("xid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("customers", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", "xid", "id", name=op.f("pk_facet_change")),
    )
    op.create_table(
        "facet_horizon",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pruned_to", sa.BigInteger(), nullable=False),
        sa.Column("next_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", name=op.f("pk_facet_horizon")),
    )
    for table in TENANT:
        op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")
    for function in FUNCTIONS.values():
        op.execute(function)
    for table, event, function in TRIGGERS:
        rows = "old" if event == "delete" else "new"
        op.execute(
            f"create trigger {function}_{event} after {event} on {table} "
            f"referencing {rows} table as changed for each statement execute function {function}()"
        )


def downgrade() -> None:
    for table, event, function in TRIGGERS:
        op.execute(f"drop trigger {function}_{event} on {table}")
    for function in FUNCTIONS:
        op.execute(f"drop function {function}()")
    op.drop_table("facet_horizon")
    op.drop_table("facet_change")
