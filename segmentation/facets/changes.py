"""Who changed since a snapshot: nothing is lost when a slow transaction commits late, nothing waits for it.

Order of writing is not order of committing: whoever remembers "read up to number 100" loses number 99 when it
commits afterwards. So a cache remembers the *snapshot* it has read, and reads whatever that snapshot did not
see: transactions that ran then, and all younger ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from models.work import Work

_SNAPSHOT = text("select pg_current_snapshot()::text")
_WRITING = text("select pg_current_xact_id_if_assigned() is not null")

# One statement, so that the answer and the snapshot it is as of are the same instant.
_SINCE = text("""
    select pg_current_snapshot()::text as seen,
           coalesce((select pruned_to from facet_horizon where crm_id = :crm_id), 0)
               > pg_snapshot_xmin(cast(:seen as pg_snapshot))::text::bigint as lost,
           whole, placed
      from (select string_agg(int8send(customer), '') filter (where whole) as whole,
                   string_agg(int8send(customer), '') filter (where not whole) as placed
              from (select customer, bool_or(assignment_id is null) as whole
                      from facet_change, unnest(customers) customer
                     where crm_id = :crm_id and (assignment_id is null or assignment_id = :assignment_id)
                       and xid >= pg_snapshot_xmin(cast(:seen as pg_snapshot))::text::bigint
                       and not pg_visible_in_snapshot(xid::text::xid8, cast(:seen as pg_snapshot))
                     group by customer) changed) lists
""")

# Transactions that run now may write below what is thrown away: only what was finished a pruning ago goes.
_MARK = text("""
    insert into facet_horizon as h (crm_id, pruned_to, next_to)
    values (:crm_id, 0, pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
    on conflict (crm_id) do update set pruned_to = h.next_to, next_to = excluded.next_to
    returning pruned_to
""")
_PRUNE = text("delete from facet_change where crm_id = :crm_id and xid < :pruned_to")


@dataclass(frozen=True, slots=True)
class Changes:
    """Who changed, as of the snapshot `seen`: sorted ids, none of them in both lists.

    `whole`: facts of the customer, maybe more; `placed`: nothing but the placement. `lost`: some may have
    been thrown away.
    """

    seen: str
    lost: bool
    whole: NDArray[np.int64]
    placed: NDArray[np.int64]


def snapshot(work: Work) -> str:
    """What is visible now, as PostgreSQL writes it."""
    return str(work.run(_SNAPSHOT).scalar_one())


def is_writing(work: Work) -> bool:
    """Whether this transaction has written: what it sees may never become true."""
    return bool(work.run(_WRITING).scalar_one())


def since(work: Work, assignment_id: int, seen: str) -> Changes:
    """Whoever changed in a way that the snapshot `seen` did not show. Rows read after this are as new."""
    row = work.run(_SINCE, assignment_id=assignment_id, seen=seen).one()
    return Changes(row.seen, row.lost, _ids(row.whole), _ids(row.placed))


def _ids(sent: bytes | None) -> NDArray[np.int64]:
    """As bytes: to read a list of a hundred thousand numbers takes longer than to read their rows."""
    return np.sort(np.frombuffer(bytes(sent or b""), ">i8").astype(np.int64))


def prune(work: Work) -> int:
    """Throw away what was finished when this was called last; how many. Call it about once an hour.

    A cache that has not read for so long is loaded anew.
    """
    pruned_to = work.run(_MARK).scalar_one()
    return work.run(_PRUNE, pruned_to=pruned_to).rowcount
