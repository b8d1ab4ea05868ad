"""Segments: made, renamed, ordered, deleted; and what is done to everybody in one."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from calling.segments import editing, freeing
from calling.segments.bulk import BulkDone
from calling.segments.selection import NOBODY
from calling.views import browse
from calling.views.segment_list import deleted_segments
from segmentation.nodes import dump_node
from web.about import about
from web.api import facet_models as models
from web.api.common import Instant, Model, Page, Paging, PathId, TheApp, Words, page, without_nul_in
from web.api.docs import answers, example
from web.keys import Holder, Manager
from wiring.app import App
from wiring.metrics import timed

router = APIRouter(prefix="/assignments/{assignment_id}/segments", tags=["segments"])

SegmentId = Annotated[int, Field(strict=True, ge=1)]


class NewSegment(Model):
    """A new segment."""

    name: Words
    key: str | None = Field(None, max_length=60, description="Made from the name if left out; never changes.")
    when: dict[str, Any] | None = Field(
        None, description="Its rule (docs/rules.md); null: only people put customers into it."
    )
    before: SegmentId | None = Field(None, description="In front of this segment; null: last.")


class Made(Model):
    """The new segment, and the version of the rules it came with."""

    version: int
    segment_id: int
    key: str


class Renamed(Model):
    """Another name."""

    name: Words


class Order(Model):
    """All segments but Unsegmented, the first match wins."""

    segments: list[SegmentId] = Field(max_length=200)


class Deleted(Model):
    """A segment that was deleted."""

    id: int
    key: str
    name: str
    deleted_at: Instant
    size: int = Field(description="So many still stand there, until the rebuild takes them.")


class Version(Model):
    """The version of the rules that is in force now."""

    version: int


class Affected(Model):
    """How many customers each action would touch now: pass it as `expected`."""

    customers: int = Field(description="`free` would move so many back to Unsegmented.")
    resting: int = Field(description="`wake` would make so many ready.")
    held: int = Field(description="`release` would let go of so many holds.")


NEW: dict[str, Any] = {
    "name": "With a loan", "when": {"f": "loan", "op": "is_true"}, "before": 3,
}  # fmt: skip
DELETED: dict[str, Any] = {
    "id": 5, "key": "savers", "name": "Savers", "deleted_at": "2026-03-02T12:00:00Z", "size": 0,
}  # fmt: skip
WHY: dict[str, Any] = {"expected": 7244, "tolerance": "1%", "reason": "campaign is over"}


@router.post("", status_code=201, response_model=Made,
             responses=answers({"version": 5, "segment_id": 9, "key": "with-a-loan"}, status=201,
                               errors=[404, 409, 422]))  # fmt: skip
def create(
    app: TheApp, holder: Manager, assignment_id: PathId, body: Annotated[NewSegment, Body(**example(NEW))]
) -> Made:
    """Make a segment. Its customers come with the rebuild, as after every new version of the rules."""
    without_nul_in(body.when)
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        key = body.key or editing.free_key(work, assignment_id, body.name)
        before = None if body.before is None else editing.key_of(work, assignment_id, body.before)
    segment = {"key": key, "name": body.name, "when": body.when or dump_node(NOBODY)}
    version = editing.create(open_work, assignment_id, segment, author=holder.author, before=before)
    with open_work() as work:
        return Made(version=version, segment_id=editing.id_of(work, assignment_id, key), key=key)


@router.put("/order", response_model=Version,
            responses=answers({"version": 6}, errors=[404, 409, 422]))  # fmt: skip
def reorder(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[Order, Body(**example({"segments": [3, 9, 4]}))],
) -> Version:  # fmt: skip
    """Put all segments into this order of priority."""
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        keys = [editing.key_of(work, assignment_id, segment_id) for segment_id in body.segments]
    return Version(version=editing.reorder(open_work, assignment_id, keys, author=holder.author))


@router.get("/deleted", response_model=Page[Deleted],
            responses=answers({"items": [DELETED], "next": None}, errors=[404, 422]))  # fmt: skip
def deleted(app: TheApp, holder: Manager, assignment_id: PathId, asked: Paging) -> dict[str, Any]:
    """Segments that were deleted. Their history and deeds stay readable; a roll back brings them back."""
    with app.work(holder.crm_id) as work:
        browse.assignment(work, assignment_id)
        return page(
            "deleted segments", asked,
            lambda after, most: deleted_segments(work, assignment_id, after, most),
        )  # fmt: skip


@router.patch("/{segment_id}", response_model=Version,
              responses=answers({"version": 7}, errors=[404, 409, 422]))  # fmt: skip
def rename(
    app: TheApp, holder: Manager, assignment_id: PathId, segment_id: PathId,
    body: Annotated[Renamed, Body(**example({"name": "Loans, spring"}))],
) -> Version:  # fmt: skip
    """Give a segment another name; its key and its customers stay."""
    key = _key(app, holder, assignment_id, segment_id)
    open_work = app.opener(holder.crm_id)
    return Version(version=editing.rename(open_work, assignment_id, key, body.name, author=holder.author))


@router.delete("/{segment_id}", response_model=Version,
               responses=answers({"version": 8}, errors=[404, 409, 422]))  # fmt: skip
def delete(app: TheApp, holder: Manager, assignment_id: PathId, segment_id: PathId) -> Version:
    """Delete a segment: its holds are let go, its pause ends, its customers go where the other rules say.

    Rolling the rules back brings it back, unpaused, with those whom its rule finds and nobody held in it.
    """
    key = _key(app, holder, assignment_id, segment_id)
    return Version(
        version=editing.delete(app.opener(holder.crm_id), assignment_id, key, author=holder.author)
    )


@router.get("/{segment_id}/affected", response_model=Affected,
            responses=answers({"customers": 7244, "resting": 240, "held": 0}, errors=[404, 422]))  # fmt: skip
def affected(app: TheApp, holder: Manager, assignment_id: PathId, segment_id: PathId) -> Any:
    """What the three actions below would touch now, for the question "are you sure?"."""
    with app.work(holder.crm_id) as work:
        return Affected(**freeing.affected(work, assignment_id, segment_id))


@router.post("/{segment_id}/free", response_model=models.Done,
             responses=answers(models.DONE, errors=[404, 409, 422]))  # fmt: skip
def free(
    app: TheApp, holder: Manager, assignment_id: PathId, segment_id: PathId,
    body: Annotated[models.WithReason, Body(**example(WHY))],
) -> models.Done:  # fmt: skip
    """Move everybody back to free: to Unsegmented, with a hold each. State, status and follow-ups stay."""
    return _all(app, holder, assignment_id, segment_id, body, freeing.free_segment)


@router.post("/{segment_id}/wake", response_model=models.Done,
             responses=answers(models.DONE, errors=[404, 409, 422]))  # fmt: skip
def wake(
    app: TheApp, holder: Manager, assignment_id: PathId, segment_id: PathId,
    body: Annotated[models.WithReason, Body(**example(WHY))],
) -> models.Done:  # fmt: skip
    """Make everybody ready who rests; `expected` of those. Promised calls and closed customers stay."""
    return _all(app, holder, assignment_id, segment_id, body, freeing.wake_segment)


@router.post("/{segment_id}/release", response_model=models.Done,
             responses=answers(models.DONE, errors=[404, 409, 422]))  # fmt: skip
def release(
    app: TheApp, holder: Manager, assignment_id: PathId, segment_id: PathId,
    body: Annotated[models.WithReason, Body(**example(WHY))],
) -> models.Done:  # fmt: skip
    """Let go of every hold in the segment; the rules place their customers again."""
    return _all(app, holder, assignment_id, segment_id, body, freeing.release_segment)


def _all(
    app: App, holder: Holder, assignment_id: int, segment_id: int, body: models.WithReason,
    verb: Callable[..., BulkDone],
) -> models.Done:  # fmt: skip
    with timed(verb.__name__), about(assignment=assignment_id):
        return models.done(
            verb(
                app.opener(holder.crm_id), assignment_id, segment_id, expected=body.expecting,
                author=holder.author, reason=body.reason,
            )
        )  # fmt: skip


def _key(app: App, holder: Holder, assignment_id: int, segment_id: int) -> str:
    with app.work(holder.crm_id) as work:
        return editing.key_of(work, assignment_id, segment_id)
