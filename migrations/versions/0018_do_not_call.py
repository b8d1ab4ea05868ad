"""Do-not-call for all CRMs of an owner, or for everyone; national registers and who uses them.

Revision: 0018, after: 0017
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TENANT = ("crm_register", "register_exemption")

# As in 0002: what a migration once did never changes with another file.
CRM = "nullif(current_setting('app.crm_id', true), '')::bigint"
MINE = f"crm_id = {CRM}"

# Shared, and yet what an owner's CRMs may not call is nothing to other owners. Outside every CRM it is as in
# one of nobody: what is for everyone shows.
OWNERS = f"owner_id is null or owner_id = (select c.owner_id from crm c where c.id = {CRM})"  # noqa: S608

# Numbers of registers are written by the owner's functions alone: no slip of the application can take one
# away. Both take the row of the version first: who was overtaken by another load is refused.
APPLY = """
create function apply_register_version(version bigint, out added bigint, out removed bigint)
language plpgsql security definer set search_path = public, pg_temp set work_mem = '256MB'
    set enable_nestloop = off as $$
declare
    this register_version;
    before bigint;
begin
    select * into this from register_version where id = version for update;
    if this.id is null or this.in_force_at is not null or this.failed_at is not null then
        raise exception 'version % is not being loaded', version
              using errcode = 'object_not_in_prerequisite_state';
    end if;
    select in_force into before from register where id = this.register_id for update;
    if before > version then
        raise exception 'a later version is in force' using errcode = 'object_not_in_prerequisite_state';
    end if;
    -- Nobody has counted what was just copied: a plan for an empty table would search it for each number.
    analyze register_staging;
    -- The numbers of the file once each, in order, as the index likes them.
    insert into register_number (register_id, e164, added_in)
    select this.register_id, s.e164, version
      from (select distinct e164 from register_staging where version_id = version) s
     where not exists (select from register_number r
                        where r.register_id = this.register_id and r.e164 = s.e164 and r.removed_in is null)
     order by s.e164;
    get diagnostics added = row_count;
    update register_number r set removed_in = version
     where r.register_id = this.register_id and r.removed_in is null and r.added_in < version
       and not exists (select from register_staging s where s.version_id = version and s.e164 = r.e164);
    get diagnostics removed = row_count;
end $$
"""
# Of a load that came to nothing: as if it had never been.
DISCARD = """
create function discard_register_version(version bigint, reason text, at timestamptz) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    this register_version;
begin
    select * into this from register_version where id = version for update;
    if this.id is null or this.in_force_at is not null then
        return false;
    end if;
    update register_version set failed_at = coalesce(failed_at, at), why = coalesce(why, reason)
     where id = version;
    delete from register_number where register_id = this.register_id and added_in = version;
    update register_number set removed_in = null
     where register_id = this.register_id and removed_in = version;
    delete from register_staging where version_id = version;
    return true;
end $$
"""
# Whoever was on it until a version that every CRM has followed is remembered no longer.
FORGET = """
create function forget_register_numbers(register bigint, version bigint) returns bigint
language sql security definer set search_path = public, pg_temp as $$
    with gone as (
        delete from register_number n using register r
         where r.id = register and n.register_id = r.id and n.removed_in <= least(version, r.in_force)
        returning 1
    ) select count(*) from gone
$$
"""
COUNT = """
create function count_registers_anew() returns boolean
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '2s' as $$
begin
    analyze register, register_number;
    return true;
exception when lock_not_available then
    return false;
end $$
"""
FUNCTIONS = (
    "apply_register_version(bigint)",
    "discard_register_version(bigint, text, timestamptz)",
    "forget_register_numbers(bigint, bigint)",
    "count_registers_anew()",
)


def instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def own_id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def crm_and_id() -> tuple[sa.Column[int], sa.Column[int]]:
    return sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False), own_id()


def big(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=nullable, server_default=default)


def words(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    _suppressions()
    _registers()
    _uses()
    op.add_column(
        "assignment", sa.Column("do_not_call_scope", sa.Text(), server_default="crm", nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_assignment_do_not_call_scope"), "assignment", "do_not_call_scope in ('crm', 'owner')"
    )
    op.execute("grant usage on all sequences in schema public to ringeliste_app")


def _suppressions() -> None:
    op.create_table(
        "shared_suppression",
        own_id(),
        words("scope"),
        big("owner_id", nullable=True),
        words("e164"),
        words("reason"),
        words("author"),
        instant("created_at"),
        instant("expires_at", nullable=True),
        instant("spread_at", nullable=True),
        instant("lifted_at", nullable=True),
        words("lifted_by", nullable=True),
        sa.CheckConstraint("scope in ('owner', 'everyone')", name=op.f("ck_shared_suppression_scope")),
        sa.CheckConstraint(
            "(scope = 'owner') = (owner_id is not null)", name=op.f("ck_shared_suppression_owner")
        ),
        sa.CheckConstraint(
            "(lifted_at is null) = (lifted_by is null)", name=op.f("ck_shared_suppression_lifted")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["data_owner.id"], name=op.f("fk_shared_suppression_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_suppression")),
    )
    op.create_index(
        "ix_shared_suppression_number", "shared_suppression", ["e164"],
        postgresql_where=sa.text("lifted_at is null"),
    )  # fmt: skip
    op.create_index(
        "ix_shared_suppression_unspread", "shared_suppression", ["id"],
        postgresql_where=sa.text("spread_at is null"),
    )  # fmt: skip
    op.execute("grant select, insert on shared_suppression to ringeliste_app")
    op.execute("grant update (spread_at, lifted_at, lifted_by) on shared_suppression to ringeliste_app")
    op.execute("alter table shared_suppression enable row level security")
    op.execute("alter table shared_suppression force row level security")
    op.execute(f"create policy owners on shared_suppression using ({OWNERS}) with check ({OWNERS})")
    op.add_column("suppression", sa.Column("scope", sa.Text(), server_default="crm", nullable=False))
    op.add_column("suppression", sa.Column("origin_id", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_suppression_scope"), "suppression", "scope in ('crm', 'owner', 'everyone')"
    )
    op.create_check_constraint(
        op.f("ck_suppression_origin"), "suppression", "(scope = 'crm') = (origin_id is null)"
    )
    op.create_index(
        "ix_suppression_unwalled", "suppression", ["crm_id", "id"],
        postgresql_where=sa.text("walled_at is null and lifted_at is null"),
    )  # fmt: skip
    op.create_index(
        "uq_suppression_origin", "suppression", ["crm_id", "origin_id"],
        unique=True, postgresql_where=sa.text("origin_id is not null"),
    )  # fmt: skip
    # Who stood there, since when and by whom, and who lifted it, is never rewritten.
    op.execute("revoke update, delete on suppression from ringeliste_app")
    op.execute("grant update (walled_at, lifted_at, lifted_by) on suppression to ringeliste_app")


def _registers() -> None:
    op.create_table(
        "register",
        own_id(),
        words("name"),
        big("in_force", nullable=True),
        sa.Column("dated", sa.Date(), nullable=True),
        big("numbers", default="0"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register")),
        sa.UniqueConstraint("name", name=op.f("uq_register_name")),
    )
    op.create_table(
        "register_version",
        own_id(),
        big("register_id"),
        sa.Column("dated", sa.Date(), nullable=False),
        words("file"),
        words("author"),
        instant("begun_at"),
        instant("in_force_at", nullable=True),
        instant("failed_at", nullable=True),
        words("why", nullable=True),
        *(big(name, default="0") for name in ("lines", "bad_lines", "numbers", "added", "removed")),
        sa.CheckConstraint("in_force_at is null or failed_at is null", name=op.f("ck_register_version_end")),
        sa.ForeignKeyConstraint(
            ["register_id"], ["register.id"], name=op.f("fk_register_version_register_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_version")),
    )
    op.create_index("ix_register_version_register_id_id", "register_version", ["register_id", "id"])
    op.create_table(
        "register_number",
        big("register_id"),
        words("e164"),
        big("added_in"),
        big("removed_in", nullable=True),
        sa.PrimaryKeyConstraint("register_id", "e164", "added_in", name=op.f("pk_register_number")),
    )
    op.create_table("register_staging", big("version_id"), words("e164"), prefixes=["UNLOGGED"])
    for table in ("register", "register_version"):
        op.execute(f"grant select, insert, update on {table} to ringeliste_app")
    op.execute("grant select on register_number to ringeliste_app")
    op.execute("grant select, insert, delete on register_staging to ringeliste_app")
    for statement in (APPLY, DISCARD, FORGET, COUNT):
        op.execute(statement)
    for function in FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to ringeliste_app")


def _uses() -> None:
    op.create_table(
        "crm_register",
        *crm_and_id(),
        big("register_id"),
        words("author"),
        instant("used_since"),
        instant("ended_at", nullable=True),
        words("ended_by", nullable=True),
        big("changes", default="0"),
        big("walled_version", nullable=True),
        instant("walled_at", nullable=True),
        big("stamped_version", nullable=True),
        big("done_to", default="0"),
        big("done_version", nullable=True),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_crm_register_ended")),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_crm_register")),
    )
    op.create_index(
        "uq_crm_register_used", "crm_register", ["crm_id", "register_id"],
        unique=True, postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip
    op.create_table(
        "register_exemption",
        *crm_and_id(),
        big("register_id"),
        big("assignment_id", nullable=True),
        words("tag", nullable=True),
        words("reason"),
        words("manager"),
        instant("given_at"),
        instant("ended_at", nullable=True),
        words("ended_by", nullable=True),
        sa.CheckConstraint(
            "(assignment_id is null) <> (tag is null)", name=op.f("ck_register_exemption_whom")
        ),
        sa.CheckConstraint(
            "btrim(manager) <> '' and btrim(reason) <> ''", name=op.f("ck_register_exemption_named")
        ),
        sa.CheckConstraint(
            "(ended_at is null) = (ended_by is null)", name=op.f("ck_register_exemption_ended")
        ),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_register_exemption_crm_id_assignment_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_register_exemption")),
    )  # fmt: skip
    op.create_index(
        "ix_register_exemption_standing", "register_exemption", ["crm_id", "register_id"],
        postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip
    for table in TENANT:
        op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_assignment_do_not_call_scope"), "assignment")
    op.drop_column("assignment", "do_not_call_scope")
    for table in reversed(TENANT):
        op.drop_table(table)
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    for table in ("register_staging", "register_number", "register_version", "register"):
        op.drop_table(table)
    op.drop_index("uq_suppression_origin", "suppression")
    op.drop_index("ix_suppression_unwalled", "suppression")
    op.drop_constraint(op.f("ck_suppression_origin"), "suppression")
    op.drop_constraint(op.f("ck_suppression_scope"), "suppression")
    op.drop_column("suppression", "origin_id")
    op.drop_column("suppression", "scope")
    op.execute("revoke update (walled_at, lifted_at, lifted_by) on suppression from ringeliste_app")
    op.execute("grant update, delete on suppression to ringeliste_app")
    op.drop_table("shared_suppression")
