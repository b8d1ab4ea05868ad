"""Hours, laws and exemptions as the API takes and tells them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from web.api.common import Id, Instant, Model, Words
from web.api.walls import InTheAir

Week = Annotated[
    dict[str, list[list[str]]] | None,
    Field(description="Hours of each day (mon to sun); a day that is missing is shut. Null: any hour."),
]
Days = Annotated[
    dict[str, list[list[str]]],
    Field(description="Own days (2026-12-24), each with hours instead of the week's."),
]


class NewHours(Model):
    """Hours within which alone a segment, an assignment or the CRM (neither named) is worked."""

    assignment_id: Id | None = None
    segment_id: Id | None = None
    week: Week = None
    days: Days = Field(default_factory=dict)
    valid_from: date | None = Field(None, description="First day, on the customer's clock.")
    valid_to: date | None = Field(None, description="Last day.")
    reason: Words


class ChangedHours(Model):
    """What of standing hours is to be another; what is not named stays."""

    week: Week = None
    days: Days | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    reason: Words | None = Field(None, description="What is not said is as before.")


class Hours(Model):
    """Hours that are, or were, stricter than law and CRM. `replaces`: those that ended when these came."""

    id: int
    scope: Literal["crm", "assignment", "segment"]
    assignment_id: int | None
    assignment: str | None
    segment_id: int | None
    segment: str | None
    hours: str = Field(description="In words.")
    week: Week
    days: Days
    valid_from: date | None
    valid_to: date | None
    reason: str
    author: str
    set_at: Instant
    replaces: int | None
    walled_at: Instant | None = Field(description="From then on nothing rings outside them.")
    ended_at: Instant | None
    ended_by: str | None


class HoursSet(Model):
    """The hours hold: nothing rings outside them, except what is named here."""

    id: int
    in_the_air: InTheAir


class NewExemption(Model):
    """Which law row, or the CRM's `own` hours, is left aside for the CRM or an assignment, and until when."""

    law: str = Field(max_length=100, description="`key` of a row of `GET /laws`, or `own`.")
    assignment_id: Id | None = Field(None, description="Null: the whole CRM.")
    valid_to: date = Field(description="The last day, on the customer's clock; within 366 days.")
    reason: Words
    manager: Words | None = Field(None, description="A manager, who answers for it; null: whose key it is.")


class Exemption(Model):
    """Who is, or was, let off what until when, by whose name."""

    id: int
    scope: Literal["crm", "assignment"]
    assignment_id: int | None
    assignment: str | None
    law: str
    name: str
    valid_from: date
    valid_to: date
    reason: str
    manager: str
    author: str = Field(description="Who entered it.")
    given_at: Instant
    ended_at: Instant | None
    ended_by: str | None


class Ended(Model):
    """What was in the air when the law began to bind again."""

    in_the_air: InTheAir


class LawRow(Model):
    """A row of the law. `key` null: own hours, no source. `binds`: it is in force today.

    `debts`: it binds only where an assignment is about debts.
    """

    key: str | None
    place: str
    name: str
    hours: str
    holidays: str | None
    own_days: list[str]
    valid_from: date | None
    valid_to: date | None
    binds: bool
    debts: bool
    source: str
    evidence: Literal["text", "secondary", "none"]
    note: str
    exempted: list[Exemption]


class Laws(Model):
    """The law rows of all places, or of one; what is not among them has own hours, no source."""

    items: list[LawRow]


class InForce(Model):
    """All hours of an assignment or a segment: the CRM's own, what is stricter, who is exempted."""

    own: str = Field(description="The CRM's own hours.")
    stricter: list[Hours]
    exemptions: list[Exemption]
