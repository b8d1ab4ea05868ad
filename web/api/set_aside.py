"""What was told and could not be used: looked at, and worked off again."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.dialers import clearing, set_aside
from models.tables.attempts import PROBLEM_KINDS
from web.api.common import LARGEST, Asked, Id, Instant, Model, Page, PathId, TheApp, page
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(prefix="/set-aside", tags=["set-aside"])

Kind = Literal[
    "unknown_cause", "unknown_result", "orphan", "foreign", "no_lease", "unknown_kind", "unreadable", "flaw"
]
"""Why it could not be used: PROBLEM_KINDS of models/tables/attempts.py."""


class SetAside(Model):
    """Something a dialer told, or somebody reported, of which nothing could be used; numbers are masked.

    `dialer_id` null: a person's key reported it. `event_id` null: it was reported over the API.
    """

    id: int
    dialer_id: int | None
    dialer: str | None
    told_by: str | None = Field(description="Whose key reported it; null: it is an event of a dialer.")
    event_id: str | None
    lease_id: UUID | None
    kind: str
    body: dict[str, Any]
    problem: str
    problem_kind: Kind
    words: list[str] = Field(description="What the dialer's causes know nothing of.")
    set_aside_at: Instant
    seen_at: Instant | None
    seen_by: str | None
    note: str | None


class AskedSetAside(Asked):
    """Which of them."""

    seen: bool = Field(False, description="Those that somebody has looked at, instead of those that wait.")
    kind: Kind | None = Field(None, description="Only what could not be used for this.")
    dialer_id: int | None = Field(None, ge=1, le=LARGEST, description="Only what this dialer told.")


class Note(Model):
    """What came of it."""

    note: str = Field(min_length=1, max_length=set_aside.LONGEST_NOTE)


class These(Model):
    """Many at once: all that could not be used for this, all that this dialer told; null: whatever it is."""

    kind: Kind | None = None
    dialer_id: Id | None = None

    def said(self) -> dict[str, Any]:
        """As calling/dialers/clearing.py takes it."""
        return {"kinds": [self.kind] if self.kind else PROBLEM_KINDS, "dialer_id": self.dialer_id}


class LookedAt(These, Note):
    """Which of them, and what came of them."""


class Cleared(Model):
    """How many were done, and how many still wait for somebody to look at them."""

    done: int
    waiting: int


class Waits(Model):
    """How much still waits for somebody to look at it."""

    waiting: int


ONE: dict[str, Any] = {
    "id": 3, "dialer_id": 1, "dialer": "robot", "told_by": None, "event_id": "8841",
    "lease_id": "019cae6d-3ac0-7424-b813-c529b6d801b2", "kind": "ended",
    "body": {"at": "2026-03-02T12:00:00Z", "result": "SALE!"}, "problem": "unknown result 'SALE!'",
    "problem_kind": "unknown_result", "words": ["sale!"],
    "set_aside_at": "2026-03-02T12:00:01Z", "seen_at": None, "seen_by": None, "note": None,
}  # fmt: skip


@router.get("", response_model=Page[SetAside],
            responses=answers({"items": [ONE], "next": None}, errors=[422]))  # fmt: skip
def set_aside_list(app: TheApp, holder: Manager, asked: Annotated[AskedSetAside, Query()]) -> dict[str, Any]:
    """What was told and could not be used, oldest first. Each may be a result that is missing."""
    with app.work(holder.crm_id) as work:
        wanted: dict[str, Any] = {
            "seen": asked.seen, "kinds": [asked.kind] if asked.kind else PROBLEM_KINDS,
            "dialer_id": asked.dialer_id,
        }  # fmt: skip
        return page("set-aside", asked, lambda after, most: set_aside.set_aside(work, after, most, **wanted))


@router.post("/seen", response_model=Cleared,
             responses=answers({"done": 12, "waiting": 0}, errors=[422]))  # fmt: skip
def all_seen(
    app: TheApp, holder: Manager,
    body: Annotated[LookedAt, Body(**example({"kind": "orphan", "dialer_id": 1, "note": "a test"}))],
) -> Cleared:  # fmt: skip
    """Say that somebody has looked at all of these, and what came of them."""
    with app.work(holder.crm_id) as work:
        done = clearing.look_at_all(work, author=holder.author, note=body.note, **body.said())
        return Cleared(done=done, waiting=set_aside.unseen(work).many)


@router.post("/again", response_model=Cleared,
             responses=answers({"done": 12, "waiting": 0}, errors=[422]))  # fmt: skip
def all_again(
    app: TheApp, holder: Manager,
    body: Annotated[These, Body(**example({"kind": "flaw", "dialer_id": 1}))],
) -> Cleared:  # fmt: skip
    """Work all events of these off again, once what was wrong is mended. In vain, they are set aside anew."""
    done = clearing.work_off_all_again(app.opener(holder.crm_id), author=holder.author, **body.said())
    with app.work(holder.crm_id) as work:
        return Cleared(done=done, waiting=set_aside.unseen(work).many)


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
