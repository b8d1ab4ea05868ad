"""National registers: which there are, how old they are, who obeys them and who is let off."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from pydantic import Field

from calling.registers import using
from calling.views import registers as views
from web.api.common import Asked, Id, Instant, Model, Page, Paging, PathId, TheApp, Words, page
from web.api.docs import answers, example
from web.api.walls import AIR, InTheAir, in_the_air, patience
from web.keys import Manager

router = APIRouter(tags=["registers"])

Name = Annotated[str, Path(max_length=60, description="As it is listed; in any case.")]


class Register(Model):
    """A register. `age`: fresh, old (warned of), stale, never loaded. `walled`: nobody rings whom it names;
    `stamped`: lists are cut to that as well."""

    name: str
    title: str
    country: str
    binds: list[str]
    policy: str = Field(description="refuse: while it is stale or not loaded, nobody there is called.")
    warn_after: int
    refuse_after: int
    source: str
    evidence: str
    note: str
    dated: date | None
    numbers: int
    age: str
    last_day: date | None = Field(description="The last day on which it may be called by.")
    days_left: int | None = Field(description="Days until then; below zero it is stale. Null: never loaded.")
    binds_us: bool
    used_since: Instant | None
    used_by: str | None
    walled: bool
    stamped: bool
    warning: str | None


class Registers(Model):
    """Every register that is known."""

    items: list[Register]


class Version(Model):
    """A file of a register that was loaded, and what it changed."""

    id: int
    dated: date
    file: str
    author: str
    begun_at: Instant
    in_force_at: Instant | None
    failed_at: Instant | None
    why: str | None
    lines: int
    bad_lines: int
    numbers: int
    added: int
    removed: int
    in_force: bool


class Use(Model):
    """A register that the CRM obeys, or did."""

    id: int
    register_name: str = Field(alias="register")
    author: str
    used_since: Instant
    ended_at: Instant | None
    ended_by: str | None


class Uses(Model):
    """Every use there was, oldest first."""

    items: list[Use]


class Obeyed(InTheAir):
    """What came back, because the register names it or shuts its country."""

    warning: str | None = Field(description="While it is stale or not loaded: nobody there is called.")


class NewExemption(Model):
    """Who is let off: an assignment, or customers with a tag."""

    assignment_id: Id | None = None
    tag: Words | None = None
    reason: Words = Field(description="By whose consent, or since when they are customers.")
    manager: Words | None = Field(None, description="A manager, who answers for it; null: whose key it is.")


class Exemption(Model):
    """Somebody is let off a register, or was."""

    id: int
    register_name: str = Field(alias="register")
    assignment_id: int | None
    assignment: str | None
    tag: str | None
    reason: str
    manager: str
    author: str = Field(description="Who entered it.")
    given_at: Instant
    ended_at: Instant | None
    ended_by: str | None


class Given(Model):
    """The exemption that was given."""

    id: int


class AskedExemptions(Asked):
    """Which exemptions."""

    ended: bool = Field(False, description="Those that ended, instead of those that stand.")


REGISTER: dict[str, Any] = {
    "name": "NO-RESERVASJON", "title": "Reservasjonsregisteret", "country": "NO", "binds": ["b2c"],
    "policy": "refuse", "warn_after": 25, "refuse_after": 31, "source": "brreg.no", "evidence": "text",
    "note": "At most a month before use.", "dated": "2026-03-01", "numbers": 2310000, "age": "fresh",
    "last_day": "2026-04-01", "days_left": 30, "binds_us": True, "used_since": "2026-03-01T08:00:00Z",
    "used_by": "Kari", "walled": True, "stamped": True, "warning": None,
}  # fmt: skip
VERSION: dict[str, Any] = {
    "id": 7, "dated": "2026-03-01", "file": "reservasjon.txt", "author": "Kari",
    "begun_at": "2026-03-01T08:00:00Z", "in_force_at": "2026-03-01T08:00:00Z", "failed_at": None, "why": None,
    "lines": 2310004, "bad_lines": 4, "numbers": 2310000, "added": 12000, "removed": 4000, "in_force": True,
}  # fmt: skip
USE: dict[str, Any] = {
    "id": 1, "register": "NO-RESERVASJON", "author": "Kari", "used_since": "2026-03-01T08:00:00Z",
    "ended_at": None, "ended_by": None,
}  # fmt: skip
NEW = {"assignment_id": None, "tag": "customer", "reason": "customers of ours", "manager": "Kari Nord"}
EXEMPTION: dict[str, Any] = {
    "id": 4, "register": "NO-RESERVASJON", "assignment": None, **NEW, "author": "Kari Nord",
    "given_at": "2026-03-02T12:00:00Z",
    "ended_at": None, "ended_by": None,
}  # fmt: skip


@router.get("/registers", response_model=Registers, responses=answers({"items": [REGISTER]}))
def registers(app: TheApp, holder: Manager) -> dict[str, Any]:
    """Every register that is known, whether this CRM uses it or not. Files are loaded on the machine."""
    with app.work(holder.crm_id) as work:
        return {"items": views.register_states(work)}


@router.get("/registers/uses", response_model=Uses, responses=answers({"items": [USE]}))
def uses(app: TheApp, holder: Manager) -> dict[str, Any]:
    """Which registers this CRM obeys and obeyed, since when and by whose word."""
    with app.work(holder.crm_id) as work:
        return {"items": [dict(row._mapping) for row in views.uses(work)]}


@router.get("/registers/exemptions", response_model=Page[Exemption],
            responses=answers({"items": [EXEMPTION], "next": None}, errors=[422]))  # fmt: skip
def exemptions(app: TheApp, holder: Manager, asked: Annotated[AskedExemptions, Query()]) -> dict[str, Any]:
    """Who is let off a register, by whose name and why; or who was. Oldest first."""
    with app.work(holder.crm_id) as work:
        return _mapped(
            page(
                "exemptions of registers", asked,
                lambda after, most: views.exemptions(work, after, most, ended=asked.ended),
            )
        )  # fmt: skip


@router.delete("/registers/exemptions/{exemption_id}", response_model=InTheAir,
               responses=answers(AIR, errors=[404, 409, 422]))  # fmt: skip
def end_exemption(app: TheApp, holder: Manager, exemption_id: PathId) -> InTheAir:
    """End an exemption. When this answers, the register binds them again, except what is named here."""
    open_work = app.opener(holder.crm_id)
    return in_the_air(
        using.end_exemption(open_work, exemption_id, author=holder.author, patience=patience(app))
    )


@router.get("/registers/{name}/versions", response_model=Page[Version],
            responses=answers({"items": [VERSION], "next": None}, errors=[404, 422]))  # fmt: skip
def versions(app: TheApp, holder: Manager, name: Name, asked: Paging) -> dict[str, Any]:
    """The versions of a register that were loaded, by whom, and what each changed; oldest first."""
    with app.work(holder.crm_id) as work:
        return _mapped(
            page("versions of a register", asked, lambda after, most: views.versions(work, name, after, most))
        )


@router.put("/registers/{name}/use", response_model=Obeyed,
            responses=answers({**AIR, "warning": None}, errors=[404, 409, 422]))  # fmt: skip
def use(app: TheApp, holder: Manager, name: Name) -> Obeyed:
    """Let this CRM obey a register. When this answers, nobody rings whom it names, except what is named here.

    While the register is stale or not loaded and its policy is refuse, nobody in its country is called: from
    the answer on, with the same exceptions; `warning` says so.
    """
    open_work = app.opener(holder.crm_id)
    air = in_the_air(using.use(open_work, name, author=holder.author, patience=patience(app)))
    with open_work() as work:
        return Obeyed(**dict(air), warning=views.warning_of(work, name))


@router.delete(
    "/registers/{name}/use", status_code=204, responses=answers(status=204, errors=[404, 409, 422])
)
def leave(app: TheApp, holder: Manager, name: Name) -> None:
    """Let this CRM obey a register no longer. It stays written who decided that."""
    using.use_no_more(app.opener(holder.crm_id), name, author=holder.author)


@router.post("/registers/{name}/exemptions", status_code=201, response_model=Given,
             responses=answers({"id": 4}, status=201, errors=[404, 409, 422]))  # fmt: skip
def exempt(
    app: TheApp, holder: Manager, name: Name, body: Annotated[NewExemption, Body(**example(NEW))]
) -> Given:
    """Let an assignment, or customers with a tag, be called although the register names them."""
    open_work = app.opener(holder.crm_id)
    return Given(id=using.exempt(open_work, name, **body.model_dump(), author=holder.author))


def _mapped(found: dict[str, Any]) -> dict[str, Any]:
    return {"items": [dict(row._mapping) for row in found["items"]], "next": found["next"]}
