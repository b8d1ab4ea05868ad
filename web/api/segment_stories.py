"""What happened to a segment, and who is in it: history, deeds, portrait."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from calling.segments import history as told
from calling.segments.bulk_steps import check_there
from calling.views.portraits import named_portrait
from segmentation.facets.spelling import spelled
from segmentation.portrait import Worked as Figures
from web.api import story_models as models
from web.api.common import AskedInstant, Page, Paging, PathId, TheApp, page
from web.api.docs import answers
from web.keys import Manager

router = APIRouter(prefix="/assignments/{assignment_id}/segments/{segment_id}", tags=["segments"])

A_DAY = timedelta(days=1)


@router.get("/history", response_model=models.History, responses=answers(models.HISTORY, errors=[404, 422]))
def history(
    app: TheApp, holder: Manager, assignment_id: PathId, segment_id: PathId,
    since: Annotated[AskedInstant | None, Query(description="A day ago if left out.")] = None,
    step_minutes: Annotated[int, Query(ge=1, le=60 * 24 * 31)] = 60,
) -> models.History:  # fmt: skip
    """Sizes over time, who came and went by cause, who did what. At most 1,000 steps."""
    with app.work(holder.crm_id) as work:
        check_there(work, assignment_id, segment_id)
        begins: datetime = since or work.now - A_DAY
        found = told.history(work, segment_id, begins, timedelta(minutes=step_minutes))
    return models.History.model_validate(
        {name: getattr(found, name) for name in models.History.model_fields}
        | {"deeds": found.deeds[-models.MOST_DEEDS :]}
    )


@router.get("/deeds", response_model=Page[models.Deed],
            responses=answers({"items": [models.DEED], "next": None}, errors=[404, 422]))  # fmt: skip
def deeds(
    app: TheApp, holder: Manager, assignment_id: PathId, segment_id: PathId, asked: Paging
) -> dict[str, Any]:
    """Everything that was done to the segment, oldest first."""
    with app.work(holder.crm_id) as work:
        check_there(work, assignment_id, segment_id)
        return page(
            f"deeds of {segment_id}", asked,
            lambda after, most: told.deeds(work, assignment_id, segment_id, after, most),
        )  # fmt: skip


@router.get(
    "/portrait", response_model=models.Portrait, responses=answers(models.PORTRAIT, errors=[404, 422])
)
def portrait(
    app: TheApp, holder: Manager, assignment_id: PathId, segment_id: PathId,
    since: Annotated[AskedInstant | None, Query(description="Calls since; 90 days if left out.")] = None,
) -> models.Portrait:  # fmt: skip
    """The average picture of a typical member: means, values that stand out with their lift, best hours."""
    with app.work(holder.crm_id) as work:
        found = named_portrait(work, assignment_id, segment_id, since)
    of = found.of
    return models.Portrait(
        segment_id=of.segment_id, size=of.size, assignment=of.assignment, as_of=of.as_of,
        numbers=[
            models.NumberField(name=one.title, **{key: getattr(one.figures, key) for key in _NUMBER})
            for one in found.numbers
        ],
        standouts=[
            models.Standout(
                dimension=one.dimension, dimension_name=one.title, value=spelled(one.value), name=one.name,
                count=one.count, of_all=one.of_all, lift=one.lift, deviations=one.deviations,
            )
            for one in found.standouts
        ],
        sample=of.numbers.sample, sample_of_all=of.numbers.sample_of_all,
        calls_since=of.calls.since, calls_cut=of.calls.cut, worked=models.Worked(**_rates(of.calls.worked)),
        hours=[models.Hour(hour=hour, **_rates(worked)) for hour, worked in of.calls.hours],
    )  # fmt: skip


_NUMBER = ("field", "known", "mean", "median", "mean_of_all")


def _rates(of: Figures) -> dict[str, Any]:
    return {name: getattr(of, name) for name in models.Worked.model_fields}
