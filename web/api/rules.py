"""Rules: those in force, what others would do, publishing, and the way back."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.segments import previewing
from calling.segments.drafts import body_of, translated
from calling.segments.publishing import own_fields, publish, roll_back, version_in_force
from calling.views import browse
from models.work import OpenWork
from segmentation.catalogue import catalogue
from segmentation.text.writing import write_body
from web.api import rule_models as models
from web.api.common import LARGEST, Page, Paging, PathId, TheApp, page, without_nul_in
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(prefix="/assignments/{assignment_id}/rules", tags=["rules"])

RuleSet = Annotated[
    dict[str, Any],
    Body(
        description='A rule set as JSON (docs/rules.md), or `{"text": ..}` as people write it. In JSON an '
        'SQL predicate may stand for a tree: `{"sql": "attempts >= 2"}`.',
        **example(models.RULES),
    ),
]
Base = Annotated[
    int | None,
    Query(ge=0, le=LARGEST, description="The version that it was made from; 409 if another is in force."),
]


@router.get("", response_model=models.Rules,
            responses=answers(models.IN_FORCE, errors=[404, 422]))  # fmt: skip
def rules(app: TheApp, holder: Manager, assignment_id: PathId) -> dict[str, Any]:
    """The rules in force, in their canonical form and as text."""
    with app.work(holder.crm_id) as work:
        found = browse.rules(work, assignment_id)
    if found is None:
        return {"version": 0, "segments": [], "labels": [], "text": "", "author": None, "published_at": None}
    return _told(found)


@router.put("", response_model=models.Published,
            responses=answers({"version": 5, "warnings": []}, errors=[404, 409, 422]))  # fmt: skip
def publish_rules(
    app: TheApp, holder: Manager, assignment_id: PathId, body: RuleSet, base: Base = None
) -> models.Published:
    """Publish a whole rule set. It is in force when this answers; 422 lists every problem with its path."""
    without_nul_in(body)
    with app.work(holder.crm_id) as work:
        rules = body_of(body, own_fields(work))
    opener = app.opener(holder.crm_id)
    version = publish(opener, assignment_id, rules, author=holder.author, base=base)
    return _published(opener, assignment_id, version)


@router.post("/preview", response_model=models.Preview,
             responses=answers(models.PREVIEW, errors=[404, 422]))  # fmt: skip
def preview_rules(
    app: TheApp, holder: Manager, assignment_id: PathId, body: RuleSet,
    warn_above: Annotated[
        float, Query(ge=0, le=1, description="The share that may move without a warning.")
    ] = previewing.WARN_ABOVE,
) -> dict[str, Any]:  # fmt: skip
    """What publishing a rule set would do: who would move from where to where. Nothing is written.

    Rules that take longer than ten seconds to look at are given up: 503.
    """
    without_nul_in(body)
    with app.work(holder.crm_id) as work:
        draft = previewing.read_draft(work, assignment_id, body)
    warned = previewing.warnings_of(*draft)  # reckoned while no transaction waits for it
    with app.work(holder.crm_id, snapshot=True) as work:
        seen = previewing.preview(work, assignment_id, body, warnings=warned, warn_above=warn_above)
    warnings = [{"path": path, "message": message} for path, message in seen.warnings]
    return {name: getattr(seen, name) for name in models.Preview.model_fields} | {"warnings": warnings}


@router.post("/count", response_model=models.Count,
             responses=answers(models.COUNT, errors=[404, 422]))  # fmt: skip
def count_rule(
    app: TheApp, holder: Manager, assignment_id: PathId,
    asked: Annotated[models.Asked, Body(**example(models.ASKED))],
) -> Any:  # fmt: skip
    """How many customers meet one rule now: for whoever is writing it."""
    without_nul_in(asked.model_dump())
    rule = asked.model_dump(exclude={"draft"}, exclude_none=True)
    with app.work(holder.crm_id, snapshot=True) as work:
        return previewing.count_rule(work, assignment_id, rule, draft=asked.draft)


@router.post("/translate", response_model=models.Translated,
             responses=answers(models.TRANSLATED, errors=[404, 422]))  # fmt: skip
def translate_rule(
    app: TheApp, holder: Manager, assignment_id: PathId,
    given: Annotated[models.OneRule, Body(**example(models.AS_SQL))],
) -> Any:  # fmt: skip
    """One rule in both forms, of a tree, a text or an SQL predicate; 422 lists every problem with its place.

    Rules that it names need not be there. Nothing of SQL is ever sent to the database.
    """
    without_nul_in(given.model_dump())
    with app.work(holder.crm_id) as work:
        version_in_force(work, assignment_id)
        return translated(given.model_dump(exclude_none=True), catalogue(own_fields(work)))


@router.get("/versions", response_model=Page[models.Version],
            responses=answers({"items": [models.VERSION], "next": None}, errors=[404, 422]))  # fmt: skip
def rule_versions(app: TheApp, holder: Manager, assignment_id: PathId, asked: Paging) -> dict[str, Any]:
    """Every rule set that was published, the newest first."""
    with app.work(holder.crm_id) as work:
        return page(
            f"rules of {assignment_id}", asked,
            lambda before, most: browse.rule_versions(work, assignment_id, before, most),
        )  # fmt: skip


Version = Annotated[int, Field(ge=1, le=LARGEST)]


@router.get("/versions/{version}", response_model=models.Rules,
            responses=answers(models.IN_FORCE, errors=[404, 422]))  # fmt: skip
def rule_version(app: TheApp, holder: Manager, assignment_id: PathId, version: Version) -> dict[str, Any]:
    """A rule set as it was published."""
    with app.work(holder.crm_id) as work:
        return _told(browse.rule_version(work, assignment_id, version))


@router.post("/versions/{version}/roll-back", response_model=models.Published,
             responses=answers({"version": 6, "warnings": []}, errors=[404, 409, 422]))  # fmt: skip
def roll_back_rules(
    app: TheApp, holder: Manager, assignment_id: PathId, version: Version, base: Base = None
) -> models.Published:
    """Put an earlier version in force again, as a new one.

    Segments that had gone come back with their ids, names and rules; nobody is held in them again, and they
    come back unpaused.
    """
    opener = app.opener(holder.crm_id)
    put_back = roll_back(opener, assignment_id, version, author=holder.author, base=base)
    return _published(opener, assignment_id, put_back)


def _published(opener: OpenWork, assignment_id: int, version: int) -> models.Published:
    warned = previewing.warnings_in_force(opener, assignment_id)
    told = [models.RuleWarning(path=path, message=message) for path, message in warned]
    return models.Published(version=version, warnings=told)


def _told(found: Any) -> dict[str, Any]:
    return {
        "version": found.version, "segments": found.body["segments"], "labels": found.body.get("labels", []),
        "text": write_body(found.body), "author": found.author, "published_at": found.published_at,
    }  # fmt: skip
