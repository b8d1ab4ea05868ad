"""What was told and could not be used: looked at, and worked off again."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.dialers import set_aside
from web.api.common import Asked, Instant, Model, Page, PathId, TheApp, page
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(prefix="/set-aside", tags=["set-aside"])


class SetAside(Model):
    """Something a dialer told, or somebody reported, of which nothing could be used; as it was told.

    `dialer_id` null: a manager's key reported it. `event_id` null: it was reported over the API.
    """

    id: int
    dialer_id: int | None
    dialer: str | None
    event_id: str | None
    lease_id: UUID | None
    kind: str
    body: dict[str, Any]
    problem: str
    set_aside_at: Instant
    seen_at: Instant | None
    seen_by: str | None
    note: str | None


class AskedSetAside(Asked):
    """Which of them."""

    seen: bool = Field(False, description="Those that somebody has looked at, instead of those that wait.")


class Note(Model):
    """What came of it."""

    note: str = Field(min_length=1, max_length=set_aside.LONGEST_NOTE)


class Waits(Model):
    """How much still waits for somebody to look at it."""

    waiting: int


ONE: dict[str, Any] = {
    "id": 3, "dialer_id": 1, "dialer": "robot", "event_id": "8841",
    "lease_id": "019cae6d-3ac0-7424-b813-c529b6d801b2", "kind": "ended",
    "body": {"at": "2026-03-02T12:00:00Z", "result": "SALE!"}, "problem": "unknown result 'SALE!'",
    "set_aside_at": "2026-03-02T12:00:01Z", "seen_at": None, "seen_by": None, "note": None,
}  # fmt: skip


@router.get("", response_model=Page[SetAside],
            responses=answers({"items": [ONE], "next": None}, errors=[422]))  # fmt: skip
def set_aside_list(app: TheApp, holder: Manager, asked: Annotated[AskedSetAside, Query()]) -> dict[str, Any]:
    """What was told and could not be used, oldest first. Each may be a result that is missing."""
    with app.work(holder.crm_id) as work:
        return page(
            "set-aside", asked, lambda after, most: set_aside.set_aside(work, after, most, seen=asked.seen)
        )


@router.post("/{set_aside_id}/seen", response_model=Waits,
             responses=answers({"waiting": 0}, errors=[404, 409, 422]))  # fmt: skip
def seen(
    app: TheApp, holder: Manager, set_aside_id: PathId,
    body: Annotated[Note, Body(**example({"note": "a test call"}))],
) -> Waits:  # fmt: skip
    """Say that somebody has looked at it, and what came of it. It alarms no more."""
    with app.work(holder.crm_id) as work:
        set_aside.look_at(work, set_aside_id, author=holder.author, note=body.note)
        return Waits(waiting=set_aside.unseen(work).many)


@router.post("/{set_aside_id}/again", response_model=Waits,
             responses=answers({"waiting": 0}, errors=[404, 409, 422]))  # fmt: skip
def again(app: TheApp, holder: Manager, set_aside_id: PathId) -> Waits:
    """Work an event of a dialer off again, once what was wrong is mended. In vain, it is set aside anew."""
    with app.work(holder.crm_id) as work:
        set_aside.work_off_again(work, set_aside_id, author=holder.author)
        return Waits(waiting=set_aside.unseen(work).many)
