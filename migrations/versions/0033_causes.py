"""What the causes of dialers come to; why something was set aside, as a word.

Revision: 0033, after: 0031
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

RIGHTS = {"dialer_cause": "select, insert, update, delete", "dialer_cause_change": "select, insert"}
KINDS = (
    "unknown_cause", "unknown_result", "orphan", "foreign", "no_lease", "unknown_kind", "unreadable", "flaw",
)  # fmt: skip

# What lay aside already, by the words in which it was told; a result is a cause of that name.
TYPED = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        update set_aside set
               problem_kind = case when kind in ('unreadable', 'malformed') then 'unreadable'
                                   when problem like 'unknown result %' then 'unknown_result'
                                   when problem like 'unknown kind %' then 'unknown_kind'
                                   when problem like 'orphan%' then 'orphan'
                                   when problem like 'the lease is not%' then 'foreign'
                                   when problem = 'it names no lease' then 'no_lease'
                                   else 'flaw' end,
               words = case when problem like 'unknown result %'
                             and jsonb_typeof(body -> 'result') in ('string', 'number')
                             and body ->> 'result' ~ '\\S'
                            then array[left(lower(btrim(regexp_replace(body ->> 'result', '\\s+', ' ', 'g'))),
                                            200)]
                            else '{}' end
         where crm_id = one;
    end loop;
end $$
"""


def upgrade() -> None:
    op.add_column("dialer", sa.Column("causes_version", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "dialer_cause",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dialer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["crm_id", "dialer_id"], ["dialer.crm_id", "dialer.id"],
            name=op.f("fk_dialer_cause_crm_id_dialer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "dialer_id", "cause", name=op.f("pk_dialer_cause")),
    )  # fmt: skip
    op.create_table(
        "dialer_cause_change",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dialer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", "dialer_id", "version", name=op.f("pk_dialer_cause_change")),
    )
    for table, rights in RIGHTS.items():
        op.execute(f"grant {rights} on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
    op.add_column("set_aside", sa.Column("problem_kind", sa.Text(), nullable=True))
    op.add_column(
        "set_aside", sa.Column("words", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column("set_aside", sa.Column("read_version", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("set_aside", sa.Column("told_by", sa.Text(), nullable=True))
    op.execute(TYPED)
    op.alter_column("set_aside", "problem_kind", nullable=False)
    op.create_check_constraint(op.f("ck_set_aside_problem_kind"), "set_aside", f"problem_kind in {KINDS}")
    op.create_index(
        "ix_set_aside_unknown", "set_aside", ["crm_id", "dialer_id", "read_version", "id"],
        postgresql_where=sa.text("seen_at is null and problem_kind in ('unknown_cause', 'unknown_result')"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_set_aside_unknown", "set_aside")
    for column in ("told_by", "read_version", "words", "problem_kind"):
        op.drop_column("set_aside", column)
    for table in RIGHTS:
        op.drop_table(table)
    op.drop_column("dialer", "causes_version")
