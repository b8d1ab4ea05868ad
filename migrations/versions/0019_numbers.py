"""Numbers: their kind and unanswered calls, which is rung when; zones that somebody vouches for.

Revision: 0019, after: 0018
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"
NEW = ("zone_verification", "number_plan_change")
CHECKS = {
    "kind": "kind in ('home', 'work', 'mobile', 'other')",
    "kind_by": "kind_by in ('hand', 'list', 'plan')",
    "kind_said": "(kind is null) = (kind_by is null)",
}


# Facets ask of a number whether it is callable, and nothing else: calls that are counted are no news to them.
NOTE_STATES = """
create function note_changed_number_states() returns trigger language plpgsql as $$
begin
    insert into facet_change (crm_id, xid, customers)
    select n.crm_id, pg_current_xact_id()::text::bigint, array_agg(distinct n.customer_id)
      from changed n left join was o using (crm_id, customer_id, e164)
     where n.state is distinct from o.state
     group by n.crm_id;
    return null;
end $$
"""
ON_STATES = """
create trigger note_changed_numbers_update after update on customer_number
referencing old table as was new table as changed
for each statement execute function note_changed_number_states()
"""
ON_ANYTHING = """
create trigger note_changed_numbers_update after update on customer_number
referencing new table as changed for each statement execute function note_changed_numbers()
"""
DROP = "drop trigger note_changed_numbers_update on customer_number"


def upgrade() -> None:
    for statement in (NOTE_STATES, DROP, ON_STATES):
        op.execute(statement)
    op.add_column("customer_number", sa.Column("kind", sa.Text(), nullable=True))
    op.add_column("customer_number", sa.Column("kind_by", sa.Text(), nullable=True))
    op.add_column(
        "customer_number", sa.Column("unanswered", sa.SmallInteger(), server_default="0", nullable=False)
    )
    for name, rule in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_customer_number_{name}"), "customer_number", rule)
    op.add_column(
        "customer",
        sa.Column("numbers_by_hand", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_customer_zone_unknown", "customer", ["crm_id", "id"],
        postgresql_where=sa.text("reckoning_zone = 'Etc/UTC' and anonymised_at is null"),
    )  # fmt: skip
    op.add_column(
        "assignment",
        sa.Column("number_plan", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("lease", sa.Column("number_kind", sa.Text(), nullable=True))
    op.add_column("attempt", sa.Column("number_kind", sa.Text(), nullable=True))
    _zone_verification()
    _number_plan_change()
    for table in NEW:
        op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")


def _zone_verification() -> None:
    op.create_table(
        "zone_verification",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("contradicts", sa.Boolean(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(ended_at is null) = (ended_by is null)", name=op.f("ck_zone_verification_ended")
        ),
        sa.ForeignKeyConstraint(
            ["crm_id", "customer_id"],
            ["customer.crm_id", "customer.id"],
            name=op.f("fk_zone_verification_crm_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_zone_verification")),
    )
    op.create_index(
        "uq_zone_verification_standing", "zone_verification", ["crm_id", "customer_id"],
        unique=True, postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip
    op.create_index(
        op.f("ix_zone_verification_crm_id_customer_id_id"),
        "zone_verification",
        ["crm_id", "customer_id", "id"],
    )


def _number_plan_change() -> None:
    op.create_table(
        "number_plan_change",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("plan", postgresql.JSONB(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"],
            ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_number_plan_change_crm_id_assignment_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_number_plan_change")),
    )
    op.create_index(
        op.f("ix_number_plan_change_crm_id_assignment_id_id"),
        "number_plan_change",
        ["crm_id", "assignment_id", "id"],
    )


def downgrade() -> None:
    for statement in (DROP, ON_ANYTHING, "drop function note_changed_number_states()"):
        op.execute(statement)
    for table in NEW:
        op.drop_table(table)
    op.drop_column("attempt", "number_kind")
    op.drop_column("lease", "number_kind")
    op.drop_column("assignment", "number_plan")
    op.drop_index("ix_customer_zone_unknown", "customer")
    op.drop_column("customer", "numbers_by_hand")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_customer_number_{name}"), "customer_number")
    for column in ("unanswered", "kind_by", "kind"):
        op.drop_column("customer_number", column)
