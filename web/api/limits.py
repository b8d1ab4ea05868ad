"""Limits: how often somebody may be rung, by law and by an owner's own wish."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.limits import changing
from calling.limits.changing import NewLimit
from calling.views import limit_list
from web.api.common import Asked, Id, Instant, Model, Page, PathId, TheApp, Words, page
from web.api.docs import answers, example
from web.api.walls import AIR, InTheAir, in_the_air, patience
from web.keys import Manager

router = APIRouter(tags=["limits"])

Scope = Literal["number", "customer", "assignment"]


class WantedLimit(Model):
    """At most `most` rings within `seconds`, or `days` of the customer's calendar: one of the two."""

    most: int = Field(ge=1, le=changing.MOST)
    scope: Scope = Field(
        "customer",
        description="number: rings to it, whoever it is rung for; customer: to any number of theirs, in all "
        "assignments; assignment: to any number of theirs, in that assignment.",
    )
    seconds: int | None = Field(None, ge=60, description="They roll: a ring is forgotten so much later.")
    days: int | None = Field(None, ge=1, le=366, description="Today included; in every candidate zone.")
    after: list[Words] = Field([], description="Outcomes that are counted instead of rings.", max_length=20)
    assignment_id: Id | None = Field(None, description="It binds this assignment only; null: the whole CRM.")
    reason: Words


class Limit(Model):
    """A limit of the owner's. `followed`: whom its last change concerns is stamped by now."""

    id: int
    assignment_id: int | None
    scope: str
    most: int
    seconds: int | None
    days: int | None
    after: list[str]
    reason: str
    author: str
    created_at: Instant
    ended_at: Instant | None
    ended_by: str | None
    followed: bool


class LawLimit(Model):
    """A limit of the law, and where it stands written. `debts`: only where an assignment is about debts."""

    name: str
    source: str
    places: list[str]
    scopes: list[str]
    most: int
    seconds: int | None
    days: int | None
    after: list[str]
    debts: bool


class LawLimits(Model):
    """Every limit of the law that is kept."""

    items: list[LawLimit]


class AskedLimits(Asked):
    """Which limits of the owner's."""

    ended: bool = Field(False, description="Those that ended, instead of those that stand.")


class Ended(Model):
    """Whether it stood until now."""

    ended: bool


class AboutDebts(Model):
    """Whether an assignment is about debts."""

    about_debts: bool


class SaidOfDebts(AboutDebts):
    """Nothing rings against the law's hours for debts, except what is named here; null: it was so before."""

    in_the_air: InTheAir | None


NEW: dict[str, Any] = {
    "most": 3, "scope": "customer", "seconds": 86400, "days": None, "after": [], "assignment_id": None,
    "reason": "complaints",
}  # fmt: skip
LIMIT: dict[str, Any] = {
    **NEW, "id": 4, "author": "Kari", "created_at": "2026-03-02T12:00:00Z", "ended_at": None,
    "ended_by": None, "followed": True,
}  # fmt: skip
LAW: dict[str, Any] = {
    "name": "Florida Statutes 501.616(6)(b)", "source": "flsenate.gov/Session/Bill/2021/1120",
    "places": ["US-FL"], "scopes": ["customer", "number"], "most": 3, "seconds": 86400, "days": None,
    "after": [], "debts": False,
}  # fmt: skip


@router.get("/limits", response_model=Page[Limit],
            responses=answers({"items": [LIMIT], "next": None}, errors=[422]))  # fmt: skip
def limits(app: TheApp, holder: Manager, asked: Annotated[AskedLimits, Query()]) -> dict[str, Any]:
    """The owner's own limits that stand, or those that ended and by whom; oldest first."""
    with app.work(holder.crm_id) as work:
        found = page(
            "limits", asked,
            lambda after, most: limit_list.own_limits(work, after, most, ended=asked.ended),
        )  # fmt: skip
        return {"items": [_told(row) for row in found["items"]], "next": found["next"]}


@router.get("/limits/law", response_model=LawLimits, responses=answers({"items": [LAW]}))
def law(_: Manager) -> dict[str, Any]:
    """The law's limits, by place. They bind by the customer's legal places (of every number, of the
    address, of a verified zone), and nobody can end them."""
    fields = LawLimit.model_fields
    return {"items": [{name: getattr(row, name) for name in fields} for row in limit_list.law_limits()]}


@router.post("/limits", status_code=201, response_model=Limit,
             responses=answers(LIMIT, status=201, errors=[404, 409, 422]))  # fmt: skip
def set_limit(app: TheApp, holder: Manager, body: Annotated[WantedLimit, Body(**example(NEW))]) -> Any:
    """Set a limit beside those that stand; the strictest wins. When this answers, nobody rings beyond it."""
    open_work = app.opener(holder.crm_id)
    key = changing.set_limit(open_work, NewLimit(**body.model_dump()), holder.author)
    with open_work() as work:
        (row,) = limit_list.own_limits(work, 0, 1, ended=None, limit_id=key)
    return _told(row)


@router.delete("/limits/{limit_id}", response_model=Ended,
               responses=answers({"ended": True}, errors=[404, 409, 422]))  # fmt: skip
def end_limit(app: TheApp, holder: Manager, limit_id: PathId) -> Ended:
    """End a limit of the owner's. It stays written who set it and who ended it."""
    return Ended(ended=changing.end_limit(app.opener(holder.crm_id), limit_id, holder.author))


@router.put("/assignments/{assignment_id}/debts", response_model=SaidOfDebts,
            responses=answers({"about_debts": True, "in_the_air": AIR}, errors=[404, 409, 422]))  # fmt: skip
def say_of_debts(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[AboutDebts, Body(**example({"about_debts": True}))],
) -> SaidOfDebts:  # fmt: skip
    """Say whether an assignment is about debts: then the law's limits and hours for debts bind its rings."""
    air = changing.say_of_debts(
        app.opener(holder.crm_id), assignment_id, about_debts=body.about_debts, author=holder.author,
        patience=patience(app),
    )  # fmt: skip
    return SaidOfDebts(about_debts=body.about_debts, in_the_air=in_the_air(air) if air else None)


def _told(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Limit.model_fields}
