"""Zones: whose nobody knows, and who vouches for one."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from calling.customers import verifying, verifying_lists
from calling.customers.verifying_refused import wayed, with_way
from calling.views import browse
from calling.views import zones as listed
from models.errors import BadValues, Conflict
from web.api.common import MOST, Instant, Model, Page, Paging, PathId, TheApp, Words, page
from web.api.docs import answers, example
from web.api.follow_up_models import AskedAs
from web.keys import Manager

router = APIRouter(tags=["customers"])

ANYWAY = "`anyway: true`"
"""How it is said here that something is so all the same."""


class Nowhere(Model):
    """A customer whose zone nobody knows: nobody calls them until somebody vouches for one."""

    id: int
    external_id: str
    name: str
    place: str | None
    numbers: list[str]
    created_at: Instant


class NowherePage(Page[Nowhere]):
    """One page of them, and how many there are in all."""

    total: int


class Vouched(Model):
    """A zone, and how it is known."""

    zone: Words = Field(description="As tzdata calls it: Europe/Oslo.")
    reason: Words = Field(description="How it is known.")
    source: Words | None = Field(None, description="The system of record that says so; null: a person.")
    anyway: bool = Field(
        False, description="Also a zone that contradicts all candidates, or a system against a person."
    )


class PromiseMoved(Model):
    """A call promised on their own wall, which has followed it; it `replaces` the one of before."""

    id: int
    replaces: int
    assignment_id: int
    customer_id: int
    wall_time: str
    from_zone: str
    to_zone: str
    was_due_at: Instant
    due_at: Instant
    told: str = Field(description="Why it is not due at the very time on the wall; empty: it is.")


class PromiseStays(Model):
    """A call that stays promised when it was: somebody may want to change it."""

    id: int
    assignment_id: int
    customer_id: int
    wall_time: str
    zone: str
    asked_as: AskedAs
    due_at: Instant


class Done(Model):
    """What was done. `contradicts`: why nothing else speaks for the zone; null: something does."""

    customer_id: int
    zone: str | None
    changed: bool
    contradicts: str | None
    moved: list[PromiseMoved] = Field(description="Promised calls that have followed their wall.")
    stay: list[PromiseStays] = Field(description="Promised calls that stay when they were.")


class Withdrawn(Model):
    """Why nobody vouches for it any more."""

    reason: Words


class Verification(Model):
    """Somebody vouched for a zone; `ended_at` null: it stands."""

    id: int
    zone: str
    source: str | None
    author: str
    reason: str
    contradicts: bool
    verified_at: Instant
    ended_at: Instant | None
    ended_by: str | None
    ended_reason: str | None


class Line(Model):
    """A customer by external id, and where they are."""

    external_id: Words
    zone: Words
    reason: Words


class Lines(Model):
    """Many at once; what cannot be taken costs nothing but itself."""

    customers: list[Line] = Field(min_length=1, max_length=MOST)
    source: Words | None = None
    anyway: bool = False


class Refused(Model):
    """A customer (counted from 1) that was not taken, and why."""

    line: int
    external_id: str
    zone: str
    why: str
    by_anyway: bool = Field(description="It would be taken with `anyway: true`.")


class AllDone(Model):
    """What was done, and what was refused."""

    verified: list[Done]
    refused: list[Refused]


NOWHERE: dict[str, Any] = {
    "id": 7, "external_id": "A-7", "name": "Ana", "place": None, "numbers": ["+80012345678"],
    "created_at": "2026-03-02T08:00:00Z",
}  # fmt: skip
VOUCHED = {"zone": "Europe/Lisbon", "reason": "asked her", "source": None, "anyway": False}
DONE: dict[str, Any] = {
    "customer_id": 7, "zone": "Europe/Lisbon", "changed": True, "contradicts": None,
    "moved": [{
        "id": 13, "replaces": 12, "assignment_id": 1, "customer_id": 7,
        "wall_time": "2026-03-05T10:00",
        "from_zone": "Atlantic/Azores", "to_zone": "Europe/Lisbon", "was_due_at": "2026-03-05T11:00:00Z",
        "due_at": "2026-03-05T10:00:00Z", "told": "",
    }],
    "stay": [{
        "id": 9, "assignment_id": 2, "customer_id": 7, "wall_time": "2026-03-06T15:00", "zone": "Europe/Oslo",
        "asked_as": "named_zone", "due_at": "2026-03-06T14:00:00Z",
    }],
}  # fmt: skip
VERIFICATION: dict[str, Any] = {
    "id": 3, "zone": "Europe/Lisbon", "source": None, "author": "Kari", "reason": "asked her",
    "contradicts": False, "verified_at": "2026-03-02T12:00:00Z", "ended_at": None, "ended_by": None,
    "ended_reason": None,
}  # fmt: skip
LINES: dict[str, Any] = {
    "customers": [{"external_id": "A-7", "zone": "Europe/Lisbon", "reason": "their invoice"}],
    "source": "billing", "anyway": False,
}  # fmt: skip
ALL_DONE: dict[str, Any] = {
    "verified": [DONE],
    "refused": [
        {"line": 2, "external_id": "A-8", "zone": "Lisbon", "why": "is no customer", "by_anyway": False},
    ],
}


@router.get("/zones/unknown", response_model=NowherePage,
            responses=answers({"items": [NOWHERE], "next": None, "total": 1}, errors=[422]))  # fmt: skip
def unknown(app: TheApp, holder: Manager, asked: Paging) -> dict[str, Any]:
    """Customers whom nobody can call, because nobody knows their zone; and how many there are."""
    with app.work(holder.crm_id) as work:
        found = page("unknown zones", asked, lambda after, most: listed.unknown_zones(work, after, most))
        return {**found, "total": listed.count_unknown(work)}


@router.post("/zones/verify", response_model=AllDone, responses=answers(ALL_DONE, errors=[409, 422]))
def verify_many(
    app: TheApp, holder: Manager, body: Annotated[Lines, Body(**example(LINES))]
) -> dict[str, Any]:
    """Vouch for the zones of up to 200 customers; what is wrong with one costs no other."""
    said = [
        verifying_lists.Said(n, one.external_id, one.zone, one.reason)
        for n, one in enumerate(body.customers, 1)
    ]
    done, refused = verifying_lists.verify_zones(
        app.opener(holder.crm_id), said, author=holder.author, source=body.source, anyway=body.anyway
    )
    return {"verified": [asdict(one) for one in done], "refused": [_refused(one) for one in refused]}


@router.get("/customers/{customer_id}/zone", response_model=Page[Verification],
            responses=answers({"items": [VERIFICATION], "next": None}, errors=[404, 422]))  # fmt: skip
def history(app: TheApp, holder: Manager, customer_id: PathId, asked: Paging) -> dict[str, Any]:
    """Who vouched for which zone of a customer, and how it ended; from the first on."""
    with app.work(holder.crm_id) as work:
        browse.customer(work, customer_id)
        return page(
            "zones", asked, lambda after, most: listed.history(work, customer_id, after, most)
        )  # fmt: skip


@router.put("/customers/{customer_id}/zone", response_model=Done,
            responses=answers(DONE, errors=[404, 409, 422]))  # fmt: skip
def verify(
    app: TheApp, holder: Manager, customer_id: PathId, body: Annotated[Vouched, Body(**example(VOUCHED))]
) -> dict[str, Any]:
    """Vouch for the zone of a customer. Hours, gates and segments follow before this answers."""
    try:
        done = verifying.verify_zone(
            app.opener(holder.crm_id), customer_id, body.zone, author=holder.author, reason=body.reason,
            source=body.source, anyway=body.anyway,
        )  # fmt: skip
    except (BadValues, Conflict) as error:
        raise with_way(error, ANYWAY) from None
    return asdict(done)


@router.post("/customers/{customer_id}/zone/withdraw", response_model=Done,
             responses=answers({**DONE, "zone": None, "stay": []}, errors=[404, 409, 422]))  # fmt: skip
def withdraw(
    app: TheApp, holder: Manager, customer_id: PathId,
    body: Annotated[Withdrawn, Body(**example({"reason": "it was her sister"}))],
) -> dict[str, Any]:  # fmt: skip
    """Vouch no more: numbers and address say again where they may be."""
    return asdict(
        verifying.withdraw_zone(
            app.opener(holder.crm_id), customer_id, author=holder.author, reason=body.reason
        )
    )


def _refused(one: verifying_lists.Refused) -> dict[str, Any]:
    return {**asdict(one), "why": wayed(one.why, ANYWAY) if one.by_anyway else one.why}
