"""The history of segments: customers in and out by cause, sizes over time, and who did what.

A move is written by the statement that moves (segmentation/statements.py). Causes: `entered` (into the
assignment), `rule` (a rule set was published, or is read otherwise), `event` (an outcome, an import), `time`
(clocks that change as well), `hand`. Several reasons of one rebuild: the strongest (segmentation/reasons.py).
Whoever goes for good is told by their state, `left` or `anonymised`, from the placement: no move is written,
and whoever comes back was never gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text

from models.errors import BadInput, NotFound
from models.work import Work

_ENTERED = text("""
    insert into segment_move (crm_id, assignment_id, moved_at, cause, to_segment, rule_version, customers)
    select :crm_id, :assignment_id, :now, 'entered', s.id, 0, cast(:customers as bigint[])
      from segment s
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.key = 'unsegmented'
""")
_DEED = text("""
    insert into segment_event (crm_id, assignment_id, segment_id, deed, author, detail, done_at)
    values (:crm_id, :assignment_id, :segment_id, :deed, :author, cast(:detail as jsonb), :now)
""")
_SEGMENT = text("""
    select s.assignment_id, s.key, s.name from segment s where s.crm_id = :crm_id and s.id = :segment_id
""")
# Who is in it, with no step, and who went from it for good in each: one pass.
_STANDING = text("""
    select floor(extract(epoch from p.gone_at - :since) / :step)::bigint as step,
           case when p.gone_at is null then 'here' else p.state end as cause, count(*) as customers
      from placement p
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.segment_id = :segment_id
       and (p.gone_at is null or p.gone_at >= :since)
     group by 1, 2 order by 1, 2
""")
# Steps begin at :since; the one that is under way is the last.
_FLOWS = text("""
    select floor(extract(epoch from m.moved_at - :since) / :step)::bigint as step, m.cause,
           sum(cardinality(m.customers) * (m.to_segment = :segment_id)::int)::bigint as came,
           sum(cardinality(m.customers) * coalesce(m.from_segment = :segment_id, false)::int)::bigint as went
      from segment_move m
     where m.crm_id = :crm_id and m.assignment_id = :assignment_id and m.moved_at >= :since
       and :segment_id in (m.from_segment, m.to_segment)
     group by 1, 2 order by 1, 2
""")
_DEEDS = text("""
    select id, deed, author, detail, done_at from segment_event
     where crm_id = :crm_id and assignment_id = :assignment_id and done_at >= :since
       and (segment_id = :segment_id or segment_id is null)
     order by done_at, id
""")

_DEED_PAGE = text("""
    select id, deed, author, detail, done_at from segment_event
     where crm_id = :crm_id and assignment_id = :assignment_id and id > :after
       and (segment_id = :segment_id or segment_id is null)
     order by id limit :most
""")

MOST_STEPS = 1_000


@dataclass(frozen=True, slots=True)
class Step:
    """One span of a history, beginning at `begins` (UTC). `size` is at its end; the flows are by cause.

    Who `left` or was `anonymised` went by that; they are not of the size any more.
    """

    begins: datetime
    size: int
    came: dict[str, int]
    went: dict[str, int]


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody did something to the segment, or to all of them."""

    id: int
    deed: str
    author: str
    detail: dict[str, Any]
    done_at: datetime


@dataclass(frozen=True, slots=True)
class SegmentHistory:
    """A segment since an instant: its size at the beginning, what changed in each step, who did what."""

    segment_id: int
    key: str
    name: str
    since: datetime
    step_seconds: int
    size_before: int
    size: int
    steps: list[Step]
    deeds: list[Deed]


def note_entered(work: Work, assignment_id: int, customers: Sequence[int]) -> None:
    """Write who came into the assignment, Unsegmented as everybody at first."""
    if customers:
        work.run(_ENTERED, assignment_id=assignment_id, customers=sorted(customers))


def note_deed(
    work: Work, assignment_id: int, segment_id: int | None, deed: str, author: str, **detail: Any
) -> None:
    """Write what somebody did: `deed` is one of models.tables.history.SEGMENT_DEEDS; `detail` is JSON."""
    work.run(
        _DEED, assignment_id=assignment_id, segment_id=segment_id, deed=deed, author=author,
        detail=orjson.dumps(detail).decode(),
    )  # fmt: skip


def history(work: Work, segment_id: int, since: datetime, step: timedelta) -> SegmentHistory:
    """A segment from `since` (UTC) to now in steps. Raises NotFound, BadInput for more than 1,000 steps."""
    if step <= timedelta() or (work.now - since) / step > MOST_STEPS:
        raise BadInput(f"step: {step} gives more than {MOST_STEPS} steps since {since}")
    segment = work.run(_SEGMENT, segment_id=segment_id).first()
    if segment is None:
        raise NotFound("segment", segment_id)
    asked = {"assignment_id": segment.assignment_id, "segment_id": segment_id, "since": since}
    seconds = step.total_seconds()
    flows = [_Flow(**row._asdict()) for row in work.run(_FLOWS, step=seconds, **asked)]
    standing = work.run(_STANDING, step=seconds, **asked).all()
    size = sum(row.customers for row in standing if row.step is None)
    flows += [_Flow(row.step, row.cause, 0, row.customers) for row in standing if row.step is not None]
    before = size - sum(flow.came - flow.went for flow in flows)
    return SegmentHistory(
        segment_id, segment.key, segment.name, since, int(seconds), before, size,
        _steps(flows, since, step, before, work.now),
        [Deed(**row._asdict()) for row in work.run(_DEEDS, **asked)],
    )  # fmt: skip


def deeds(work: Work, assignment_id: int, segment_id: int, after: int, most: int) -> list[Deed]:
    """What was done to a segment, or to all of its assignment, with an id above `after`."""
    asked = {"assignment_id": assignment_id, "segment_id": segment_id, "after": after, "most": most}
    return [Deed(**row._asdict()) for row in work.run(_DEED_PAGE, **asked)]


@dataclass(frozen=True, slots=True)
class _Flow:
    """Who came to the segment and went from it in one step, for one cause."""

    step: int
    cause: str
    came: int
    went: int


def _steps(flows: Sequence[_Flow], since: datetime, step: timedelta, size: int, now: datetime) -> list[Step]:
    """Every step until now, the quiet ones too: a line that is drawn needs them."""
    steps: list[Step] = []
    for number in range(int((now - since) / step) + 1):
        here = [flow for flow in flows if flow.step == number]
        size += sum(flow.came - flow.went for flow in here)
        came = {flow.cause: flow.came for flow in here if flow.came}
        went = {flow.cause: flow.went for flow in here if flow.went}
        steps.append(Step(since + number * step, size, came, went))
    return steps
