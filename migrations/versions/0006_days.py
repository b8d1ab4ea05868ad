"""Values of date fields as typed columns, kept by triggers; and when customers came, by index: for the sweep.

Revision: 0006, after: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CALENDAR_DAY = """
create function calendar_day(written text) returns date
language plpgsql immutable strict as $$
begin
    if written ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then
        return make_date(substr(written, 1, 4)::int, substr(written, 6, 2)::int, substr(written, 9, 2)::int);
    end if;
    return null;
exception when datetime_field_overflow then  -- 2026-02-30
    return null;
end $$
"""

_INSERT = """
    insert into customer_day (crm_id, customer_id, field, day, year_day)
    select n.crm_id, n.id, f.key, v.day, extract(month from v.day) * 100 + extract(day from v.day)
      from {rows} n
      join field f on f.crm_id = n.crm_id and f.type = 'date'
     cross join lateral (select calendar_day(n.fields ->> f.key) as day) v
     where v.day is not null
    on conflict (crm_id, customer_id, field) do nothing;
"""

# Once a statement, and only in a CRM that has a date field.
KEEP_NEW = f"""
create function keep_days_of_new() returns trigger language plpgsql as $$
begin
    if exists (select from field where type = 'date') then {_INSERT.format(rows="new_rows")} end if;
    return null;
end $$
"""
KEEP_CHANGED = f"""
create function keep_days_of_changed() returns trigger language plpgsql as $$
begin
    if exists (select from field where type = 'date') then
        delete from customer_day d using new_rows n join old_rows o on o.crm_id = n.crm_id and o.id = n.id
         where d.crm_id = n.crm_id and d.customer_id = n.id and o.fields is distinct from n.fields;
        {_INSERT.format(rows="new_rows")}
    end if;
    return null;
end $$
"""  # noqa: S608

# Behind the wall there is one CRM at a time, for the owner as well.
THOSE_THERE = f"""
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        {_INSERT.format(rows="customer")}
    end loop;
end $$
"""  # noqa: S608


def upgrade() -> None:
    op.create_index("ix_customer_crm_id_created_at", "customer", ["crm_id", "created_at"])
    op.execute(CALENDAR_DAY)
    op.execute(KEEP_NEW)
    op.execute(KEEP_CHANGED)
    op.execute(
        "create trigger days_of_new after insert on customer referencing new table as new_rows"
        " for each statement execute function keep_days_of_new()"
    )
    op.execute(
        "create trigger days_of_changed after update on customer"
        " referencing old table as old_rows new table as new_rows"
        " for each statement execute function keep_days_of_changed()"
    )
    op.execute(THOSE_THERE)


def downgrade() -> None:
    op.execute("drop trigger days_of_changed on customer")
    op.execute("drop trigger days_of_new on customer")
    op.execute("drop function keep_days_of_changed()")
    op.execute("drop function keep_days_of_new()")
    op.execute("drop function calendar_day(text)")
    op.drop_index("ix_customer_crm_id_created_at", "customer")
