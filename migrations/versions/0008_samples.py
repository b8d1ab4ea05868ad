"""An aggregate that keeps some of many: the sample of customers in each cell of a preview.

Revision: 0008, after: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Twenty ids, however many come: array_agg would hold them all. Those of the smallest hash, in its order, so
# that they are spread over all and the same each time, whoever counts in parallel. Nearly everybody goes out
# by the first line; written as SQL, a call costs several times as much.
SAMPLE = """
create function sample_with(kept bigint[], one bigint) returns bigint[]
language plpgsql immutable parallel safe as $$
declare
    place integer;
    hash bigint;
begin
    if hashint8extended(one, 0) >= hashint8extended(kept[20], 0) then return kept; end if;
    if one is null then return kept; end if;
    hash := hashint8extended(one, 0);
    place := least(cardinality(kept) + 1, 20);
    while place > 1 and hashint8extended(kept[place - 1], 0) > hash loop
        kept[place] := kept[place - 1];
        place := place - 1;
    end loop;
    kept[place] := one;
    return kept;
end $$
"""
SAMPLES = """
create function sample_with_all(kept bigint[], others bigint[]) returns bigint[]
language plpgsql immutable parallel safe as $$
declare one bigint;
begin
    foreach one in array coalesce(others, '{}') loop
        kept := sample_with(kept, one);
    end loop;
    return kept;
end $$
"""
OF_ONES = """
create aggregate sample_of(bigint) (
    sfunc = sample_with, stype = bigint[], initcond = '{}', combinefunc = sample_with_all, parallel = safe
)
"""
OF_SAMPLES = """
create aggregate sample_of(bigint[]) (
    sfunc = sample_with_all, stype = bigint[], initcond = '{}', combinefunc = sample_with_all, parallel = safe
)
"""


def upgrade() -> None:
    for made in (SAMPLE, SAMPLES, OF_ONES, OF_SAMPLES):
        op.execute(made)


def downgrade() -> None:
    op.execute("drop aggregate sample_of(bigint[])")
    op.execute("drop aggregate sample_of(bigint)")
    op.execute("drop function sample_with_all(bigint[], bigint[])")
    op.execute("drop function sample_with(bigint[], bigint)")
