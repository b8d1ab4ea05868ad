"""The walls: row-level security for the role `ringeliste_app`, and attempts partitioned by month.

Revision: 0002, after: 0001

The owner migrates; every process and every test works as `ringeliste_app`, which sees only the rows of
the CRM that its transaction names with `SET LOCAL app.crm_id` (design P7).
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

READ_ONLY = ("data_owner",)
SHARED = ("crm", "api_key", "business_clock", "call_clock")
TENANT = (
    "customer", "customer_number", "field",
    "assignment", "segment", "rule_set", "placement", "hold",
    "seller", "dialer",
    "lease", "claim_customer", "claim_number", "recall", "ring_limit",
    "attempt", "dialer_event",
    "pause", "suppression",
    "rebuild", "import_run",
)  # fmt: skip

# current_setting is read once a statement; the empty string is what a finished SET LOCAL leaves behind.
MINE = "crm_id = nullif(current_setting('app.crm_id', true), '')::bigint"

ROLE = """
do $$ begin
    if not exists (select from pg_roles where rolname = 'ringeliste_app') then
        create role ringeliste_app login;
    end if;
exception when duplicate_object or unique_violation then null;  -- another database's upgrade was faster
end $$
"""

# A month's partition is made by the owner's function, since the app may not create tables. Rows that came
# before their partition stand in attempt_default and move with it.
ENSURE_MONTH = """
create function ensure_attempt_month(month date) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    first date := date_trunc('month', month)::date;
    name text := 'attempt_' || to_char(first, 'YYYY_MM');
    low uuid := first_lease_id(first::timestamp at time zone 'UTC');
    high uuid := first_lease_id((first + interval '1 month')::timestamp at time zone 'UTC');
begin
    perform pg_advisory_xact_lock(7401111);
    if to_regclass('public.' || name) is not null then
        return false;
    end if;
    execute format('create table %I (like attempt including defaults including constraints)', name);
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I owner to %I', name, (
        select pg_get_userbyid(relowner) from pg_class where oid = 'attempt'::regclass));
    execute format(
        'with early as (delete from attempt_default where lease_id >= %L and lease_id < %L returning *)
         insert into %I select * from early', low, high, name);
    execute format('alter table attempt attach partition %I for values from (%L) to (%L)', name, low, high);
    return true;
end $$
"""

# The smallest time-ordered uuid of an instant: 48 bits of milliseconds, then zeros (models/ids.py).
FIRST_LEASE_ID = """
create function first_lease_id(instant timestamptz) returns uuid
language sql immutable strict as $$
    select (lpad(to_hex((extract(epoch from instant) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$
"""

# Only the owner may ANALYZE. Whoever counts already, or vacuums, does our work: nobody waits long for them.
COUNT_ANEW = """
create function count_customers_anew() returns boolean
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '2s' as $$
begin
    analyze customer, customer_number, placement;
    return true;
exception when lock_not_available then
    return false;
end $$
"""


def upgrade() -> None:
    op.execute(ROLE)
    op.execute("grant usage on schema public to ringeliste_app")
    for table in READ_ONLY:
        op.execute(f"grant select, insert on {table} to ringeliste_app")
    for table in SHARED:
        op.execute(f"grant select, insert, update on {table} to ringeliste_app")
    for table in TENANT:
        op.execute(f"grant select, insert, update, delete on {table} to ringeliste_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy wall on {table} using ({MINE}) with check ({MINE})")
    op.execute("revoke update, delete on attempt, rule_set from ringeliste_app")
    op.execute("grant update (walled_at) on rule_set to ringeliste_app")
    op.execute("grant usage on all sequences in schema public to ringeliste_app")
    op.execute("grant select on alembic_version to ringeliste_app")
    op.execute("create table attempt_default partition of attempt default")
    op.execute("alter table attempt_default enable row level security")
    op.execute(FIRST_LEASE_ID)
    op.execute(ENSURE_MONTH)
    op.execute("revoke all on function ensure_attempt_month(date) from public")
    op.execute("grant execute on function ensure_attempt_month(date) to ringeliste_app")
    op.execute(COUNT_ANEW)
    op.execute("revoke all on function count_customers_anew() from public")
    op.execute("grant execute on function count_customers_anew() to ringeliste_app")


def downgrade() -> None:
    op.execute("drop function count_customers_anew()")
    op.execute("drop function ensure_attempt_month(date)")
    op.execute("drop function first_lease_id(timestamptz)")
    for table in TENANT:
        op.execute(f"drop policy wall on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
    op.execute("revoke all on all tables in schema public from ringeliste_app")
    op.execute("revoke all on all sequences in schema public from ringeliste_app")
    op.execute("revoke usage on schema public from ringeliste_app")
