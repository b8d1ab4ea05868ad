"""A customer held by one seller or dialer, and what makes a second holder impossible."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, Key, SmallInt, one_of

LEASE_STATES = ("offered", "taken", "rung", "wrap_up", "ended")
ENDINGS = ("outcome", "released", "skipped", "recalled", "expired", "never_seen", "unconfirmed")
LIVE = text("ended_at is null")
RUNG = text("rung_at is not null")
ODD_END = text("ended_by in ('skipped', 'unconfirmed')")


class Lease(Base):
    """offered -> taken -> rung -> wrap_up -> ended. Its id is the idempotency key and the fence.

    What the placement goes back to if nobody rings stands on the placement (`return_state`), so that a
    late outcome of an earlier lease needs to lock no other lease.
    """

    __tablename__ = "lease"
    __table_args__ = (
        CheckConstraint(one_of("state", LEASE_STATES), name="state"),
        CheckConstraint(one_of("ended_by", ENDINGS), name="ended_by"),
        CheckConstraint("(state = 'ended') = (ended_at is not null)", name="ended"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ending"),
        CheckConstraint("state not in ('rung', 'wrap_up') or rung_at is not null", name="rung"),
        CheckConstraint("(seller_id is null) <> (dialer_id is null)", name="one_holder"),
        Index("ix_lease_seller", "crm_id", "seller_id", "id", postgresql_where=LIVE),
        Index("ix_lease_dialer", "crm_id", "dialer_id", "id", postgresql_where=LIVE),
        Index("ix_lease_expiry", "crm_id", "expires_at", postgresql_where=LIVE),
        Index("ix_lease_live", "crm_id", "assignment_id", "segment_id", postgresql_where=LIVE),
        Index("ix_lease_customer", "crm_id", "customer_id", "id"),
        # Rings, to be counted against limits: each is a lease, and stands nowhere else.
        Index("ix_lease_rings", "crm_id", "customer_id", "rung_at", postgresql_where=RUNG),
        Index("ix_lease_number_rings", "crm_id", "e164", "rung_at", postgresql_where=RUNG),
        # How fast a list is worked.
        Index("ix_lease_assignment_rings", "crm_id", "assignment_id", "rung_at", postgresql_where=RUNG),
        # What a person looks at: skipped cards, calls of which nobody told.
        Index("ix_lease_odd_end", "crm_id", "ended_by", "id", postgresql_where=ODD_END),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    crm_id: Mapped[CrmId]
    id: Mapped[UUID] = mapped_column(primary_key=True)
    assignment_id: Mapped[int]
    customer_id: Mapped[int]
    segment_id: Mapped[int]
    rule_version: Mapped[int]
    seller_id: Mapped[int | None]
    dialer_id: Mapped[int | None]
    state: Mapped[str]
    e164: Mapped[str]
    number_kind: Mapped[str | None]  # of the number, when it was dealt
    zone: Mapped[str]  # the customer's reckoning zone
    offered_at: Mapped[datetime]
    ring_by: Mapped[datetime]  # never rung later
    expires_at: Mapped[datetime]  # the reaper looks at it from here on
    sent_at: Mapped[datetime | None]  # offered outside; only a recall, never-seen or lateness frees it
    taken_at: Mapped[datetime | None]
    rung_at: Mapped[datetime | None]
    wrap_up_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    data_version: Mapped[SmallInt | None]  # laws, zones and holidays by which it was offered
    clock_id: Mapped[int | None]  # where the customer was held to be when it was dealt, and when it was rung
    follow_up_id: Mapped[int | None]  # the promise that it was handed out to keep
    ended_author: Mapped[str | None]  # who took it away; None: its holder ended it, or time did
    ended_reason: Mapped[str | None]  # why it was skipped, or taken away
    flagged: Mapped[str | None]  # what an earlier call came to, told while this one had started
    connected_seller_id: Mapped[int | None]  # to whom its dialer put the call through
    hot_lead_id: Mapped[int | None]  # the hot lead as which it was handed out


class ClaimCustomer(Base):
    """A customer is held: one row at most, while held (P1)."""

    __tablename__ = "claim_customer"
    __table_args__ = (Index(None, "crm_id", "lease_id"),)

    crm_id: Mapped[CrmId]
    customer_id: Mapped[Key]
    lease_id: Mapped[UUID]


class ClaimNumber(Base):
    """A number is held: one row at most, while held, whoever it belongs to (P1)."""

    __tablename__ = "claim_number"
    __table_args__ = (Index(None, "crm_id", "lease_id"),)

    crm_id: Mapped[CrmId]
    e164: Mapped[str] = mapped_column(primary_key=True)
    lease_id: Mapped[UUID]


class Recall(Base):
    """An order is wanted back. Written by whoever recalls; the link carries it out and answers."""

    __tablename__ = "recall"
    __table_args__ = (
        CheckConstraint(one_of("answer", ("recalled", "never_seen", "taken", "late")), name="answer"),
        Index(None, "crm_id", "dialer_id", postgresql_where=text("answered_at is null")),
    )

    crm_id: Mapped[CrmId]
    lease_id: Mapped[UUID] = mapped_column(primary_key=True)
    dialer_id: Mapped[int]
    reason: Mapped[str]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None]


class RingLimit(Base):
    """When an assignment last rang a subject, written at each ring. Scope: customer or number.

    By it they wait the minimum gap (calling/handout/gap.py), as long as the assignments say now.
    """

    __tablename__ = "ring_limit"
    __table_args__ = (
        CheckConstraint(one_of("scope", ("customer", "number")), name="scope"),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    crm_id: Mapped[CrmId]
    scope: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)  # the customer's id, or the number (E.164)
    assignment_id: Mapped[Key]
    rung_at: Mapped[datetime]  # or when it was given up, if nobody knows whether it rang, or for how long
