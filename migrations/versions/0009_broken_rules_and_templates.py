"""Rules that cannot be read, how far rebuilds are, what rules ask, and where turnover classes begin.

Revision: 0009, after: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TENANT = ("broken_rule", "turnover_classes")

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

# Rules that were published before ask whatever they ask by the types of today. Behind the wall there is one
# CRM at a time, for the owner as well.
THOSE_THERE = """
do $$
declare one bigint; types jsonb;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        select coalesce(jsonb_object_agg(key, type), '{}') into types from field where crm_id = one;
        update segment set asks = types where crm_id = one and rule is not null;
        update label set asks = types where crm_id = one;
        update rebuild set ending = 'done' where crm_id = one and finished_at is not null;
    end loop;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "broken_rule",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("stands_in", sa.BigInteger(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('segment', 'label')", name=op.f("ck_broken_rule_kind")),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"],
            ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_broken_rule_crm_id_assignment_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "assignment_id", "kind", "rule_id", name=op.f("pk_broken_rule")),
    )
    op.create_table(
        "turnover_classes",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("silver", sa.Double(), nullable=False),
        sa.Column("gold", sa.Double(), nullable=False),
        sa.Column("platinum", sa.Double(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("silver < gold and gold < platinum", name=op.f("ck_turnover_classes_ascending")),
        sa.PrimaryKeyConstraint("crm_id", name=op.f("pk_turnover_classes")),
    )
    for table in ("segment", "label"):
        op.add_column(
            table,
            sa.Column(
                "asks",
                postgresql.JSONB(astext_type=sa.Text()),
                server_default=sa.text("'{}'"),
                nullable=False,
            ),
        )
    op.add_column("rebuild", sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("rebuild", sa.Column("differing", sa.BigInteger(), nullable=True))
    op.add_column("rebuild", sa.Column("settled", sa.BigInteger(), nullable=True))
    op.add_column("rebuild", sa.Column("ending", sa.Text(), nullable=True))
    op.execute(THOSE_THERE)
    op.create_check_constraint(op.f("ck_rebuild_ending"), "rebuild", "ending in ('done', 'superseded')")
    op.create_check_constraint(
        op.f("ck_rebuild_ended"), "rebuild", "(ending is null) = (finished_at is null)"
    )
    for table in TENANT:
        op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_rebuild_ended"), "rebuild")
    op.drop_constraint(op.f("ck_rebuild_ending"), "rebuild")
    for column in ("ending", "settled", "differing", "scanned_at"):
        op.drop_column("rebuild", column)
    for table in ("label", "segment"):
        op.drop_column(table, "asks")
    op.drop_table("turnover_classes")
    op.drop_table("broken_rule")
