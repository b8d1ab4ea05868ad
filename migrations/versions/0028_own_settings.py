"""Who changed the gap, the attempts and the CRM's own hours; rings by the assignment that rang.

Revision: 0028, after: 0027
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

DEEDS = ("set", "ended", "debts", "no_debts")
NUMBERED = ("gap", "attempts")

# Behind the wall there is one CRM at a time, for the owner as well.
_EACH_CRM = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        {deeds}
    end loop;
end $$
"""
# Whether an assignment is about debts bound its rings once somebody had said so.
_WALLED = (
    "update limit_change set walled_at = changed_at where crm_id = one and deed in ('debts', 'no_debts');"
)
# An order given up counts from then, as it did.
_RINGS = """
        insert into ring_limit (crm_id, scope, subject, assignment_id, rung_at)
        select one, s.scope, s.subject, l.assignment_id,
               max(greatest(l.rung_at, case when l.ended_by = 'unconfirmed' then l.ended_at end))
          from lease l
         cross join lateral (values ('customer', l.customer_id::text), ('number', l.e164)) s(scope, subject)
         where l.crm_id = one and l.rung_at is not null
         group by s.scope, s.subject, l.assignment_id;"""
_GAPS = """
        insert into ring_limit (crm_id, scope, subject, rung_at, gap_until)
        select one, s.scope, s.subject, max(l.rung_at),
               max(greatest(l.rung_at, case when l.ended_by = 'unconfirmed' then l.ended_at end)
                   + a.gap_seconds * interval '1 second')
          from lease l
          join assignment a on a.crm_id = one and a.id = l.assignment_id
         cross join lateral (values ('customer', l.customer_id::text), ('number', l.e164)) s(scope, subject)
         where l.crm_id = one and l.rung_at is not null
         group by s.scope, s.subject;"""


def upgrade() -> None:
    for name in ("before", "after"):
        op.add_column("limit_change", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("limit_change", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("limit_change", sa.Column("walled_at", sa.DateTime(timezone=True), nullable=True))
    _deeds((*DEEDS, *NUMBERED))
    op.create_check_constraint(
        op.f("ck_limit_change_numbered"), "limit_change",
        "(deed in ('gap', 'attempts'))"
        " = (before is not null and after is not null and reason is not null and assignment_id is not null)",
    )  # fmt: skip
    op.create_table(
        "own_hours_change",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("manager", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("walled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_own_hours_change")),
    )
    _wall("own_hours_change")
    op.drop_table("ring_limit")
    _rings(sa.Column("assignment_id", sa.BigInteger(), nullable=False), key=["assignment_id"])
    op.execute("grant usage on all sequences in schema public to ringeliste_app")
    op.execute(_EACH_CRM.format(deeds=_WALLED + _RINGS))


def downgrade() -> None:
    op.drop_table("ring_limit")
    _rings(sa.Column("gap_until", sa.DateTime(timezone=True), nullable=False), key=[])
    forget = "delete from limit_change where crm_id = one and deed in ('gap', 'attempts');"
    op.execute(_EACH_CRM.format(deeds=_GAPS + forget))
    op.drop_table("own_hours_change")
    op.drop_constraint(op.f("ck_limit_change_numbered"), "limit_change")
    _deeds(DEEDS)
    for name in ("walled_at", "reason", "after", "before"):
        op.drop_column("limit_change", name)


def _deeds(deeds: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_limit_change_deed"), "limit_change")
    told = ", ".join(f"'{deed}'" for deed in deeds)
    op.create_check_constraint(op.f("ck_limit_change_deed"), "limit_change", f"deed in ({told})")


def _rings(column: sa.Column[object], *, key: list[str]) -> None:
    op.create_table(
        "ring_limit",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        column,
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("scope in ('customer', 'number')", name=op.f("ck_ring_limit_scope")),
        sa.PrimaryKeyConstraint("crm_id", "scope", "subject", *key, name=op.f("pk_ring_limit")),
        postgresql_with={"fillfactor": "80"},
    )
    _wall("ring_limit")


def _wall(table: str) -> None:
    op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
