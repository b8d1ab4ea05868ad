"""Do-not-call: numbers and customers that nobody may offer, take or ring (P8)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, HTTPException, Query
from pydantic import Field

from calling.views import browse, do_not_call
from calling.walls.reach import reach_of, say_reach
from calling.walls.suppress import lift, scopes_of, suppress
from models.ends import LONGEST_SUPPRESSION, check_end
from models.errors import Conflict
from web.api.common import Asked, AskedInstant, Id, Instant, Model, Page, PathId, TheApp, Words, e164_of, page
from web.api.docs import answers, example
from web.api.walls import AIR, InTheAir, Lifted, in_the_air, patience
from web.keys import Manager, OnTheFloor

router = APIRouter(prefix="/suppressions", tags=["suppressions"])


class NewSuppression(Model):
    """A number, written as people of the CRM's country write it, or a customer: one of the two."""

    number: Words | None = None
    customer_id: Id | None = None
    scope: Literal["crm", "owner"] = Field(
        "crm",
        description="owner: all CRMs of the data owner; it takes a number.",
    )
    reason: Words
    expires_at: AskedInstant | None = Field(None, description="Registers expire; null: for ever.")


class InOtherCrms(Model):
    """How much the wall found in the air of so many other CRMs; nothing rings there after `until`."""

    crms: int
    recalled: int
    rung: int
    unknown: int
    until: Instant | None


class Suppressed(Model):
    """From now on nobody rings it, except what is named here."""

    id: int
    e164: str | None
    customer_id: int | None
    scope: str
    in_the_air: InTheAir
    elsewhere: InOtherCrms | None = Field(description="With scope owner: no lease of theirs is named.")


class Suppression(Model):
    """An entry of the do-not-call list; it stands until it expires or is lifted. None is ever deleted."""

    id: int
    e164: str | None
    customer_id: int | None
    scope: str
    state: str
    reason: str
    author: str
    created_at: Instant
    expires_at: Instant | None
    lifted_at: Instant | None
    lifted_by: str | None


class AskedSuppressions(Asked):
    """Which entries: those that meet every filter."""

    lifted: bool = Field(False, description="Short for state=lifted.")
    state: Literal["standing", "expired", "lifted", "all"] = "standing"
    number: Words | None = Field(None, description="As people of the CRM's country write it.")
    customer_id: Id | None = None
    scope: Literal["crm", "owner", "everyone"] | None = None
    author: Words | None = None


class LiftedEntries(Lifted):
    """`still_standing`: the scopes of entries of the same number or customer that were not lifted."""

    still_standing: list[str]


class Reach(Model):
    """How far the do-not-calls of an assignment's outcomes reach."""

    scope: Literal["crm", "owner"]


class ReachChange(Model):
    """Somebody changed how far they reach."""

    before: str
    after: str
    author: str
    changed_at: Instant


class ReachNow(Reach):
    """How far they reach, and who changed that, oldest first."""

    changes: list[ReachChange]


_MANAGERS_SCOPE = (
    "a seller's key stops calls of its own CRM (scope: crm), a manager's also those of the whole owner; an "
    "outcome do_not_call reaches as far as the manager let it (PUT /suppressions/reach/{assignment_id})"
)
NEW = {"number": "912 345 678", "scope": "crm", "reason": "asked by letter", "expires_at": None}
DONE: dict[str, Any] = {
    "id": 5, "e164": "+351912345678", "customer_id": None, "scope": "crm", "in_the_air": AIR,
    "elsewhere": None,
}  # fmt: skip
STANDING: dict[str, Any] = {
    "id": 5, "e164": "+351912345678", "customer_id": None, "scope": "crm", "state": "standing",
    "reason": "asked by letter", "author": "Kari",
    "created_at": "2026-03-02T12:00:00Z", "expires_at": None, "lifted_at": None, "lifted_by": None,
}  # fmt: skip

CHANGED = {"before": "crm", "after": "owner", "author": "Kari", "changed_at": "2026-03-02T12:00:00Z"}


@router.post("", status_code=201, response_model=Suppressed,
             responses=answers(DONE, status=201, errors=[404, 409, 422]))  # fmt: skip
def add(app: TheApp, holder: OnTheFloor, body: Annotated[NewSuppression, Body(**example(NEW))]) -> Suppressed:
    """Put a number or a customer on the do-not-call list. When this answers, nobody rings it any more.

    A seller does so in their own CRM; the scope owner takes a manager.
    """
    if body.scope != "crm" and holder.role != "manager":
        raise HTTPException(403, _MANAGERS_SCOPE)
    check_end("expires_at", body.expires_at, app.now(), LONGEST_SUPPRESSION)
    e164 = None if body.number is None else e164_of(body.number, holder.region)
    open_work = app.opener(holder.crm_id)
    answer = suppress(
        open_work, e164=e164, customer_id=body.customer_id, reason=body.reason, author=holder.author,
        expires_at=body.expires_at, scope=body.scope, patience=patience(app),
    )  # fmt: skip
    with open_work() as work:
        key = browse.last_suppression(work, e164, body.customer_id)
    return Suppressed(
        id=key, e164=e164, customer_id=body.customer_id, scope=body.scope, in_the_air=in_the_air(answer),
        elsewhere=InOtherCrms.model_validate(answer.elsewhere) if body.scope != "crm" else None,
    )  # fmt: skip


@router.get("", response_model=Page[Suppression],
            responses=answers({"items": [STANDING], "next": None}, errors=[422]))  # fmt: skip
def entries(app: TheApp, holder: Manager, asked: Annotated[AskedSuppressions, Query()]) -> dict[str, Any]:
    """The entries, standing or over, with who added and who lifted them; oldest first."""
    wanted: dict[str, Any] = {
        "state": "lifted" if asked.lifted else asked.state, "customer_id": asked.customer_id,
        "scope": asked.scope, "author": asked.author,
        "e164": None if asked.number is None else e164_of(asked.number, holder.region),
    }  # fmt: skip
    with app.work(holder.crm_id) as work:
        found = page(
            "suppressions", asked, lambda after, most: do_not_call.entries(work, after, most, **wanted)
        )
    fields = Suppression.model_fields
    return {
        "items": [{name: getattr(row, name) for name in fields} for row in found["items"]],
        "next": found["next"],
    }


@router.delete("/{suppression_id}", response_model=LiftedEntries,
               responses=answers({"lifted": 1, "still_standing": []}, errors=[404, 409, 422]))  # fmt: skip
def remove(app: TheApp, holder: Manager, suppression_id: PathId) -> LiftedEntries:
    """Take a number or a customer off the list: this entry, and any other of its scope for the same.

    An entry of scope owner is lifted in all CRMs of the owner; one for everyone is lifted on the machine.
    """
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        found = browse.suppression(work, suppression_id)
    if found.scope == "everyone":
        raise Conflict("it stands for everyone: `ringeliste suppress --lift` lifts it on the machine")
    subject = {"e164": found.e164, "customer_id": found.customer_id}
    lifted = lift(open_work, **subject, author=holder.author, scope=found.scope)
    with open_work() as work:
        return LiftedEntries(lifted=lifted, still_standing=scopes_of(work, **subject))


@router.get("/reach/{assignment_id}", response_model=ReachNow,
            responses=answers({"scope": "owner", "changes": [CHANGED]}, errors=[404, 422]))  # fmt: skip
def reach_now(app: TheApp, holder: Manager, assignment_id: PathId) -> Any:
    """How far a do-not-call reaches that a seller or a dialer of an assignment reports; who changed it."""
    with app.work(holder.crm_id) as work:
        return reach_of(work, assignment_id)


@router.put("/reach/{assignment_id}", response_model=Reach,
            responses=answers({"scope": "owner"}, errors=[404, 409, 422]))  # fmt: skip
def reach(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[Reach, Body(**example({"scope": "owner"}))],
) -> Reach:  # fmt: skip
    """Say how far a do-not-call reaches that a seller or a dialer of an assignment reports.

    The customer is stopped in this CRM in any case; with owner the number is in all CRMs of the data owner.
    """
    say_reach(app.opener(holder.crm_id), assignment_id, body.scope, author=holder.author)
    return body
