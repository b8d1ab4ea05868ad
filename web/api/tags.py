"""Tags: marks of customers, with who gave them, by which way and when."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from pydantic import Field

from calling.customers import standing, tagging
from models.errors import BadInput, NotFound
from web import cursors
from web.api.common import MOST, Id, Instant, Model, Page, PathId, TheApp, Words
from web.api.docs import answers, example
from web.keys import Holder, Manager, OnTheFloor
from wiring.app import App

router = APIRouter(tags=["tags"])

MOST_AT_ONCE = 10_000  # customers of one request; they are tagged 200 at a time

Tag = Annotated[str, Path(max_length=200, description="Letters, digits, - _ and . ; capitals become small.")]
Tags = Annotated[list[Words], Field(max_length=100)]


class CountedTag(Model):
    """A tag, and how many customers have it."""

    tag: str
    customers: int


class AskedTags(Model):
    """Which tags, by name."""

    prefix: str = Field("", max_length=50, description="Only those that begin so.")
    cursor: str | None = Field(None, max_length=400, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=MOST)


class CarriedTag(Model):
    """A tag of a customer, by whom it was first given (hand, import, api, event or rule), and when."""

    tag: str
    source: str
    author: str
    tagged_at: Instant


class CarriedTags(Model):
    """A customer's tags, by name."""

    items: list[CarriedTag]


class Mark(Model):
    """Whether anything changed, and how many segments the customer left for it."""

    tag: str
    changed: bool
    moved: int


class Marking(Model):
    """Tags to give and to take, and whose."""

    add: Tags = Field([])
    remove: Tags = Field([])
    customers: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Marked(Model):
    """Tags that were given and taken; `moved`: segments that were left. `unknown`: ids of nobody here."""

    added: int
    removed: int
    moved: int
    unknown: list[int]


COUNTED = {"tag": "vip", "customers": 240}
CARRIED = {"tag": "vip", "source": "api", "author": "Kari", "tagged_at": "2026-03-02T12:00:00Z"}
MARK = {"tag": "vip", "changed": True, "moved": 1}
MARKING = {"add": ["vip"], "remove": ["cold"], "customers": [1841, 1842]}
MARKED = {"added": 2, "removed": 0, "moved": 1, "unknown": []}


@router.get("/tags", response_model=Page[CountedTag],
            responses=answers({"items": [COUNTED], "next": None}, errors=[422]))  # fmt: skip
def tags(app: TheApp, holder: OnTheFloor, asked: Annotated[AskedTags, Query()]) -> dict[str, Any]:
    """The CRM's tags with how many customers have each, by name."""
    if "\x00" in asked.prefix:
        raise BadInput("prefix: must not contain the character NUL")
    after = cursors.decode_text("tags", asked.cursor)
    with app.work(holder.crm_id) as work:
        rows = tagging.all_tags(work, prefix=asked.prefix, after=after, most=asked.limit + 1)
    items = rows[: asked.limit]
    more = len(rows) > asked.limit
    return {"items": items, "next": cursors.encode_text("tags", items[-1].tag) if more else None}


@router.post("/tags", response_model=Marked, responses=answers(MARKED, errors=[409, 422]))
def mark(app: TheApp, holder: Manager, body: Annotated[Marking, Body(**example(MARKING))]) -> Marked:
    """Give and take tags of many customers, 200 at a time, each batch with its segments.

    Safe to repeat: whoever has a tag keeps the first giver and time.
    """
    add, remove = tagging.read_tags(body.add), tagging.read_tags(body.remove)
    if both := sorted(set(add) & set(remove)):
        raise BadInput(f"add, remove: {', '.join(both)} cannot be given and taken at once", tags=both)
    if not add and not remove:
        raise BadInput("add, remove: name at least one tag")
    open_work, none = app.opener(holder.crm_id), tagging.Tagged()
    taken = tagging.untag(open_work, body.customers, remove) if remove else none
    given = tagging.tag(open_work, body.customers, add, source="api", author=holder.author) if add else none
    unknown = sorted({*taken.unknown, *given.unknown})
    return Marked(added=given.marks, removed=taken.marks, moved=taken.moved + given.moved, unknown=unknown)


@router.get("/customers/{customer_id}/tags", response_model=CarriedTags,
            responses=answers({"items": [CARRIED]}, errors=[404, 422]))  # fmt: skip
def carried(app: TheApp, holder: OnTheFloor, customer_id: PathId) -> dict[str, Any]:
    """A customer's tags. A seller sees those of whom they have on the screen."""
    _own(app, holder, customer_id)
    with app.work(holder.crm_id) as work:
        return {"items": tagging.tags_of(work, customer_id)}


@router.put("/customers/{customer_id}/tags/{tag}", response_model=Mark,
            responses=answers(MARK, errors=[404, 409, 422]))  # fmt: skip
def give(app: TheApp, holder: OnTheFloor, customer_id: PathId, tag: Tag) -> Mark:
    """Give a customer a tag; their segments follow before this answers. A seller: of whom they hold."""
    _own(app, holder, customer_id)
    source = "hand" if holder.role == "seller" else "api"
    open_work = app.opener(holder.crm_id)
    done = tagging.tag(open_work, [customer_id], [tag], source=source, author=holder.author)
    return _mark(done, tag, customer_id)


@router.delete("/customers/{customer_id}/tags/{tag}", response_model=Mark,
               responses=answers(MARK, errors=[404, 409, 422]))  # fmt: skip
def take(app: TheApp, holder: OnTheFloor, customer_id: PathId, tag: Tag) -> Mark:
    """Take a tag from a customer; their segments follow before this answers. A seller: of whom they hold."""
    _own(app, holder, customer_id)
    return _mark(tagging.untag(app.opener(holder.crm_id), [customer_id], [tag]), tag, customer_id)


def _own(app: App, holder: Holder, customer_id: int) -> None:
    """Managers see everybody, sellers whom they hold. Raises NotFound."""
    if holder.seller_id is not None:
        with app.work(holder.crm_id) as work:
            standing.check_on_screen(work, customer_id, holder.seller_id)


def _mark(done: tagging.Tagged, tag: str, customer_id: int) -> Mark:
    if done.unknown:
        raise NotFound("customer", customer_id)
    return Mark(tag=tagging.read_tags([tag])[0], changed=bool(done.marks), moved=done.moved)
