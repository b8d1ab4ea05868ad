"""Customers get the segment and the labels they ought to have, inside somebody else's transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import starmap
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, text

from models.errors import RulesRefused
from models.work import Work
from segmentation.in_force import InForce, rules_in_force
from segmentation.rows import GONE
from segmentation.statements import Statement, Statements
from segmentation.trial import FAILURES, refusal


@dataclass(frozen=True, slots=True)
class Moved:
    """A placement that changed its segment. `lease_id`: its live lease; an offered one is to be recalled."""

    customer_id: int
    from_segment: int
    to_segment: int
    lease_id: UUID | None


_Way = Callable[[Statements], Statement]
_ONE_BY_ONE: _Way = attrgetter("move")
_TOGETHER: _Way = attrgetter("move_many")

# A plan made while the tables were tiny is kept when they have grown: a million rows read for each customer.
_BY_KEYS = text("set local enable_seqscan = off")

# A statement of its own: the next one's snapshot then holds whatever we waited for. Who they are is known.
_LOCK = text("""
    with locked as (
        select 1 from placement
         where crm_id = :crm_id and assignment_id = :assignment_id
           and customer_id = any((select cast(:customers as bigint[]))::bigint[])
         order by customer_id for no key update
    )
    select count(*) from locked
""")

_COUNTS = text("""
    select s.id, count(p.customer_id) as size
      from segment s
      left join placement p on p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.segment_id = s.id
                           and p.state <> all (cast(:gone as text[]))
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.retired_at is null
     group by s.id
""")


def resegment(work: Work, assignment_id: int, customer_ids: Sequence[int], cause: str) -> list[Moved]:
    """Move those of these customers who belong elsewhere; what moved, by customer.

    The caller has passed the turnstile shared, and holds the placements or lets them be locked here in key
    order. Labels are written with it; only what differs is written. `rule_version` is the version that put a
    placement where it is. State, status, claims and leases stay as they are. Each move stands in the history
    under `cause`, one of models.tables.history.MOVE_CAUSES. Raises NotFound; RulesRefused if the database
    takes no question by these rules: then nothing of the transaction can stay.
    """
    if not customer_ids:
        return []
    rules = rules_in_force(work, assignment_id)
    return list(starmap(Moved, _moved(work, assignment_id, rules, customer_ids, cause, _ONE_BY_ONE)))


def move_many(
    work: Work, assignment_id: int, rules: InForce, customer_ids: Sequence[int], cause: str
) -> tuple[int, list[UUID]]:
    """As `resegment`, by rules that are read already: how many moved, and their live leases."""
    row = _moved(work, assignment_id, rules, customer_ids, cause, _TOGETHER).one()
    return row.moved, row.leases or []


def lock(work: Work, assignment_id: int, customer_ids: Sequence[int]) -> str:
    """Lock these customers' placements in key order; their ids as PostgreSQL writes an array, to be bound.

    From here on the transaction finds rows by keys.
    """
    # psycopg takes ten times as long over a list of numbers.
    ids = f"{{{','.join(map(str, sorted(set(customer_ids))))}}}"
    work.run(_BY_KEYS)
    work.run(_LOCK, assignment_id=assignment_id, customers=ids)
    return ids


def _moved(
    work: Work, assignment_id: int, rules: InForce, customer_ids: Sequence[int], cause: str, how: _Way
) -> CursorResult[Any]:
    ids = lock(work, assignment_id, customer_ids)
    asked = {"assignment_id": assignment_id, "customer_ids": ids, "version": rules.version, "cause": cause}
    try:
        return how(rules.statements).run(work, **asked)
    except FAILURES as error:
        why = refusal(error)
        if why is None:
            raise
        raise RulesRefused(assignment_id, why) from error


def by_rule(work: Work, assignment_id: int, customer_ids: Sequence[int]) -> dict[int, int]:
    """Customer -> the segment that the rules alone would give, whatever holds say. Raises NotFound."""
    asked = rules_in_force(work, assignment_id).statements.by_rule
    ids = f"{{{','.join(map(str, customer_ids))}}}"
    rows = asked.run(work, assignment_id=assignment_id, customer_ids=ids)
    return {row.customer_id: row.belongs for row in rows}


def differing(work: Work, assignment_id: int) -> int:
    """How many placements have another segment or other labels than holds and rules say: zero, or a bug (P6).

    Those that have left or were anonymised are not looked at. Raises NotFound.
    """
    found = rules_in_force(work, assignment_id).statements.differing
    return int(found.run(work, assignment_id=assignment_id).scalar_one())


def untrue(work: Work, assignment_id: int) -> set[int]:
    """The customers that `differing` counts."""
    pairs = rules_in_force(work, assignment_id).statements.scan.run(work, assignment_id=assignment_id)
    return {customer for pair in pairs for customer in pair.movers or ()}


def segment_counts(work: Work, assignment_id: int) -> dict[int, int]:
    """Segment -> how many placements are in it now, empty segments included."""
    rows = work.run(_COUNTS, assignment_id=assignment_id, gone=list(GONE))
    return {row.id: row.size for row in rows}
