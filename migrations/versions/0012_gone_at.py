"""When somebody left an assignment, or was anonymised: the sizes of segments over time need it.

Revision: 0012, after: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Nobody knows when those were; no verb did it yet. Behind the wall there is one CRM at a time, for the owner
# as well.
GUESS = """
do $$
declare one bigint;
begin
    for one in select id from crm loop
        execute format('set local app.crm_id = %s', one);
        update placement set gone_at = coalesce(last_attempt_at, entered_at)
         where state in ('left', 'anonymised');
    end loop;
end $$
"""


def upgrade() -> None:
    op.add_column("placement", sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(GUESS)
    op.create_check_constraint(
        op.f("ck_placement_gone"), "placement",
        "(state in ('left', 'anonymised')) = (gone_at is not null)",
    )  # fmt: skip


def downgrade() -> None:
    op.drop_constraint(op.f("ck_placement_gone"), "placement")
    op.drop_column("placement", "gone_at")
