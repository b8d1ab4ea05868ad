"""How often somebody may be rung: own limits and their changes, rings that can be counted. Plans of retries.

Revision: 0015, after: 0014
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TENANT = ("call_limit", "limit_change")

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

# An assignment's own rest after an outcome is a plan that always rests so long. Rests after outcomes that
# close were never obeyed. Behind the wall there is one CRM at a time, for the owner as well.
PLANS = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        update assignment a set retry_plan = coalesce((
            select jsonb_object_agg(r.key, jsonb_build_object(
                       'delay', r.value, 'growth', 1, 'jitter', 0, 'other_part', false))
              from jsonb_each(a.retry_seconds) r
             where r.key in ('answered', 'no_answer', 'busy', 'machine', 'congestion', 'failed', 'abandoned')
            ), '{}')
         where crm_id = one;
    end loop;
end $$
"""
SECONDS = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        update assignment a set retry_seconds = coalesce((
            select jsonb_object_agg(p.key, p.value -> 'delay') from jsonb_each(a.retry_plan) p
             where p.value ? 'delay'), '{}')
         where crm_id = one;
    end loop;
end $$
"""


def _own_id() -> list[sa.Column[int]]:
    return [
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "call_limit",
        *_own_id(),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=True),
        sa.Column("days", sa.BigInteger(), nullable=True),
        sa.Column("after", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("scope in ('number', 'customer', 'assignment')", name=op.f("ck_call_limit_scope")),
        sa.CheckConstraint("most between 1 and 1000", name=op.f("ck_call_limit_most")),
        sa.CheckConstraint("(seconds is null) <> (days is null)", name=op.f("ck_call_limit_one_window")),
        sa.CheckConstraint("coalesce(seconds, days) > 0", name=op.f("ck_call_limit_window")),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_call_limit_ended")),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_call_limit")),
    )
    op.create_index(
        "ix_call_limit_standing", "call_limit", ["crm_id", "id"],
        postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip
    op.create_table(
        "limit_change",
        *_own_id(),
        sa.Column("deed", sa.Text(), nullable=False),
        sa.Column("limit_id", sa.BigInteger(), nullable=True),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("followed_to", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "deed in ('set', 'ended', 'debts', 'no_debts')", name=op.f("ck_limit_change_deed")
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_limit_change")),
    )
    op.create_index(
        "ix_limit_change_open", "limit_change", ["crm_id", "id"],
        postgresql_where=sa.text("followed_at is null"),
    )  # fmt: skip
    op.add_column(
        "assignment", sa.Column("about_debts", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "assignment",
        sa.Column("retry_plan", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.execute(PLANS)
    op.drop_column("assignment", "retry_seconds")
    for name, subject in (("ix_lease_rings", "customer_id"), ("ix_lease_number_rings", "e164")):
        op.create_index(
            name, "lease", ["crm_id", subject, "rung_at"], postgresql_where=sa.text("rung_at is not null")
        )
    op.create_index(
        "ix_placement_limited", "placement", ["crm_id", "customer_id", "assignment_id"],
        postgresql_where=sa.text("gated_by = 'limit'"),
    )  # fmt: skip
    for table in TENANT:
        op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")


def downgrade() -> None:
    op.drop_index("ix_placement_limited", "placement")
    op.add_column(
        "assignment",
        sa.Column("retry_seconds", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.execute(SECONDS)
    op.alter_column("assignment", "retry_seconds", server_default=None)
    op.drop_column("assignment", "retry_plan")
    op.drop_index("ix_lease_number_rings", "lease")
    op.drop_index("ix_lease_rings", "lease")
    op.drop_column("assignment", "about_debts")
    op.drop_table("limit_change")
    op.drop_table("call_limit")
