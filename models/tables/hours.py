"""What owners change about the hours, and what new zone data did to customers."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, Key, SmallInt

STANDING = text("ended_at is null")


class StricterHours(Base):
    """Hours of a CRM, an assignment or a segment, within what the law and the CRM allow anyway.

    A change is a row of its own beside the one that it ends: who had set what, and when, stays to be read.
    """

    __tablename__ = "stricter_hours"
    __table_args__ = (
        CheckConstraint("segment_id is null or assignment_id is not null", name="segment"),
        CheckConstraint("valid_from <= valid_to", name="time"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        ForeignKeyConstraint(["crm_id", "segment_id"], ["segment.crm_id", "segment.id"]),
        Index("ix_stricter_hours_standing", "crm_id", "id", postgresql_where=STANDING),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int | None]  # None: the whole CRM
    segment_id: Mapped[int | None]  # None: the whole assignment
    week: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # None: any hour
    days: Mapped[dict[str, Any]]  # own days -> intervals, instead of the week's: {"2026-12-24": []}
    valid_from: Mapped[date | None]  # the customer's own days
    valid_to: Mapped[date | None]
    reason: Mapped[str]
    author: Mapped[str]
    set_at: Mapped[datetime]
    replaces: Mapped[int | None]  # the row that ended when this one came
    walled_at: Mapped[datetime | None]  # from then on nothing rings but within them
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class Exemption(Base):
    """A named manager lets a CRM or an assignment off one law row, or the CRM's own hours, until a day."""

    __tablename__ = "exemption"
    __table_args__ = (
        CheckConstraint("btrim(manager) <> '' and btrim(reason) <> ''", name="named"),
        CheckConstraint("valid_from <= valid_to", name="time"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        Index("ix_exemption_standing", "crm_id", "id", postgresql_where=STANDING),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int | None]  # None: the whole CRM
    law: Mapped[str]  # the key of a row in calling/laws/hours.toml, or "own"
    valid_from: Mapped[date]  # the customer's own days
    valid_to: Mapped[date]
    reason: Mapped[str]
    manager: Mapped[str]  # who answers for it
    author: Mapped[str]  # who entered it
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    walled_at: Mapped[datetime | None]  # once ended: from then on nothing rings by it


class OwnHoursChange(Base):
    """Somebody changed the CRM's own hours, from what to what. Append-only; the last is in force.

    `manager`: who answers for hours that opened, by name.
    """

    __tablename__ = "own_hours_change"

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    reason: Mapped[str]
    manager: Mapped[str | None]
    author: Mapped[str]
    changed_at: Mapped[datetime]
    walled_at: Mapped[datetime | None]  # from then on nothing rings in hours that it shut


class Rezoning(Base):
    """A CRM brought under other data: offers recalled that no longer hold, zones worked out anew in batches.

    `done_to`: the last customer (by id) whose zones were; who goes on after a crash begins behind them.
    """

    __tablename__ = "rezoning"
    __table_args__ = (
        Index("uq_rezoning_open", "crm_id", unique=True, postgresql_where=text("finished_at is null")),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    from_version: Mapped[SmallInt | None]  # data_version; None: nobody knows
    to_version: Mapped[SmallInt]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    done_to: Mapped[int] = mapped_column(server_default="0")
    customers: Mapped[int] = mapped_column(server_default="0")
    moved: Mapped[int] = mapped_column(server_default="0")  # got another clock
    recalled: Mapped[int] = mapped_column(server_default="0")  # offered under the old hours, and taken back


class RezonedCustomers(Base):
    """How many customers one rezoning moved from one clock to another, and some of them."""

    __tablename__ = "rezoned_customers"
    __table_args__ = (ForeignKeyConstraint(["crm_id", "rezoning_id"], ["rezoning.crm_id", "rezoning.id"]),)

    crm_id: Mapped[CrmId]
    rezoning_id: Mapped[Key]
    from_clock: Mapped[Key]
    to_clock: Mapped[Key]
    customers: Mapped[int]
    samples: Mapped[list[int]]  # ids, at most five


class RezonedPromise(Base):
    """What a rezoning did to a promised call of somebody it looked at: `moved` with their wall, or it stays.

    `follow_up_id`: the one that stands since then.
    """

    __tablename__ = "rezoned_promise"
    __table_args__ = (ForeignKeyConstraint(["crm_id", "rezoning_id"], ["rezoning.crm_id", "rezoning.id"]),)

    crm_id: Mapped[CrmId]
    rezoning_id: Mapped[Key]
    follow_up_id: Mapped[Key]
    was_due_at: Mapped[datetime]
    due_at: Mapped[datetime]
    moved: Mapped[bool]
