"""Selections of customers by bars: counted, moved, woken, made into a segment."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import Field

from calling.segments import selection as verbs
from calling.segments.editing import key_of
from calling.views.bars import bars, in_words, read_selection, search_bars
from models.ends import LONGEST_HOLD, check_end
from models.errors import BadInput
from segmentation.nodes import dump_node
from segmentation.text.writing import write_rule
from web.about import about
from web.api import facet_models as models
from web.api.common import AskedInstant, Model, PathId, TheApp, Words
from web.api.docs import answers, example
from web.keys import Manager
from wiring.metrics import timed

router = APIRouter(prefix="/assignments/{assignment_id}", tags=["selections"])


class AsRule(Model):
    """A selection as a rule, as JSON and in the words of docs/rule-text.md."""

    when: dict[str, Any]
    text: str


class NewFromSelection(models.Expecting):
    """A new segment for a selection: by a standing rule, or with these customers held in it."""

    filters: models.Filters
    name: Words
    how: Literal["rule", "hold"] = Field(description="`rule`: whoever comes to be like them as well.")
    before: int | None = Field(None, strict=True, ge=1, description="In front of this segment.")
    place: Literal["first", "last"] | None = Field(
        None, description="Where to without `before`; null: first."
    )
    reason: Words | None = Field(None, description="Of the holds; required with `hold`.")
    expires_at: AskedInstant | None = Field(None, description="Of the holds.")


class NewSegment(Model):
    """A new segment. `done`: of the holds; null where its rule brings the customers, in a moment."""

    version: int
    segment_id: int
    key: str
    selected: int = Field(description="Customers of the selection.")
    comes: int | None = Field(
        description="So many will be in it: segments in front and holds keep theirs. Null: nobody can say."
    )
    done: models.Done | None


MOVE: dict[str, Any] = {
    "filters": models.FILTERS, "segment_id": 3, "expected": 510, "tolerance": "2%",
    "reason": "spring campaign", "expires_at": "2026-03-06T17:00:00Z",
}  # fmt: skip
NEW: dict[str, Any] = {
    "filters": models.FILTERS, "name": "Young and free", "how": "rule", "expected": 510, "before": 3,
}  # fmt: skip
MADE: dict[str, Any] = {
    "version": 5,
    "segment_id": 9,
    "key": "young-and-free",
    "selected": 510,
    "comes": 498,
    "done": None,
}
RULE: dict[str, Any] = {
    "when": {"f": "job", "op": "in", "v": ["retired", "student"]},
    "text": "job in (retired, student)",
}


@router.post("/facets", response_model=models.Facets,
             responses=answers(models.FACETS, errors=[404, 422]))  # fmt: skip
def facets(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[models.AskedBars, Body(**example({"filters": models.FILTERS}))],
) -> models.Facets:  # fmt: skip
    """All bars under a selection, in one answer. Each dimension's are under every *other* one's filter."""
    with timed("facets"), app.work(holder.crm_id) as work:
        filters = read_selection(work, assignment_id, body.filters, body.dimensions or ())
        return models.facets_of(bars(work, assignment_id, filters, body.bars), body)


@router.post("/facets/{dimension}/search", response_model=models.Found,
             responses=answers({"items": [models.BAR]}, errors=[404, 422]))  # fmt: skip
def search(
    app: TheApp, holder: Manager, assignment_id: PathId, dimension: str,
    body: Annotated[models.AskedSearch, Body(**example({"text": "stud", "filters": {}}))],
) -> models.Found:  # fmt: skip
    """Values of one dimension by a piece of their text, rare ones too; the most frequent first."""
    with app.work(holder.crm_id) as work:
        filters = read_selection(work, assignment_id, body.filters)
        found = search_bars(work, assignment_id, dimension, filters, body.text, body.limit)
    return models.Found(items=[models.bar_of(bar) for bar in found])


@router.post("/selection/count", response_model=models.Count,
             responses=answers({"count": 510}, errors=[404, 422]))  # fmt: skip
def count(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[models.Selected, Body(**example({"filters": models.FILTERS}))],
) -> models.Count:  # fmt: skip
    """How many customers are in a selection, asked of the database itself."""
    with app.work(holder.crm_id) as work:
        filters = read_selection(work, assignment_id, body.filters)
        return models.Count(count=verbs.count(work, assignment_id, filters))


@router.post("/selection/rule", response_model=AsRule,
             responses=answers(RULE, errors=[404, 422]))  # fmt: skip
def as_rule(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[models.Selected, Body(**example({"filters": models.FILTERS}))],
) -> AsRule:  # fmt: skip
    """The rule that exactly these customers meet; 422 names what no rule can ask. Nothing is changed."""
    with app.work(holder.crm_id) as work:
        filters = read_selection(work, assignment_id, body.filters)
        rule = verbs.rule_of(work, assignment_id, filters)
    return AsRule(when=dump_node(rule), text=write_rule(rule))


@router.post("/selection/move", response_model=models.Done,
             responses=answers(models.DONE, errors=[404, 409, 422]))  # fmt: skip
def move(
    app: TheApp, holder: Manager, assignment_id: PathId, body: Annotated[models.Move, Body(**example(MOVE))]
) -> models.Done:
    """Hold the selection in a segment: it wins over rules until released or expired. State stays.

    409 with the new `count`, and nothing is done, when they are not as many as expected.
    """
    check_end("expires_at", body.expires_at, app.now(), LONGEST_HOLD)
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        filters = read_selection(work, assignment_id, body.filters)
        what = in_words(work, assignment_id, filters)
    with timed("move"), about(assignment=assignment_id):
        return models.done(
            verbs.move_selection(
                open_work, assignment_id, filters, body.segment_id, expected=body.expecting,
                author=holder.author, reason=body.reason, expires_at=body.expires_at, what=what,
            )
        )  # fmt: skip


@router.post("/selection/wake", response_model=models.Done,
             responses=answers(models.DONE, errors=[404, 409, 422]))  # fmt: skip
def wake(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[models.Wake, Body(**example({"filters": models.FILTERS, "expected": 80, "reason": "x"}))],
) -> models.Done:  # fmt: skip
    """Make ready whoever of the selection rests. Promised calls and closed customers stay as they are."""
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        filters = read_selection(work, assignment_id, body.filters)
        what = in_words(work, assignment_id, filters)
    with timed("wake"), about(assignment=assignment_id):
        return models.done(
            verbs.wake_selection(
                open_work, assignment_id, filters, expected=body.expecting, author=holder.author,
                reason=body.reason, what=what,
            )
        )  # fmt: skip


@router.post("/selection/segment", status_code=201, response_model=NewSegment,
             responses=answers(MADE, status=201, errors=[404, 409, 422]))  # fmt: skip
def new_segment(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[NewFromSelection, Body(**example(NEW))],
) -> NewSegment:  # fmt: skip
    """A new segment whose standing rule is the selection, or in which these very customers are held."""
    check_end("expires_at", body.expires_at, app.now(), LONGEST_HOLD)
    if body.how == "hold" and body.reason is None:
        raise BadInput("reason: say why these customers are held")
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        filters = read_selection(work, assignment_id, body.filters)
        before = None if body.before is None else key_of(work, assignment_id, body.before)
        what = in_words(work, assignment_id, filters)
    asked: dict[str, Any] = {
        "expected": body.expecting, "author": holder.author, "before": before, "last": body.place == "last",
    }  # fmt: skip
    if before is not None and body.place is not None:
        raise BadInput("before, place: say one of the two")
    with timed("new segment"), about(assignment=assignment_id):
        if body.how == "rule":
            made = verbs.save_as_rule(open_work, assignment_id, filters, body.name, **asked)
        else:
            made = verbs.hold_in_new(
                open_work, assignment_id, filters, body.name, reason=body.reason or "",
                expires_at=body.expires_at, what=what, **asked,
            )  # fmt: skip
    of_holds = models.done(made.done) if made.done else None
    return NewSegment(
        version=made.version, segment_id=made.segment_id, key=made.key, selected=made.selected,
        comes=made.comes, done=of_holds,
    )  # fmt: skip
