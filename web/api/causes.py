"""What the causes of a dialer come to: what is shipped, what the CRM says of its own, who changed it."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.dialers import causes as reading
from calling.dialers.editing_causes import LONGEST_REASON, MOST_CAUSES, set_causes
from models.outcomes import Outcome
from web import cursors
from web.api.common import Instant, Model, Paging, PathId, TheApp
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(prefix="/dialers/{dialer_id}/causes", tags=["set-aside"])


class Cause(Model):
    """A cause and what it comes to. `own`: the CRM says so, else it is what is shipped."""

    cause: str
    outcome: Outcome
    own: bool
    shipped: Outcome | None = Field(description="What it comes to where the CRM says nothing.")
    evidence: str | None = Field(description="Of what is shipped: measured, standard or documented.")
    source: str | None


class Causes(Model):
    """All causes of a dialer that are known."""

    dialer_id: int
    dialer: str
    adapter: str
    version: int = Field(description="Say it as `base` when you change them.")
    causes: list[Cause]


class CauseChange(Model):
    """Somebody changed what causes come to; a cause missing on one side took, or takes, the default."""

    version: int
    before: dict[str, str]
    after: dict[str, str]
    lines: list[str] = Field(description="The same, a line a cause.")
    reason: str
    author: str
    changed_at: Instant


class CauseChanges(Model):
    """One page of changes, the last first."""

    items: list[CauseChange]
    next: str | None = Field(description="Pass it as `cursor` to get the next page; null on the last one.")


class WantedCauses(Model):
    """Cause -> outcome, and why. PUT: all that the CRM says of its own; PATCH: null takes one back."""

    causes: dict[str, str | None] = Field(max_length=MOST_CAUSES)
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class Edited(Model):
    """The version after it, and how many that lay aside are counted now, late."""

    version: int
    counted: int


WANTED = {"causes": {"hangup 21": "no_sale", "trunk 9": "failed"}, "reason": "the new trunk says so"}
CHANGE: dict[str, Any] = {
    "version": 2, "before": {}, "after": {"hangup 21": "no_sale"},
    "lines": ["hangup 21: the default -> no_sale"], "reason": "the new trunk says so", "author": "Kari",
    "changed_at": "2026-03-02T12:00:00Z",
}  # fmt: skip
CAUSES: dict[str, Any] = {
    "dialer_id": 1, "dialer": "robot", "adapter": "redis_queue", "version": 2,
    "causes": [
        {"cause": "hangup 21", "outcome": "no_sale", "own": True, "shipped": "no_answer",
         "evidence": "standard", "source": "ITU-T Q.850, cause values"},
    ],
}  # fmt: skip
EDITED = {"version": 2, "counted": 14}

Base = Annotated[
    int | None, Query(ge=0, description="The version that you read; 409 if somebody has changed it since.")
]
Wanted = Annotated[WantedCauses, Body(**example(WANTED))]


@router.get("", response_model=Causes, responses=answers(CAUSES, errors=[404, 422]))
def causes(app: TheApp, holder: Manager, dialer_id: PathId) -> dict[str, Any]:
    """What every cause of a dialer comes to, as the CRM says or as it is shipped for its adapter."""
    with app.work(holder.crm_id) as work:
        found = reading.causes(work, dialer_id)
    return {
        "dialer_id": found.dialer_id, "dialer": found.dialer, "adapter": found.adapter,
        "version": found.version, "causes": [_told(one) for one in found.causes],
    }  # fmt: skip


@router.put("", response_model=Edited, responses=answers(EDITED, errors=[404, 409, 422]))
def set_all(
    app: TheApp, holder: Manager, dialer_id: PathId, body: Wanted, base: Base = None
) -> dict[str, Any]:  # fmt: skip
    """Say all that the CRM has of its own. What lay aside for want of a word is counted, late, and once."""
    return _set(app, holder, dialer_id, body, base, whole=True)


@router.patch("", response_model=Edited, responses=answers(EDITED, errors=[404, 409, 422]))
def set_some(
    app: TheApp, holder: Manager, dialer_id: PathId, body: Wanted, base: Base = None
) -> dict[str, Any]:  # fmt: skip
    """Say what some causes come to, beside the others; null: what is shipped again."""
    return _set(app, holder, dialer_id, body, base, whole=False)


@router.get("/changes", response_model=CauseChanges,
            responses=answers({"items": [CHANGE], "next": None}, errors=[404, 422]))  # fmt: skip
def changes(app: TheApp, holder: Manager, dialer_id: PathId, asked: Paging) -> dict[str, Any]:
    """Who changed them, when, why, from what to what: the last change first."""
    before = cursors.decode("cause_changes", asked.cursor)
    with app.work(holder.crm_id) as work:
        rows = reading.cause_changes(work, dialer_id, asked.limit + 1, before=before or None)
    items = rows[: asked.limit]
    more = len(rows) > asked.limit
    return {"items": items, "next": cursors.encode("cause_changes", items[-1].version) if more else None}


def _set(
    app: TheApp, holder: Manager, dialer_id: int, body: WantedCauses, base: int | None, *, whole: bool
) -> dict[str, Any]:
    done = set_causes(
        app.opener(holder.crm_id), dialer_id, body.causes, author=holder.author, reason=body.reason,
        base=base, whole=whole,
    )  # fmt: skip
    return {"version": done.version, "counted": done.back}


def _told(one: reading.Cause) -> dict[str, Any]:
    shipped = one.shipped
    return {
        "cause": one.cause, "outcome": one.outcome, "own": one.own,
        "shipped": shipped and shipped.outcome, "evidence": shipped and shipped.evidence,
        "source": shipped and shipped.source,
    }  # fmt: skip
