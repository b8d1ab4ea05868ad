"""Customers: who they are, where they stand, and why they are not called now."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.customers import editing
from calling.customers.numbers import set_number as set_one_number
from calling.views import browse
from calling.views.explain import Explanation as Explained
from calling.views.explain import explain
from calling.views.holders import Who
from models.errors import BadInput
from web.api.common import (
    LARGEST,
    Asked,
    Instant,
    Model,
    Page,
    Paging,
    PathId,
    TheApp,
    Words,
    e164_of,
    page,
)
from web.api.docs import answers, example
from web.keys import Manager, OnTheFloor

router = APIRouter(prefix="/customers", tags=["customers"])


class Number(Model):
    """One number of a customer, whether it is any good, and where it rings."""

    e164: str
    state: str
    kind: str | None = Field(description="home, work, mobile or other; null: nobody knows.")


class ListedNumber(Number):
    """One number of a customer, and what stops it for itself."""

    suppressed: Literal["crm", "owner", "everyone"] | None = Field(
        description="Do-not-call: the widest scope of an entry that stands; null: none does."
    )
    registers: list[str] = Field(description="The registers in use that name it.")


class Customer(Model):
    """A customer, their numbers in their own order; docs/numbers.md says which of them is rung when."""

    id: int
    external_id: str
    name: str
    email: str | None
    place: str | None
    reckoning_zone: str
    numbers: list[ListedNumber]
    fields: dict[str, Any] = Field(description="The CRM's own fields.")
    created_at: Instant


class Placement(Model):
    """Where a customer stands in one assignment."""

    assignment_id: int
    assignment: str
    segment_id: int
    segment: str
    state: str
    status: str
    attempts: int
    due_at: Instant | None
    gated_by: str | None
    last_outcome: str | None
    last_attempt_at: Instant | None


class WholeCustomer(Customer):
    """A customer, and their place in every assignment."""

    placements: list[Placement]


class Gate(Model):
    """One gate: open or shut, until when (null: until somebody acts), and the fact in words."""

    gate: str
    open: bool
    until: Instant | None
    fact: str


class HolderExplanation(Model):
    """Whether a seller or dialer may be given a customer, as far as it is theirs; `open`: nothing is shut."""

    kind: str = Field(description="seller or dialer")
    id: int
    name: str
    open: bool
    answers: list[Gate] = Field(
        description="works, presence, segment, pause; promise, wants; of a dialer mode and lateness."
    )


class Explanation(Model):
    """Why a customer is not called, and when next. `callable_at`: when time alone lets them be called."""

    customer_id: int
    external_id: str
    name: str
    segment: str
    segment_why: str = Field(description="Why they are in it; `GET /customers/{id}/segment` says all of it.")
    held_by: str | None
    state: str
    status: str
    attempts: int
    zones: list[str]
    callable_now: bool
    callable_at: Instant | None
    answers: list[Gate]
    number_why: str = Field(description="Which number would be rung, and why that one.")
    holder: HolderExplanation | None = Field(None, description="Of the seller or dialer that was asked for.")


class Change(Model):
    """What is to change of a customer; what is not named stays, null takes a value away."""

    name: str | None = None
    email: str | None = None
    place: str | None = Field(None, description="The legal place of the address: PT, or US-FL for a state.")
    fields: dict[str, Any] = Field({}, description="Key of a field -> its JSON value.")


class Edited(Model):
    """What was changed, as `name` or `fields.age`; none if all was so. `moved`: segments that were left."""

    customer_id: int
    changed: list[str]
    moved: int


class NumberChange(Model):
    """What is to change of one of a customer's numbers, written as people of the CRM's country write it."""

    number: Words
    state: Words | None = Field(
        None, description="unverified, good, disconnected or wrong_person: the last two are not rung."
    )
    kind: Words | None = Field(None, description="Where it rings: home, work, mobile or other.")
    place: int | None = Field(None, ge=1, le=1000, description="Its place in the order; 1 is rung first.")


class NumberChanged(Model):
    """What was changed, as `numbers.state`, `.kind` or `.order`; the numbers in their order by now."""

    customer_id: int
    changed: list[str]
    numbers: list[Number]
    moved: int


class Edit(Model):
    """Who changed what, and when; the values themselves are not kept."""

    id: int
    author: str
    changed: list[str]
    edited_at: Instant


class Search(Asked):
    """Which page of which customers."""

    external_id: Words | None = Field(None, description="Only the one with exactly this external id.")


CUSTOMER: dict[str, Any] = {
    "id": 1841, "external_id": "bm-01841", "name": "Customer 1841", "email": None, "place": "PT",
    "reckoning_zone": "Europe/Lisbon", "numbers": [
        {"e164": "+351912345678", "state": "unverified", "kind": "mobile", "suppressed": None,
         "registers": []}],
    "fields": {"age": 41, "job": "technician"}, "created_at": "2026-03-02T08:00:00Z",
}  # fmt: skip
PLACEMENT: dict[str, Any] = {
    "assignment_id": 1, "assignment": "Term deposit", "segment_id": 3, "segment": "Loans", "state": "resting",
    "status": "no_answer", "attempts": 1, "due_at": "2026-03-02T16:00:00Z", "gated_by": None,
    "last_outcome": "no_answer", "last_attempt_at": "2026-03-02T12:00:00Z",
}  # fmt: skip
CHANGE: dict[str, Any] = {"email": "ana@example.pt", "fields": {"age": 42, "job": None}}
EDITED: dict[str, Any] = {
    "customer_id": 1841, "changed": ["email", "fields.age", "fields.job"], "moved": 1,
}  # fmt: skip
NUMBER: dict[str, Any] = {"number": "912 345 678", "state": "good", "kind": "work", "place": 1}
NUMBERS: dict[str, Any] = {
    "customer_id": 1841, "changed": ["numbers.state", "numbers.kind"], "moved": 0,
    "numbers": [{"e164": "+351912345678", "state": "good", "kind": "work"}],
}  # fmt: skip
EDIT: dict[str, Any] = {
    "id": 7, "author": "Kari", "changed": ["fields.age"], "edited_at": "2026-03-02T12:00:00Z",
}  # fmt: skip
WHY: dict[str, Any] = {
    "customer_id": 1841, "external_id": "bm-01841", "name": "Customer 1841", "segment": "Loans",
    "segment_why": "by its rule: loan", "held_by": None, "state": "resting", "status": "no_answer",
    "attempts": 1, "zones": ["Europe/Lisbon"], "callable_now": False,
    "callable_at": "2026-03-02T16:00:00Z",
    "answers": [
        {"gate": "state", "open": False, "until": "2026-03-02T16:00:00Z", "fact": "resting"},
        {"gate": "window", "open": True, "until": None, "fact": "open in Europe/Lisbon"},
    ],
    "number_why": "+351912345678 (mobile): the only number of theirs that may be rung",
    "holder": {
        "kind": "dialer", "id": 1, "name": "robot", "open": False,
        "answers": [
            {"gate": "works", "open": True, "until": None, "fact": "works this assignment"},
            {"gate": "segment", "open": False, "until": None, "fact": "works Unsegmented only"},
        ],
    },
}  # fmt: skip


@router.get("", response_model=Page[Customer],
            responses=answers({"items": [CUSTOMER], "next": None}, errors=[422]))  # fmt: skip
def customers(app: TheApp, holder: Manager, asked: Annotated[Search, Query()]) -> dict[str, Any]:
    """Customers in the order they came; or the one with an external id."""
    with app.work(holder.crm_id) as work:
        return page(
            "customers", asked,
            lambda after, most: browse.customers(work, after, most, external_id=asked.external_id),
        )  # fmt: skip


@router.get("/{customer_id}", response_model=WholeCustomer,
            responses=answers({**CUSTOMER, "placements": [PLACEMENT]}, errors=[404, 422]))  # fmt: skip
def customer(app: TheApp, holder: Manager, customer_id: PathId) -> dict[str, Any]:
    """One customer, and where they stand in each assignment."""
    with app.work(holder.crm_id) as work:
        found, placements = browse.customer(work, customer_id)
    return {**found._mapping, "placements": placements}


@router.get("/{customer_id}/explanation", response_model=Explanation,
            responses=answers(WHY, errors=[404, 422]))  # fmt: skip
def explanation(
    app: TheApp, holder: Manager, customer_id: PathId,
    assignment: Annotated[int, Query(ge=1, le=LARGEST, description="The assignment it is about.")],
    seller: Annotated[int | None, Query(ge=1, le=LARGEST, description="May they be given them?")] = None,
    dialer: Annotated[int | None, Query(ge=1, le=LARGEST, description="May it? One of the two.")] = None,
) -> Explained:  # fmt: skip
    """Why is this customer not called, and when next? Every gate, with what it says and until when."""
    if seller is not None and dialer is not None:
        raise BadInput("ask for a seller or for a dialer, one of the two")
    who = Who("seller", seller) if seller else Who("dialer", dialer) if dialer else None
    with app.work(holder.crm_id) as work:
        browse.customer(work, customer_id)
        return explain(work, assignment, customer_id, who)


@router.patch("/{customer_id}", response_model=Edited,
              responses=answers(EDITED, errors=[404, 409, 422]))  # fmt: skip
def edit(
    app: TheApp, holder: OnTheFloor, customer_id: PathId, body: Annotated[Change, Body(**example(CHANGE))]
) -> editing.Edited:
    """Change a customer's data, held against the field catalogue: 422 tells every problem at once.

    Rank, hours, gates and segments follow before this answers. A seller changes whom they have on the screen.
    """
    wanted = body.model_dump(exclude_unset=True)
    return editing.edit_customer(
        app.opener(holder.crm_id), customer_id, wanted, author=holder.author, seller_id=holder.seller_id
    )


@router.patch("/{customer_id}/numbers", response_model=NumberChanged,
              responses=answers(NUMBERS, errors=[404, 409, 422]))  # fmt: skip
def set_number(
    app: TheApp, holder: OnTheFloor, customer_id: PathId,
    body: Annotated[NumberChange, Body(**example(NUMBER))],
) -> dict[str, Any]:  # fmt: skip
    """Say what a number is, where it rings, or its place in the order. No list changes what was said here.

    Hours, gates and segments follow before this answers. A seller changes whom they have on the screen.
    """
    done = set_one_number(
        app.opener(holder.crm_id), customer_id, e164_of(body.number, holder.region), author=holder.author,
        state=body.state, kind=body.kind, place=body.place, seller_id=holder.seller_id,
    )  # fmt: skip
    numbers = [one._asdict() for one in done.numbers]
    return {
        "customer_id": customer_id, "changed": list(done.changed), "numbers": numbers, "moved": done.moved,
    }  # fmt: skip


@router.get("/{customer_id}/edits", response_model=Page[Edit],
            responses=answers({"items": [EDIT], "next": None}, errors=[404, 422]))  # fmt: skip
def edits(app: TheApp, holder: Manager, customer_id: PathId, asked: Paging) -> dict[str, Any]:
    """Who changed a customer's data by hand or through the API, from the first on."""
    with app.work(holder.crm_id) as work:
        browse.customer(work, customer_id)
        return page("edits", asked, lambda after, most: editing.edits(work, customer_id, after, most))
