"""The best free customers for what is wanted: twice as many as needed, since some will be lost to others."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, RowMapping

from calling.handout.best_hours import lags
from calling.handout.closing import Closing, bound
from calling.handout.needs import Need
from calling.handout.rank import attempts_of
from models.sql import load
from models.work import Work


class Card(NamedTuple):
    """A free customer, where they are, and the clock by which they may be rung."""

    customer_id: int
    segment_id: int
    clock_id: int


def candidates(
    work: Work, assignment: RowMapping, needs: Sequence[Need], closing: Closing, wanted: int
) -> list[Card]:
    """Twice as many as `wanted`, best first: segments by priority, then as the assignment's order says.

    Where fewer are free, they are `scarce`.
    """
    hungry = [need for need in needs if need.wanted > 0]
    if wanted < 1 or not hungry:
        return []
    own = _asked(hungry, wanted)
    most = {segment: min(own[None] + own[segment], 2 * wanted) for segment in closing}
    segments = [segment for segment in closing if most[segment]]
    # Whom none of them may ring would fill the list, and starve those who may ring others.
    nobodys = frozenset.intersection(*(need.forbidden for need in hungry))
    late = lags(work, assignment["lifts"], (closing[segment] for segment in segments))
    rows = work.run(
        load("candidates"),
        assignment_id=assignment["id"], **bound(closing, segments, without=nobodys),
        late=list(late), lags=list(late.values()), kept_free=assignment["kept_free"],
        mosts=[most[segment] for segment in segments],
        most_in_all=own[None] if set(own) == {None} else sum(most.values()),
    ).all()  # fmt: skip
    return _shared_out(_in_order(rows, segments), own)


def scarce(cards: Iterable[Card], needs: Sequence[Need], wanted: int) -> set[int | None]:
    """Of what segments (None: any) fewer were found than twice as many as are wanted of them."""
    left = {segment: min(asked, 2 * wanted) for segment, asked in _asked(needs, wanted).items()}
    for card in cards:
        quota = card.segment_id if left.get(card.segment_id, 0) > 0 else None
        left[quota] = left.get(quota, 0) - 1
    return {segment for segment, missing in left.items() if missing > 0}


def _asked(needs: Iterable[Need], wanted: int) -> Counter[int | None]:
    """Twice as many of each segment (None: of any) as they want."""
    own = Counter[int | None]()
    for need in needs:
        if need.wanted > 0:
            own[need.segment_id] += 2 * min(need.wanted, wanted)
    return own


def _in_order(rows: Iterable[Row[Any]], segments: Sequence[int]) -> list[Row[Any]]:
    place = {segment: n for n, segment in enumerate(segments)}
    return sorted(
        rows, key=lambda r: (place[r.segment_id], attempts_of(r.rank), r.lag, r.rank, r.customer_id)
    )


def _shared_out(rows: Iterable[Row[Any]], own: Mapping[int | None, int]) -> list[Card]:
    """Of each segment what those want who ask for it, and of the rest what those want who take any."""
    left, cards = Counter(own), []
    for row in rows:
        quota = row.segment_id if left[row.segment_id] > 0 else None
        if left[quota] > 0:
            left[quota] -= 1
            cards.append(Card(row.customer_id, row.segment_id, row.clock_id))
    return cards
