"""What is shared by all CRMs of a data owner, or by all there are, is brought to each of them.

The origin is one shared row; each CRM of its scope gets a row of its own, with a wall of its own, so that
whoever hands out asks nothing but its own CRM. What is told of another CRM is how many leases, and no more
(P7).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from models.work import OpenWork

# Of the shared rows the database shows those of our owner, and those for all.
#
# Whoever founds a CRM takes this lock alone: it has what is shared by now, or we find it among the CRMs.
NOBODY_FOUNDS = text("select pg_advisory_xact_lock_shared(7401, 3)")
"""Taken by whoever shares or lifts something, until that is there."""
FOUND = text("select pg_advisory_xact_lock(7401, 3)")
"""Taken by whoever founds a CRM, until it is there."""

_TABLES = ("shared_suppression", "shared_pause")
_UNSPREAD = {
    table: text(f"select id, lifted_at is not null as lifted from {table} where spread_at is null")  # noqa: S608
    for table in _TABLES
}
_CONCERNED = {
    table: text(f"""
        select c.id from crm c
         where c.id <> :crm_id
           and exists (select from {table} o
                        where o.id = any(:origins) and coalesce(o.owner_id, c.owner_id) = c.owner_id)
         order by c.id
    """)  # noqa: S608 - our own words
    for table in _TABLES
}
_SPREAD = {
    table: text(f"""
        update {table} set spread_at = :now
         where id = any(:origins) and spread_at is null and (lifted_at is not null) = :lifted
    """)  # noqa: S608
    for table in _TABLES
}


@dataclass(frozen=True, slots=True)
class Unspread:
    """Origins of a shared table that not every CRM has yet, or not their lift, and the other CRMs' doors."""

    table: str
    origins: Sequence[int]
    lifted: Sequence[int]
    others: Sequence[OpenWork]


def unspread(open_work: OpenWork, table: str) -> Unspread:
    """What of `table` is to be brought to others; in a trial to nobody. A tick finds what a crash left."""
    with open_work() as work:
        rows = work.run(_UNSPREAD[table]).all()
        origins = sorted(row.id for row in rows)
        others = work.run(_CONCERNED[table], origins=origins).scalars() if rows and work.elsewhere else ()
        doors = [work.elsewhere(crm_id) for crm_id in others if work.elsewhere]
    return Unspread(table, origins, sorted(row.id for row in rows if row.lifted), doors)


def is_spread(open_work: OpenWork, brought: Unspread) -> None:
    """Every CRM has them by now. Whoever lifted one meanwhile has it spread once more."""
    if not brought.origins:
        return
    standing = sorted(set(brought.origins) - set(brought.lifted))
    with open_work() as work:
        work.run(_SPREAD[brought.table], origins=list(brought.lifted), lifted=True)
        work.run(_SPREAD[brought.table], origins=standing, lifted=False)
