"""What a manager does with everybody in a segment: back to free, ready again, holds let go (design 3)."""

from sqlalchemy import TextClause, text

from calling.segments.bulk import BulkDone, Progress, Wish, begin, carry_out, untold
from calling.segments.bulk_steps import check_there
from calling.segments.editing import id_of
from calling.segments.selection import Expected
from models.errors import BadInput
from models.tables.assignments import UNSEGMENTED
from models.work import OpenWork, Work

_IN_IT = text("""
    select customer_id from placement
     where crm_id = :crm_id and assignment_id = :assignment_id and segment_id = :segment_id
       and state not in ('left', 'anonymised')
""")
_RESTING = text("""
    select customer_id from placement
     where crm_id = :crm_id and assignment_id = :assignment_id and segment_id = :segment_id
       and state = 'resting'
""")
_HELD = text("""
    select customer_id from hold
     where crm_id = :crm_id and assignment_id = :assignment_id and segment_id = :segment_id
       and (expires_at is null or expires_at > :now)
""")
_COUNTS = text(f"""
    select (select count(*) from ({_IN_IT.text}) one) as customers,
           (select count(*) from ({_RESTING.text}) one) as resting,
           (select count(*) from ({_HELD.text}) one) as held
""")  # noqa: S608 - our own statements


def affected(work: Work, assignment_id: int, segment_id: int) -> dict[str, int]:
    """How many `customers` free_segment, `resting` wake_segment, `held` release_segment would touch now.

    Raises NotFound.
    """
    check_there(work, assignment_id, segment_id)
    return dict(work.run(_COUNTS, assignment_id=assignment_id, segment_id=segment_id).one()._mapping)


def free_segment(
    open_work: OpenWork, assignment_id: int, segment_id: int, *, expected: Expected, author: str, reason: str,
    progress: Progress = untold,
) -> BulkDone:  # fmt: skip
    """Move everybody in a segment back to free: to Unsegmented, with a hold each; their state stays.

    Raises BadInput for Unsegmented itself, NotFound, Conflict when they are not as many as expected.
    """
    with open_work() as work:
        check_there(work, assignment_id, segment_id)
        to = id_of(work, assignment_id, UNSEGMENTED)
        if to == segment_id:
            raise BadInput("segment: Unsegmented is where the free ones are; they are there already")
        wish = Wish(assignment_id, "free", author, reason, to, segment_id)
        action_id = _begin(work, wish, _IN_IT, expected)
    return carry_out(open_work, action_id, progress)


def wake_segment(
    open_work: OpenWork, assignment_id: int, segment_id: int, *, expected: Expected, author: str, reason: str,
    progress: Progress = untold,
) -> BulkDone:  # fmt: skip
    """Make everybody ready who rests in a segment; `expected` of those. Promised and closed ones stay.

    Gates stay as well: the minimum gap after a ring is waited all the same. Raises NotFound, Conflict.
    """
    with open_work() as work:
        check_there(work, assignment_id, segment_id)
        wish = Wish(assignment_id, "wake", author, reason, of_segment=segment_id)
        action_id = _begin(work, wish, _RESTING, expected)
    return carry_out(open_work, action_id, progress)


def release_segment(
    open_work: OpenWork, assignment_id: int, segment_id: int, *, expected: Expected, author: str, reason: str,
    progress: Progress = untold,
) -> BulkDone:  # fmt: skip
    """Let go of every hold in a segment; the rules place their customers again. Raises NotFound, Conflict."""
    with open_work() as work:
        check_there(work, assignment_id, segment_id)
        wish = Wish(assignment_id, "release", author, reason, of_segment=segment_id)
        action_id = _begin(work, wish, _HELD, expected)
    return carry_out(open_work, action_id, progress)


def _begin(work: Work, wish: Wish, found: TextClause, expected: Expected) -> int:
    asked = {"assignment_id": wish.assignment_id, "segment_id": wish.of_segment}
    customers = list(work.run(found, **asked).scalars())
    expected.check(len(customers))
    return begin(work, wish, customers)
