"""All customers of a CRM, a slice of ids a transaction: nothing is held for long, however many there are."""

from collections.abc import Iterator

from sqlalchemy import text

from models.work import OpenWork

SLICE = 20_000

_ENDS = text("select min(id) as first, max(id) as last from customer where crm_id = :crm_id")


def slices(open_work: OpenWork) -> Iterator[dict[str, int]]:
    """`first` and `last` id of each slice, both included, of the customers that there are now."""
    with open_work() as work:
        ends = work.run(_ENDS).one()
    if ends.first is not None:
        for first in range(ends.first, ends.last + 1, SLICE):
            yield {"first": first, "last": min(first + SLICE - 1, ends.last)}
