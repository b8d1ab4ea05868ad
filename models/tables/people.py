"""Who rings: sellers, and the autodialers that consume orders."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, Key, one_of

PRESENCES = ("available", "away")
BREAKS = ("break", "lunch", "meeting", "training", "coaching", "paperwork", "technical")
"""Why somebody is away who comes back today; `technical`: something of theirs is broken."""

DAYS_OFF = ("off", "ill", "holiday", "leave")
"""Why somebody is away who does not: they are off for the day, or for as long as they said."""

AWAY_REASONS = BREAKS + DAYS_OFF
MODES = ("connect", "key_press", "voice_robot", "preview")
ROBOTS = ("key_press", "voice_robot")
"""A voice of a machine, or a recorded one, is heard; the other modes connect to a person (needs.sql)."""


class Seller(Base):
    """A person who rings. Works one assignment at a time, all of it or one segment."""

    __tablename__ = "seller"
    __table_args__ = (
        UniqueConstraint("crm_id", "name"),
        CheckConstraint(one_of("presence", PRESENCES), name="presence"),
        CheckConstraint(one_of("away_reason", AWAY_REASONS), name="away_reason"),
        CheckConstraint(
            "presence = 'away' or num_nonnulls(away_reason, back_at, off_until) = 0", name="away"
        ),
        Index(None, "crm_id", "assignment_id"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    presence: Mapped[str] = mapped_column(server_default="away")
    presence_since: Mapped[datetime]  # of presence and reason
    away_reason: Mapped[str | None]  # None: they left without saying
    back_at: Mapped[datetime | None]  # when they said they would be back; nobody is made available by it
    off_until: Mapped[
        datetime | None
    ]  # off for the day until then: nobody waits for them; None: they are not
    said_by: Mapped[str | None]  # who said it for them; None: they themselves
    assignment_id: Mapped[int | None]
    segment_id: Mapped[int | None]  # None: every segment of the assignment
    asked_in_vain_at: Mapped[datetime | None]  # since when they wait for a customer; None: they do not
    alive_at: Mapped[datetime | None]  # wall time of their page's last sign; None: it sends none
    connected_lease_id: Mapped[UUID | None]  # the last call that a dialer put through to them


class PresenceChange(Base):
    """What somebody's presence became at `changed_at`, what it had been and since when. Only added to."""

    __tablename__ = "presence_change"
    __table_args__ = (Index("ix_presence_change_seller", "crm_id", "seller_id", "id"),)

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    seller_id: Mapped[int]
    presence: Mapped[str]
    reason: Mapped[str | None]
    back_at: Mapped[datetime | None]
    off_until: Mapped[datetime | None]
    assignment_id: Mapped[int | None]
    segment_id: Mapped[int | None]
    before_presence: Mapped[str]
    before_reason: Mapped[str | None]
    before_since: Mapped[datetime]  # so long a break took
    said_by: Mapped[str | None]  # None: the seller
    changed_at: Mapped[datetime]


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
    causes_version: Mapped[int] = mapped_column(
        server_default="0"
    )  # of its causes: the last DialerCauseChange


class DialerCause(Base):
    """What a cause of a dialer comes to, said by somebody: it goes before what is shipped for its adapter."""

    __tablename__ = "dialer_cause"
    __table_args__ = (ForeignKeyConstraint(["crm_id", "dialer_id"], ["dialer.crm_id", "dialer.id"]),)

    crm_id: Mapped[CrmId]
    dialer_id: Mapped[Key]
    cause: Mapped[str] = mapped_column(primary_key=True)  # as calling/dialers/results.py writes it
    outcome: Mapped[str]


class DialerCauseChange(Base):
    """Somebody changed what causes of a dialer come to. Written once."""

    __tablename__ = "dialer_cause_change"

    crm_id: Mapped[CrmId]
    dialer_id: Mapped[Key]
    version: Mapped[Key]  # 1, 2, ...: of the dialer's causes after it
    before: Mapped[
        dict[str, Any]
    ]  # cause -> outcome, of those that changed; what is missing took the default
    after: Mapped[dict[str, Any]]
    reason: Mapped[str]
    author: Mapped[str]
    changed_at: Mapped[datetime]
