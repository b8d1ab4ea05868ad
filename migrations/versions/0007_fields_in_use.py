"""Unique values kept by triggers, who retired a field, who edited which values of a customer.

Revision: 0007, after: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# As in 0002: what a migration once did never changes with another file.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

# 1 and 1.0 are one number; the empty text is no value.
UNIQUE_TEXT = """
create function unique_text(value jsonb) returns text
language sql immutable parallel safe as $$
    select case jsonb_typeof(value)
           when 'number' then trim_scale((value #>> '{}')::numeric)::text
           when 'string' then nullif(value #>> '{}', '')
           when 'boolean' then value::text end
$$
"""

# Whoever makes a field unique waits for every statement that writes customers, and they for it: so each
# keeps the values of a field, or was finished before they were gathered.
ENTER = """perform pg_advisory_xact_lock_shared(7401112, hashint8((select crm_id from new_rows limit 1)));
    if not exists (select from field where is_unique and retired_at is null) then
        return null;
    end if;"""

KEEP_NEW = f"""
create function keep_unique_of_new() returns trigger language plpgsql as $$
begin
    {ENTER}
    insert into unique_value (crm_id, field, value, customer_id)
    select n.crm_id, f.key, v.value, n.id
      from new_rows n
      join field f on f.crm_id = n.crm_id and f.is_unique and f.retired_at is null
     cross join lateral (select unique_text(n.fields -> f.key) as value) v
     where v.value is not null and n.anonymised_at is null
     order by f.key, v.value;
    return null;
end $$
"""  # noqa: S608

# First all that is to change is locked, in the order of the key, the old values and the new ones alike: two
# who give each other's values away never wait for one another.
KEEP_CHANGED = f"""
create function keep_unique_of_changed() returns trigger language plpgsql as $$
declare
    one bigint;
    changed bigint[];
    fields text[];
    texts text[];
    ids bigint[];
begin
    {ENTER}
    select min(n.crm_id), array_agg(n.id) into one, changed
      from new_rows n join old_rows o on o.crm_id = n.crm_id and o.id = n.id
     where n.fields is distinct from o.fields or n.anonymised_at is distinct from o.anonymised_at;
    if changed is null then
        return null;
    end if;
    select array_agg(f.key), array_agg(v.value), array_agg(n.id) into fields, texts, ids
      from new_rows n
      join field f on f.crm_id = n.crm_id and f.is_unique and f.retired_at is null
     cross join lateral (select unique_text(n.fields -> f.key) as value) v
     where n.id = any(changed) and v.value is not null and n.anonymised_at is null;
    perform 1
       from unique_value u
       join (select x.field, x.value from unique_value x where x.crm_id = one and x.customer_id = any(changed)
             union select w.field, w.value from unnest(fields, texts) as w(field, value)) w
         on w.field = u.field and w.value = u.value
      where u.crm_id = one
      order by u.field, u.value for update of u;
    delete from unique_value u
     where u.crm_id = one and u.customer_id = any(changed)
       and not exists (select from unnest(fields, texts, ids) as w(field, value, id)
                        where w.field = u.field and w.value = u.value and w.id = u.customer_id);
    insert into unique_value (crm_id, field, value, customer_id)
    select one, w.field, w.value, w.id from unnest(fields, texts, ids) as w(field, value, id)
     where not exists (select from unique_value u
                        where u.crm_id = one and u.field = w.field and u.value = w.value
                          and u.customer_id = w.id)
     order by w.field, w.value;
    return null;
end $$
"""  # noqa: S608


def upgrade() -> None:
    op.add_column("field", sa.Column("retired_by", sa.Text(), nullable=True))
    op.create_table(
        "customer_edit",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("changed", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["crm_id", "customer_id"],
            ["customer.crm_id", "customer.id"],
            name=op.f("fk_customer_edit_crm_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_customer_edit")),
    )
    op.create_index(
        op.f("ix_customer_edit_crm_id_customer_id_id"), "customer_edit", ["crm_id", "customer_id", "id"]
    )
    op.execute("grant select, insert on customer_edit to ringeliste_app")
    op.execute("alter table customer_edit enable row level security")
    op.execute("alter table customer_edit force row level security")
    op.execute(f"create policy wall on customer_edit using ({MINE}) with check ({MINE})")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")
    op.execute(UNIQUE_TEXT)
    op.execute(KEEP_NEW)
    op.execute(KEEP_CHANGED)
    op.execute(
        "create trigger unique_of_new after insert on customer referencing new table as new_rows"
        " for each statement execute function keep_unique_of_new()"
    )
    op.execute(
        "create trigger unique_of_changed after update on customer"
        " referencing old table as old_rows new table as new_rows"
        " for each statement execute function keep_unique_of_changed()"
    )


def downgrade() -> None:
    op.execute("drop trigger unique_of_changed on customer")
    op.execute("drop trigger unique_of_new on customer")
    op.execute("drop function keep_unique_of_changed()")
    op.execute("drop function keep_unique_of_new()")
    op.execute("drop function unique_text(jsonb)")
    op.drop_table("customer_edit")
    op.drop_column("field", "retired_by")
