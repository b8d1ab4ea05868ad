"""Pauses of all CRMs of a data owner, and of everything; a pause is never rewritten or deleted.

Revision: 0027, after: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# As in 0018: outside every CRM it is as in one of nobody.
CRM = "nullif(current_setting('app.crm_id', true), '')::bigint"
OWNERS = f"owner_id is null or owner_id = (select c.owner_id from crm c where c.id = {CRM})"  # noqa: S608

# Whatever stands beyond one CRM has no word in the schema before this.
FORGET = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        delete from pause where crm_id = one and origin_id is not null;
    end loop;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "shared_pause",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spread_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.CheckConstraint("scope in ('owner', 'everything')", name=op.f("ck_shared_pause_scope")),
        sa.CheckConstraint("(scope = 'owner') = (owner_id is not null)", name=op.f("ck_shared_pause_owner")),
        sa.CheckConstraint("(lifted_at is null) = (lifted_by is null)", name=op.f("ck_shared_pause_lifted")),
        sa.ForeignKeyConstraint(["owner_id"], ["data_owner.id"], name=op.f("fk_shared_pause_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_pause")),
    )
    op.create_index(
        "ix_shared_pause_unspread", "shared_pause", ["id"], postgresql_where=sa.text("spread_at is null")
    )
    op.execute("grant select, insert on shared_pause to ringeliste_app")
    op.execute("grant update (spread_at, lifted_at, lifted_by) on shared_pause to ringeliste_app")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")
    op.execute("alter table shared_pause enable row level security")
    op.execute("alter table shared_pause force row level security")
    op.execute(f"create policy owners on shared_pause using ({OWNERS}) with check ({OWNERS})")

    op.add_column("pause", sa.Column("origin_id", sa.BigInteger(), nullable=True))
    _scopes("'crm', 'assignment', 'segment', 'seller', 'dialer', 'owner', 'everything'")
    _target("scope in ('crm', 'owner', 'everything')")
    op.create_check_constraint(
        op.f("ck_pause_origin"), "pause", "(scope in ('owner', 'everything')) = (origin_id is not null)"
    )
    op.create_index(
        "uq_pause_origin", "pause", ["crm_id", "origin_id"],
        unique=True, postgresql_where=sa.text("origin_id is not null"),
    )  # fmt: skip
    # Who stopped what, since when and why, and who let it go on, is never rewritten.
    op.execute("revoke update, delete on pause from ringeliste_app")
    op.execute("grant update (walled_at, lifted_at, lifted_by) on pause to ringeliste_app")


def _scopes(words: str) -> None:
    op.drop_constraint(op.f("ck_pause_scope"), "pause")
    op.create_check_constraint(op.f("ck_pause_scope"), "pause", f"scope in ({words})")


def _target(without: str) -> None:
    op.drop_constraint(op.f("ck_pause_target"), "pause")
    op.create_check_constraint(op.f("ck_pause_target"), "pause", f"({without}) = (target_id is null)")


def downgrade() -> None:
    op.execute("revoke update (walled_at, lifted_at, lifted_by) on pause from ringeliste_app")
    op.execute("grant update, delete on pause to ringeliste_app")
    op.execute(FORGET)
    op.drop_index("uq_pause_origin", "pause")
    op.drop_constraint(op.f("ck_pause_origin"), "pause")
    _target("scope = 'crm'")
    _scopes("'crm', 'assignment', 'segment', 'seller', 'dialer'")
    op.drop_column("pause", "origin_id")
    op.drop_table("shared_pause")
