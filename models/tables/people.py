"""Who rings: sellers, and the autodialers that consume orders."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, one_of

PRESENCES = ("available", "away")
MODES = ("connect", "key_press", "voice_robot", "preview")
ROBOTS = ("key_press", "voice_robot")
"""A voice of a machine, or a recorded one, is heard; the other modes connect to a person (needs.sql)."""


class Seller(Base):
    """A person who rings. Works one assignment at a time, all of it or one segment."""

    __tablename__ = "seller"
    __table_args__ = (
        UniqueConstraint("crm_id", "name"),
        CheckConstraint(one_of("presence", PRESENCES), name="presence"),
        Index(None, "crm_id", "assignment_id"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    presence: Mapped[str] = mapped_column(server_default="away")
    presence_since: Mapped[datetime]
    assignment_id: Mapped[int | None]
    segment_id: Mapped[int | None]  # None: every segment of the assignment
    asked_in_vain_at: Mapped[datetime | None]  # since when they wait for a customer; None: they do not


class Dialer(Base):
    """An autodialer that consumes orders. Works one assignment, all of it or one segment."""

    __tablename__ = "dialer"
    __table_args__ = (
        UniqueConstraint("crm_id", "name"),
        CheckConstraint(one_of("mode", MODES), name="mode"),
        CheckConstraint("wanted >= 0", name="wanted"),
        Index(None, "crm_id", "assignment_id"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    adapter: Mapped[str]  # a file of dialer_adapter/: "redis_queue"
    mode: Mapped[str]
    settings: Mapped[dict[str, Any]]
    assignment_id: Mapped[int | None]
    segment_id: Mapped[int | None]
    wanted: Mapped[int] = mapped_column(
        server_default="0"
    )  # orders it would hold now, as its link last heard
    wanted_at: Mapped[datetime | None]  # business time; None: never linked
    rings_late_seconds: Mapped[int] = mapped_column(server_default="0")  # how late it may still ring
    epoch: Mapped[str | None]  # Redis' run id and our key when we last offered
    cursor: Mapped[str] = mapped_column(server_default="")  # the last event journalled
