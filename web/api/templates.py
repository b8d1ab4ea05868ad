"""Templates: segments and labels ready-made, bands of a field with one click, turnover classes of the CRM."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from calling.segments import templates as verbs
from calling.segments import turnover
from models.errors import NotFound
from segmentation.templates.catalogue import Parameter
from web.api import template_models as models
from web.api.common import PathId, TheApp, without_nul_in
from web.api.docs import answers, example
from web.keys import Manager
from wiring.metrics import timed

router = APIRouter(tags=["templates"])


@router.get("/assignments/{assignment_id}/templates", response_model=models.Offers,
            responses=answers({"items": [models.OFFER]}, errors=[404, 422]))  # fmt: skip
def offered(app: TheApp, holder: Manager, assignment_id: PathId) -> dict[str, Any]:
    """Every template, with the fields of this CRM that fit it."""
    with app.work(holder.crm_id) as work:
        return {"items": [_offer(one) for one in verbs.offers(work, assignment_id)]}


@router.post("/assignments/{assignment_id}/templates/{key}/preview", response_model=models.Preview,
             responses=answers(models.PREVIEW, errors=[404, 409, 422]))  # fmt: skip
def preview(
    app: TheApp, holder: Manager, assignment_id: PathId, key: str,
    body: Annotated[models.Wish, Body(**example(models.WISH))],
) -> verbs.Preview:  # fmt: skip
    """What a template would make, with counts. Nothing is changed."""
    without_nul_in(body.parameters)
    with app.work(holder.crm_id) as work:
        return verbs.preview(work, assignment_id, key, body.as_wish())


@router.post("/assignments/{assignment_id}/templates/{key}/apply", response_model=models.Applied,
             responses=answers({"version": 5, "keys": ["age-under-18"]}, errors=[404, 409, 422]))  # fmt: skip
def apply(
    app: TheApp, holder: Manager, assignment_id: PathId, key: str,
    body: Annotated[models.Wish, Body(**example(models.WISH))],
) -> verbs.Applied:  # fmt: skip
    """Add what a template makes to the assignment's rules, and publish them."""
    without_nul_in(body.parameters)
    with timed("apply_template"):
        return verbs.apply(
            app.opener(holder.crm_id), assignment_id, key, body.as_wish(), author=holder.author,
            version=body.version,
        )  # fmt: skip


@router.get(
    "/turnover-classes", response_model=models.Turnover, responses=answers(models.TURNOVER, errors=[404])
)
def classes(app: TheApp, holder: Manager) -> turnover.Turnover:
    """Where the turnover classes begin; 404 before anybody has said."""
    with app.work(holder.crm_id) as work:
        found = turnover.turnover(work)
    if found is None:
        raise NotFound("turnover class", "yet: apply the template, or say where they begin")
    return found


@router.put("/turnover-classes", response_model=models.Changed,
            responses=answers(models.CHANGED, errors=[409, 422]))  # fmt: skip
def move_classes(
    app: TheApp, holder: Manager, body: Annotated[models.NewTurnover, Body(**example(models.NEW_TURNOVER))]
) -> turnover.Changed:
    """Move where the classes begin. Every assignment that uses them is published anew, all or none."""
    given = body.model_dump(exclude={"version"})
    with timed("move_turnover_classes"):
        return turnover.change(app.opener(holder.crm_id), given, author=holder.author, expected=body.version)


def _offer(one: verbs.Offer) -> dict[str, Any]:
    template = one.template
    of = one.suggestions
    told = [_told(parameter, of.get(name, ())) for name, parameter in template.parameters.items()]
    return {
        "key": template.key, "name": template.name, "what": template.what,
        "parts": [part.name for part in template.parts], "parameters": told, "fits": one.fits,
        "why_not": one.why_not,
    }  # fmt: skip


def _told(parameter: Parameter, suggestions: Any) -> dict[str, Any]:
    default = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
    return {
        "name": parameter.name, "what": parameter.what, "default": default, "types": list(parameter.types),
        "suggestions": list(suggestions),
    }  # fmt: skip
