"""What a register was to a CRM in the past stays: its walls, exemptions behind theirs, tags that let off.

Revision: 0025, after: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

TABLES = ("register_wall", "tag_taken")

# Of older walls the last is known alone. An exemption that ended before it lets off nobody behind it; where
# the wall of its end is still to come, that will say when it did. One CRM at a time, for the owner as well.
KNOWN = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        insert into register_wall (crm_id, use_id, version, walled_at)
        select crm_id, id, walled_version, walled_at from crm_register
         where crm_id = one and walled_at is not null
         order by id;
        update register_exemption x set walled_at = x.ended_at
         where x.crm_id = one and x.ended_at is not null
           and not exists (select from crm_register u
                            where u.crm_id = one and u.register_id = x.register_id and u.ended_at is null
                              and u.walled_version is null);
    end loop;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "register_wall",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("use_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("walled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["crm_id", "use_id"], ["crm_register.crm_id", "crm_register.id"],
            name=op.f("fk_register_wall_crm_id_use_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_register_wall")),
    )  # fmt: skip
    op.create_table(
        "tag_taken",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("tagged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_tag_taken")),
    )
    op.create_index(op.f("ix_tag_taken_crm_id_customer_id"), "tag_taken", ["crm_id", "customer_id"])
    for table in TABLES:
        op.execute(f"grant select, insert on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")
    op.add_column("register_exemption", sa.Column("walled_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(KNOWN)


def downgrade() -> None:
    op.drop_column("register_exemption", "walled_at")
    for table in reversed(TABLES):
        op.drop_table(table)
