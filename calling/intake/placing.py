"""Placing: customers of the CRM enter an assignment, ready and Unsegmented; a rebuild then puts them where
they belong."""

from collections.abc import Iterator, Sequence
from functools import cache

from sqlalchemy import TextClause, text

from calling import planner
from calling.handout import gates, placements
from calling.handout.rank import rank_sql
from calling.segments.history import note_entered
from models import turnstile
from models.errors import NotFound
from models.sql import load
from models.work import OpenWork, Work
from segmentation.reasons import ENTERED
from segmentation.rebuilds import request_rebuild

BATCH = 1_000
"""Placements of one transaction: a pause waits some 30 ms behind it, and no longer."""

_ASSIGNMENT = text("select 1 from assignment where crm_id = :crm_id and id = :assignment_id")
_AFTER = text("""
    select id from customer where crm_id = :crm_id and id > :after and anonymised_at is null
     order by id limit :most
""")


def place(open_work: OpenWork, assignment_id: int, customer_ids: Sequence[int] | None = None) -> int:
    """Put these customers, or all of the CRM, into an assignment; how many entered.

    Whoever is there already is left as they are, so a placing that was cut off can be said again. Asks for a
    rebuild. Raises NotFound.
    """
    check_assignment(open_work, assignment_id)
    batches = _everybody(open_work) if customer_ids is None else _slices(sorted(set(customer_ids)))
    placed = sum(place_batch(open_work, assignment_id, batch) for batch in batches)
    if placed:
        planner.note_growth(open_work, placed)
        ask_rebuild(open_work, assignment_id)
    return placed


def check_assignment(open_work: OpenWork, assignment_id: int) -> None:
    """Raises NotFound if the CRM has no such assignment."""
    with open_work() as work:
        if not work.run(_ASSIGNMENT, assignment_id=assignment_id).first():
            raise NotFound("assignment", assignment_id)


def place_batch(open_work: OpenWork, assignment_id: int, customers: Sequence[int]) -> int:
    """Place at most BATCH customers in a transaction; how many entered. The hint is left to `ask_rebuild`."""
    with open_work() as work:
        # Whoever suppresses one of them passes after us and stamps them, or before us and we do.
        turnstile.pass_shared(work, [assignment_id])
        work.plan_afresh()
        entered = list(
            work.run(ranked("place"), assignment_id=assignment_id, customers=list(customers)).scalars()
        )
        if entered:
            gates.restamp(work, entered)
            note_entered(work, assignment_id, entered)
            note_rebuild(work, assignment_id)
    return len(entered)


def note_rebuild(work: Work, assignment_id: int) -> None:
    """Ask for a rebuild in the transaction that makes it needed, and hint nobody: more batches follow.

    Should none follow, because of a crash, the scheduler's tick finds the row.
    """
    before = len(work.hints)
    request_rebuild(work, assignment_id, ENTERED)
    del work.hints[before:]


def ask_rebuild(open_work: OpenWork, assignment_id: int) -> None:
    """Ask for a rebuild and hint it."""
    with open_work() as work:
        request_rebuild(work, assignment_id, ENTERED)


def rerank(work: Work, customers: Sequence[int]) -> int:
    """Write the rank of these customers' placements anew; how many changed."""
    placements.lock(work, customers)
    return work.run(ranked("rerank"), customers=list(customers)).rowcount


@cache
def ranked(name: str) -> TextClause:
    """A statement of models/sql with the rank's expression in its place."""
    return text(load(name).text.replace("/*rank*/", rank_sql(*_FRESH if name == "place" else ())))


_FRESH = ("0", "cast(null as timestamptz)")


def _slices(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def _everybody(open_work: OpenWork) -> Iterator[Sequence[int]]:
    """The customers of the CRM by id, a batch at a time."""
    after = 0
    while True:
        with open_work() as work:
            ids = list(work.run(_AFTER, after=after, most=BATCH).scalars())
        if not ids:
            return
        yield ids
        after = ids[-1]
