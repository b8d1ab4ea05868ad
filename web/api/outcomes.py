"""What calls came to, up to 200 reports at a time: for dialers, and for managers who bring them in."""

from collections import deque
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import Field

from calling.dialers.laying_aside import lay_reports
from calling.outcomes import outcome
from calling.outcomes.outcome import Recorded as Came
from calling.views import browse
from web.api.common import MOST, Model, TheApp
from web.api.docs import answers, example
from web.api.leases import RECORDED, Recorded, Result, refuse_future, refuse_promises, told_of, wish_of
from web.keys import Holder, Reporter
from wiring.app import App
from wiring.metrics import timed

router = APIRouter(prefix="/outcomes", tags=["outcomes"])


class Reported(Result):
    """What one lease came to. `by`: who says so; a dialer's reports are always its own."""

    lease_id: UUID
    by: Literal["seller", "dialer"] = "dialer"


class Batch(Model):
    """Reports in any order; several of one lease go in their order."""

    reports: list[Reported] = Field(min_length=1, max_length=MOST)


class CameOfIt(Model):
    """What came of each report, in the order they were given."""

    results: list[Recorded]


BATCH: dict[str, Any] = {
    "reports": [{"lease_id": RECORDED["lease_id"], "outcome": "no_answer", "by": "dialer"}]
}


@router.post("", response_model=CameOfIt, responses=answers({"results": [RECORDED]}, errors=[409, 422]))
def report(app: TheApp, holder: Reporter, body: Annotated[Batch, Body(**example(BATCH))]) -> dict[str, Any]:
    """Report up to 200 outcomes. An unknown lease, or another dialer's, is an `orphan`; the rest count.

    An orphan is kept as it was told (`GET /set-aside`), until a manager has looked at it.
    """
    for one in body.reports:
        refuse_future(app, one)
    refuse_promises(app, holder, {one.lease_id: one for one in body.reports})
    own = _own(app, holder, [one.lease_id for one in body.reports])
    reports = [
        outcome.Report(
            one.lease_id, one.outcome, _by(holder, one), one.talk_seconds, one.rung_at, wish_of(one)
        )
        for one in body.reports
        if one.lease_id in own
    ]
    came: dict[UUID, deque[Came]] = {}
    orphans = [(one.lease_id, told_of(one)) for one in body.reports if one.lease_id not in own]
    if orphans:
        with app.work(holder.crm_id) as work:
            lay_reports(work, holder.dialer_id, orphans, told_by=holder.author)
    with timed("outcomes"):
        all_recorded = outcome.record_all(app.opener(holder.crm_id), reports)
    for recorded in all_recorded:
        came.setdefault(recorded.lease_id, deque()).append(recorded)
    return {
        "results": [
            came[one.lease_id].popleft() if one.lease_id in own else Came(one.lease_id, "orphan")
            for one in body.reports
        ]
    }


def _by(holder: Holder, one: Reported) -> Literal["seller", "dialer"]:
    return "dialer" if holder.role == "dialer" else one.by


def _own(app: App, holder: Holder, leases: list[UUID]) -> set[UUID]:
    """Those that this holder may report of: a dialer its own, a manager all of the CRM."""
    with app.work(holder.crm_id) as work:
        found = browse.leases(work, leases)
    everything = holder.role == "manager"
    return {key for key, row in found.items() if everything or row.dialer_id == holder.dialer_id}
