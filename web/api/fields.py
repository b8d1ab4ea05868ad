"""The field catalogue: what a CRM keeps of its customers, and what a value has to be."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from fastapi.responses import PlainTextResponse
from pydantic import Field as Described

from calling.catalogue import changing, reading, retiring
from calling.catalogue.field import Field as Own
from calling.catalogue.handbook import handbook as written
from web.api.common import Instant, Model, TheApp, Words
from web.api.docs import answers, example
from web.keys import Manager, OnTheFloor
from wiring.app import App

router = APIRouter(prefix="/fields", tags=["fields"])

Key = Annotated[str, Path(max_length=60, description="The field's key.")]
Texts = Annotated[list[str], Described(max_length=1_000)]
Pattern = Annotated[str | None, Described(max_length=1_000)]


class Page(PlainTextResponse):
    """Markdown."""

    media_type = "text/markdown"


class Field(Model):
    """A field. Its type never changes; nor does its key."""

    key: str
    type: str = Described(description="text, number, date, yes_no or choice.")
    label: str
    required: bool
    unique: bool
    pattern: str | None = Described(description="A text has to match it whole (docs/fields.md).")
    choices: list[str] = Described(description="What a choice may be, in the order shown; none: anything.")
    retired_at: Instant | None
    retired_by: str | None


class Fields(Model):
    """All fields, in their order; retired ones behind."""

    items: list[Field]


class NewField(Model):
    """A field to be. The label is the key if nothing is said; the position counts from 1, and is the last."""

    key: str = Described(max_length=200)
    type: str = Described(max_length=200)
    label: Words | None = None
    required: bool = False
    unique: bool = False
    pattern: Pattern = None
    choices: Texts = Described([])
    position: int | None = None


class Change(Model):
    """What is to change; what is not named stays. A null pattern asks for none."""

    type: str | None = Described(
        None, max_length=200, description="Never changes: said again, it is checked."
    )
    label: Words | None = None
    required: bool | None = None
    unique: bool | None = None
    pattern: Pattern = None
    choices: Texts | None = None
    position: int | None = None


class Sample(Model):
    """One value that breaks a demand, and whose it is, by external id."""

    value: str | None
    customers: list[str]


class Broken(Model):
    """How many customers' values break one demand (required, pattern, choices, unique, length), and some."""

    demand: str
    customers: int
    samples: list[Sample]


class Changed(Model):
    """The field, and what of the values that are there breaks what is newly demanded: those stay."""

    field: Field
    broken: list[Broken]
    dry_run: bool


class Asker(Model):
    """A segment or label whose rule asks the field, or the order of an assignment's customers."""

    assignment_id: int
    assignment: str
    kind: str = Described(description="segment, label or order.")
    key: str
    name: str


class Retired(Model):
    """The field, and who goes on asking it until their rules are published again."""

    field: Field
    askers: list[Asker]


FIELD: dict[str, Any] = {
    "key": "policy", "type": "text", "label": "Policy", "required": False, "unique": True,
    "pattern": r"[A-Z]{2}\d{6}", "choices": [], "retired_at": None, "retired_by": None,
}  # fmt: skip
NEW = {"key": "policy", "type": "text", "label": "Policy", "unique": True, "pattern": r"[A-Z]{2}\d{6}"}
CHANGE = {"required": True, "position": 1}
BROKEN = {"demand": "required", "customers": 12, "samples": [{"value": None, "customers": ["bm-00017"]}]}
CHANGED = {"field": FIELD, "broken": [BROKEN], "dry_run": True}
ASKER = {"assignment_id": 1, "assignment": "Term deposit", "kind": "segment", "key": "old", "name": "Old"}
GONE = {**FIELD, "retired_at": "2026-03-02T12:00:00Z", "retired_by": "Kari"}


@router.get("", response_model=Fields, responses=answers({"items": [FIELD]}, errors=[422]))
def fields(
    app: TheApp, holder: OnTheFloor,
    retired: Annotated[bool, Query(description="Those that are no longer in use, too.")] = False,
) -> dict[str, Any]:  # fmt: skip
    """The fields that are in use, in their order."""
    with app.work(holder.crm_id) as work:
        return {"items": reading.all_fields(work) if retired else reading.in_use(work)}


PAGE = {"content": {"text/markdown": {"example": "# What is kept of customers"}}, "description": "Markdown."}


@router.get("/handbook", response_class=Page, responses={**answers(errors=[]), 200: PAGE})
def handbook(app: TheApp, holder: OnTheFloor) -> Page:
    """The fields in use, what a list may hold, and every question that rules can ask: a page of Markdown."""
    with app.work(holder.crm_id) as work:
        return Page(written(work))


@router.post("", status_code=201, response_model=Field,
             responses=answers(FIELD, status=201, errors=[409, 422]))  # fmt: skip
def add(app: TheApp, holder: Manager, body: Annotated[NewField, Body(**example(NEW))]) -> Own:
    """Add a field: from the answer on, rules, bars, lists and edits know it."""
    own = Own(
        body.key, body.type, body.label or body.key, body.required, body.unique, body.pattern,
        tuple(body.choices),
    )  # fmt: skip
    changing.add(app.opener(holder.crm_id), own, position=body.position)
    return _now(app, holder.crm_id, own.key)


@router.patch("/{key}", response_model=Changed,
              responses=answers(CHANGED, errors=[404, 409, 422]))  # fmt: skip
def change(
    app: TheApp, holder: Manager, key: Key, body: Annotated[Change, Body(**example(CHANGE))],
    dry_run: Annotated[bool, Query(description="Count what breaks it, and change nothing.")] = False,
) -> changing.Changed:  # fmt: skip
    """Change what is demanded. What was written before and breaks it is counted, and stays.

    409: a field cannot be unique while two customers share a value; `broken` names some.
    """
    named = body.model_dump(exclude_unset=True)
    position = named.pop("position", None)
    wanted = {name: value for name, value in named.items() if value is not None or name == "pattern"}
    if "choices" in wanted:
        wanted["choices"] = tuple(wanted["choices"])
    return changing.change(app.opener(holder.crm_id), key, wanted, position=position, dry_run=dry_run)


@router.delete("/{key}", response_model=Retired,
               responses=answers({"field": GONE, "askers": [ASKER]}, errors=[404, 409, 422]))  # fmt: skip
def retire(app: TheApp, holder: Manager, key: Key) -> retiring.Retired:
    """Take a field out of use. Its values stay; rules in force that ask it go on until published again."""
    return retiring.retire(app.opener(holder.crm_id), key, author=holder.author)


@router.post("/{key}/revive", response_model=Field, responses=answers(FIELD, errors=[404, 409, 422]))
def revive(app: TheApp, holder: Manager, key: Key) -> Own:
    """Take a retired field into use again, with the values that it had."""
    return retiring.revive(app.opener(holder.crm_id), key)


def _now(app: App, crm_id: int, key: str) -> Own:
    with app.work(crm_id) as work:
        return reading.one_field(work, key)
