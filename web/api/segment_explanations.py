"""Why a customer is in their segment, and what if."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.segments.explaining import explain_segment
from calling.views import browse
from segmentation.explanation import SegmentExplanation
from web.api.common import LARGEST, Id, Instant, Model, PathId, TheApp, without_nul_in
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(prefix="/customers/{customer_id}/segment", tags=["customers"])


class Reason(Model):
    """One node of a rule: true now or not; from `flips_at` on otherwise (null: by time alone, never)."""

    kind: Literal["question", "all", "any", "not", "rule"] = Field(
        description="A question that names rules has them as parts: `rule`, each with its tree."
    )
    text: str
    is_true: bool
    flips_at: Instant | None
    value: Any = Field(description="What the field of a question is; null: it has no value.")
    shown: str | None = Field(description="The same as people read it.")
    parts: list["Reason"]


class RuleAnswer(Model):
    """One segment's or label's rule over this customer."""

    key: str
    name: str
    text: str
    is_true: bool
    flips_at: Instant | None
    is_reached: bool = Field(description="No segment before it has taken them; of labels always.")
    places: bool = Field(description="By rule they are in this segment, or have this label.")
    is_broken: bool = Field(description="It cannot be read any more; an earlier form is in force.")
    reason: Reason


class HoldNow(Model):
    """The hold that wins over rules. `until` null: until it is released."""

    key: str
    name: str
    author: str
    reason: str
    since: Instant
    until: Instant | None


class NextChange(Model):
    """When time alone places them in another segment, and in which."""

    at: Instant
    key: str
    name: str


class SegmentAnswer(Model):
    """Why a customer is in their segment as of `at`."""

    customer_id: int
    external_id: str
    name: str
    assignment_id: int
    at: Instant
    version: int
    segment_key: str = Field(description="Where they stand.")
    segment: str
    rule_key: str = Field(description="Where the rules place them.")
    belongs_key: str = Field(description="Where rules and hold place them: holds win.")
    hold: HoldNow | None
    is_pending: bool = Field(description="They are still to be moved there.")
    why: str = Field(description="All of it in one line.")
    next_change: NextChange | None
    looked_to: Instant | None = Field(description="Later changes are not known; null: all were looked at.")
    segments: list[RuleAnswer] = Field(description="In order of priority; the first that is met wins.")
    labels: list[RuleAnswer]


class WhatIf(Model):
    """What to suppose: other facts of theirs, other rules, or both."""

    assignment: Id
    facts: dict[str, Any] = Field(
        default_factory=dict, description="Field of the rules -> its value; null: it has none."
    )
    draft: dict[str, Any] | None = Field(None, description="A rule set, as for a preview.")


WHY: dict[str, Any] = {
    "customer_id": 1841, "external_id": "bm-01841", "name": "Customer 1841", "assignment_id": 1,
    "at": "2026-03-02T12:00:00Z", "version": 4, "segment_key": "fresh", "segment": "Fresh",
    "rule_key": "fresh", "belongs_key": "fresh", "hold": None, "is_pending": False,
    "why": "by its rule: entered within last 2 days; from Wed 2026-03-04 08:00 UTC on in \"Loans\", "
           "by time alone",
    "next_change": {"at": "2026-03-04T08:00:00Z", "key": "loans", "name": "Loans"}, "looked_to": None,
    "segments": [
        {
            "key": "fresh", "name": "Fresh", "text": "entered within last 2 days", "is_true": True,
            "flips_at": "2026-03-04T08:00:00Z", "is_reached": True, "places": True, "is_broken": False,
            "reason": {
                "kind": "question", "text": "entered within last 2 days", "is_true": True,
                "flips_at": "2026-03-04T08:00:00Z", "value": "2026-03-02T08:00:00Z",
                "shown": "Mon 2026-03-02 08:00 UTC, 4 hours ago", "parts": [],
            },
        }
    ],
    "labels": [],
}  # fmt: skip
WHAT_IF: dict[str, Any] = {"assignment": 1, "facts": {"attempts": 4, "status": "busy"}}


@router.get("", response_model=SegmentAnswer, responses=answers(WHY, errors=[404, 422]))
def why_here(
    app: TheApp, holder: Manager, customer_id: PathId,
    assignment: Annotated[int, Query(ge=1, le=LARGEST, description="The assignment it is about.")],
) -> SegmentExplanation:  # fmt: skip
    """Why is this customer in this segment? Every rule, question by question, and when time changes it."""
    with app.work(holder.crm_id, snapshot=True) as work:
        browse.customer(work, customer_id)
        return explain_segment(work, assignment, customer_id)


@router.post("/what-if", response_model=SegmentAnswer, responses=answers(WHY, errors=[404, 422]))
def what_if(
    app: TheApp, holder: Manager, customer_id: PathId,
    asked: Annotated[WhatIf, Body(**example(WHAT_IF))],
) -> SegmentExplanation:  # fmt: skip
    """The same, were their facts others, or the rules. Nothing is written."""
    without_nul_in(asked.model_dump())
    with app.work(holder.crm_id, snapshot=True) as work:
        browse.customer(work, customer_id)
        return explain_segment(work, asked.assignment, customer_id, supposed=asked.facts, draft=asked.draft)
