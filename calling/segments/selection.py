"""What a manager does with a selection of bars. The bars may be a moment old; deeds ask SQL who it is now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from calling.segments.bulk import BulkDone, Progress, Wish, begin, carry_out, untold
from calling.segments.bulk_steps import check_segment
from calling.segments.editing import create, extended, free_key, id_of
from calling.segments.previewing import preview
from calling.segments.publishing import current, own_fields
from models.errors import BadInput, BadRule, Conflict, Unavailable
from models.work import OpenWork, Work
from segmentation.catalogue import catalogue
from segmentation.facets import Filters, as_rule, asking, board_of
from segmentation.nodes import AllOf, Node, Not, dump_node

__all__ = [
    "Created", "Expected", "count", "hold_in_new", "move_selection", "resting", "rule_of", "save_as_rule",
    "wake_selection",
]  # fmt: skip

NOBODY: Node = Not(AllOf(()))
"""The rule of a segment that only people put customers into."""


_LABELS = text("""
    select id, key from label where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
""")


@dataclass(frozen=True, slots=True)
class Expected:
    """How many customers somebody saw when they decided, and how far it may be off by now.

    `tolerance` in customers, `percent` of `count`: the larger of the two counts.
    """

    count: int
    tolerance: int = 0
    percent: float = 0.0

    def check(self, found: int) -> None:
        """Raises Conflict, with the new `count` in its data, when it is off by more."""
        if abs(found - self.count) > max(self.tolerance, int(self.count * self.percent / 100)):
            message = f"the selection has changed: {found} customers instead of {self.count}; look again"
            raise Conflict(message, count=found, expected=self.count)


@dataclass(frozen=True, slots=True)
class Created:
    """A segment that was made of a selection, and the version of the rules it came with.

    Of those `selected` so many `comes` into it: segments in front of it and holds keep theirs. None: nobody
    could say. `done`: what came of holding the selection in it; None where its rule will bring them.
    """

    version: int
    segment_id: int
    key: str
    selected: int
    comes: int | None
    done: BulkDone | None = None


def count(work: Work, assignment_id: int, filters: Filters) -> int:
    """How many customers of an assignment pass the filters now. Raises BadInput, NotFound."""
    return asking.count(work, assignment_id, _asked(work, assignment_id, filters))


def rule_of(work: Work, assignment_id: int, filters: Filters) -> Node:
    """The rule that exactly these customers meet. Raises BadInput for what no rule can ask."""
    labels = {row.id: row.key for row in work.run(_LABELS, assignment_id=assignment_id)}
    if gone := sorted(
        str(one) for one in filters.get("labels", ()) if isinstance(one, int) and one not in labels
    ):
        raise BadInput(f"there is no label {', '.join(gone)} any more: leave it out of the selection")
    return as_rule(filters, catalogue(own_fields(work)), labels)


def move_selection(
    open_work: OpenWork, assignment_id: int, filters: Filters, segment_id: int, *, expected: Expected,
    author: str, reason: str, expires_at: datetime | None = None, what: str = "", progress: Progress = untold,
) -> BulkDone:  # fmt: skip
    """Hold in a segment each customer whom the filters find now, until released or `expires_at` (UTC).

    In parts, each committed; what a crash leaves is finished by a tick. `what` is the selection in words,
    for the history. Raises BadInput, NotFound; Conflict, and nothing is done, when it is not as expected.
    """
    wish = Wish(assignment_id, "hold", author, reason, segment_id, expires_at=expires_at, what=what)
    with open_work() as work:
        check_segment(work, assignment_id, segment_id)
        action_id = begin(work, wish, _found(work, assignment_id, filters, expected))
    return carry_out(open_work, action_id, progress)


def wake_selection(
    open_work: OpenWork, assignment_id: int, filters: Filters, *, expected: Expected, author: str,
    reason: str, what: str = "", progress: Progress = untold,
) -> BulkDone:  # fmt: skip
    """Make ready whoever rests among those the filters find. Promised calls and closed ones stay.

    `expected`: of those who rest. Raises BadInput, NotFound, Conflict.
    """
    wish = Wish(assignment_id, "wake", author, reason, what=what)
    with open_work() as work:
        action_id = begin(work, wish, _found(work, assignment_id, resting(filters), expected))
    return carry_out(open_work, action_id, progress)


def resting(filters: Filters) -> Filters:
    """The same selection, of those who rest only."""
    states: Sequence[Any] = filters.get("state", ["resting"])
    return {**filters, "state": ["resting"] if "resting" in states else []}


def save_as_rule(
    open_work: OpenWork, assignment_id: int, filters: Filters, name: str, *, expected: Expected, author: str,
    before: str | None = None, last: bool = False,
) -> Created:  # fmt: skip
    """A new segment, first unless `before` another or `last`, whose standing rule is the selection.

    A rebuild fills it. Raises BadInput for what no rule can ask, NotFound, Conflict.
    """
    with open_work() as work:
        selected = count(work, assignment_id, filters)
        expected.check(selected)
        segment = _named(work, assignment_id, name, rule_of(work, assignment_id, filters))
        before = _place(work, assignment_id, before, last=last)
    comes = _foreseen(open_work, assignment_id, segment, before)
    version = create(open_work, assignment_id, segment, author=author, before=before)
    with open_work() as work:
        segment_id = id_of(work, assignment_id, segment["key"])
    return Created(version, segment_id, segment["key"], selected, comes)


def hold_in_new(
    open_work: OpenWork, assignment_id: int, filters: Filters, name: str, *, expected: Expected, author: str,
    reason: str, expires_at: datetime | None = None, before: str | None = None, last: bool = False,
    what: str = "", progress: Progress = untold,
) -> Created:  # fmt: skip
    """A new segment whose rule nobody meets, and the selection held in it, begun in one transaction.

    It is first unless `before` another or `last`. Raises BadInput, NotFound, Conflict.
    """
    with open_work() as work:
        customers = _found(work, assignment_id, filters, expected)
        segment = _named(work, assignment_id, name, NOBODY)
        before = _place(work, assignment_id, before, last=last)
    begun: list[tuple[int, int]] = []

    def also(work: Work) -> None:
        to = id_of(work, assignment_id, segment["key"])
        wish = Wish(assignment_id, "hold", author, reason, to, expires_at=expires_at, what=what)
        begun.append((to, begin(work, wish, customers)))

    version = create(open_work, assignment_id, segment, author=author, before=before, also=also)
    ((segment_id, action_id),) = begun
    done = carry_out(open_work, action_id, progress)
    return Created(version, segment_id, segment["key"], len(customers), len(customers), done)


def _place(work: Work, assignment_id: int, before: str | None, *, last: bool) -> str | None:
    """In front of whom: the one that is named, else whoever is first; None is last. Raises BadInput."""
    if before is not None and last:
        raise BadInput("before, place: say one of the two: in front of another segment, or last")
    segments = current(work, assignment_id)["segments"]
    return before if before is not None or last or not segments else str(segments[0]["key"])


def _foreseen(
    open_work: OpenWork, assignment_id: int, segment: dict[str, Any], before: str | None
) -> int | None:
    """How many will be in a new segment: earlier ones and holds keep theirs. None: nobody can say."""
    try:
        with open_work() as work:
            body = extended(current(work, assignment_id), [segment], (), before)
            found = preview(work, assignment_id, body).segments
    except (BadRule, Unavailable):  # it asks too much, or takes too long: publishing has the word
        return None
    return next(one.after for one in found if one.key == segment["key"])


def _named(work: Work, assignment_id: int, name: str, when: Node) -> dict[str, Any]:
    if not name.strip():
        raise BadInput("name: give the new segment a name")
    return {"key": free_key(work, assignment_id, name), "name": name.strip(), "when": dump_node(when)}


def _found(work: Work, assignment_id: int, filters: Filters, expected: Expected) -> list[int]:
    found = asking.customers(work, assignment_id, _asked(work, assignment_id, filters))
    expected.check(len(found))
    return found


def _asked(work: Work, assignment_id: int, filters: Filters) -> asking.Asked:
    frame = board_of(work, assignment_id).frame(work)
    return asking.asked_of(frame, filters)
