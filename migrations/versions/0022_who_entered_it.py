"""Who entered an exemption is kept beside the manager who answers for it; who changed the reach of outcomes.

Revision: 0022, after: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

TABLES = ("exemption", "register_exemption")

# As far as anybody knows, whoever answers for an older one entered it. Behind the wall there is one CRM at a
# time, for the owner as well.
AUTHORS = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        update exemption set author = manager where crm_id = one;
        update register_exemption set author = manager where crm_id = one;
    end loop;
end $$
"""


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("author", sa.Text(), nullable=True))
    op.execute(AUTHORS)
    for table in TABLES:
        op.alter_column(table, "author", nullable=False)
    op.create_table(
        "reach_change",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_reach_change")),
    )
    op.execute("grant select, insert, update, delete on reach_change to ringeliste_app")
    op.execute("alter table reach_change enable row level security")
    op.execute("alter table reach_change force row level security")
    op.execute(f"create policy wall on reach_change using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")


def downgrade() -> None:
    op.drop_table("reach_change")
    for table in TABLES:
        op.drop_column(table, "author")
