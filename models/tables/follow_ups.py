"""Promised calls: who asked for which time, who is to ring, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, one_of

OTHERWISE = ("ready", "resting", "closed")
WAYS = ("seller", "key_press", "api", "hand")
FOLLOW_UP_ENDINGS = ("outcome", "changed", "cancelled", "overtaken", "moved")
ASKED_AS = ("instant", "named_zone", "own_zone")
"""An instant; a time on the wall of a named zone; or on the customer's own wall, wherever that is."""


class FollowUp(Base):
    """A call promised at a time, personal to a seller or (`seller_id` null) shared. One open a placement.

    A change of time ends the row and writes another that `replaces` it, so nothing that was promised is
    forgotten: it was `changed` by somebody, or `moved` with the wall on which it was asked. Only the owner
    changes in place (`handed_*`: last). While it is open, the placement is in `follow_up`, or is leased and
    will go back there, with the same `due_at`. `otherwise_*` is what the customer would be without it, and is
    again once it is taken back.
    """

    __tablename__ = "follow_up"
    __table_args__ = (
        ForeignKeyConstraint(
            ["crm_id", "assignment_id", "customer_id"],
            ["placement.crm_id", "placement.assignment_id", "placement.customer_id"],
        ),
        CheckConstraint(one_of("made_by", WAYS), name="made_by"),
        CheckConstraint(one_of("asked_as", ASKED_AS), name="asked_as"),
        CheckConstraint(one_of("ended_by", FOLLOW_UP_ENDINGS), name="ended_by"),
        CheckConstraint(one_of("otherwise_state", OTHERWISE), name="otherwise_state"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        CheckConstraint("(handed_at is null) = (handed_by is null)", name="handed"),
        Index(
            "uq_follow_up_open", "crm_id", "assignment_id", "customer_id",
            unique=True, postgresql_where=text("ended_at is null"),
        ),
        Index(
            "ix_follow_up_due", "crm_id", "assignment_id", "due_at", "id",
            postgresql_where=text("ended_at is null"),
        ),
        Index(
            "ix_follow_up_seller", "crm_id", "seller_id", "due_at", "id",
            postgresql_where=text("ended_at is null"),
        ),
        Index(
            "ix_follow_up_kept_free", "crm_id", "kept_free_until",
            postgresql_where=text("ended_at is null and kept_free_until is not null"),
        ),
        Index("ix_follow_up_customer", "crm_id", "customer_id", "id"),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    customer_id: Mapped[int]
    seller_id: Mapped[int | None]
    asked_at: Mapped[datetime]  # the instant that was asked for
    wall_time: Mapped[str]  # the same as asked, on the wall of `zone`: "2026-03-05T10:00"
    zone: Mapped[str]
    asked_as: Mapped[str]
    due_at: Mapped[datetime]  # from when it is handed out: asked_at, or the next opening after it
    otherwise_state: Mapped[str] = mapped_column(server_default="ready")
    otherwise_due_at: Mapped[datetime | None]
    anybodys_at: Mapped[datetime | None]  # of a personal one: when its grace is over; None: it does not run
    kept_free_until: Mapped[datetime | None]  # until then nobody is offered the customer for anything else
    note: Mapped[str]
    author: Mapped[str]
    made_by: Mapped[str]
    lease_id: Mapped[UUID | None]  # the call in which it was promised
    replaces: Mapped[int | None]
    created_at: Mapped[datetime]
    handed_at: Mapped[datetime | None]
    handed_by: Mapped[str | None]
    handed_from: Mapped[int | None]  # the seller whose it was; None: it was shared
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_author: Mapped[str | None]
    ended_lease_id: Mapped[UUID | None]  # the call whose outcome consumed it
