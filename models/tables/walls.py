"""What stops calls at once: pauses, and numbers that may not be called.

`shared_suppression` and `shared_pause` are shared, yet what an owner's CRMs may not call, or that they are
paused, no other owner's sees: the database keeps it apart.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, OwnId, one_of

PAUSE_SCOPES = ("crm", "assignment", "segment", "seller", "dialer", "owner", "everything")
SHARED_PAUSES = PAUSE_SCOPES[-2:]
WHOLE_CRM = ("crm", *SHARED_PAUSES)
"""Scopes of pauses that have no target: nothing of the CRM is handed out."""
SUPPRESSION_SCOPES = ("crm", "owner", "everyone")
SHARED_SCOPES = SUPPRESSION_SCOPES[1:]


class Pause(Base):
    """Nothing of its scope is handed out while it stands. `walled_at`: from then on it is a wall (P2).

    `origin_id`: the shared row that this one stands for. Rows are added to and lifted, and never deleted.
    """

    __tablename__ = "pause"
    __table_args__ = (
        CheckConstraint(one_of("scope", PAUSE_SCOPES), name="scope"),
        CheckConstraint("(scope in ('crm', 'owner', 'everything')) = (target_id is null)", name="target"),
        CheckConstraint("(scope in ('owner', 'everything')) = (origin_id is not null)", name="origin"),
        Index(
            "ix_pause_standing", "crm_id", "scope", "target_id", postgresql_where=text("lifted_at is null")
        ),
        Index(
            "uq_pause_origin", "crm_id", "origin_id", unique=True,
            postgresql_where=text("origin_id is not null"),
        ),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    scope: Mapped[str]
    target_id: Mapped[int | None]
    origin_id: Mapped[int | None]
    reason: Mapped[str]
    author: Mapped[str]
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    walled_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]


class SharedPause(Base):
    """All CRMs of a data owner, or all there are, are paused: each has a pause of its own.

    `spread_at`: every CRM of the scope has what stands here, and its wall; null again once it is lifted.
    """

    __tablename__ = "shared_pause"
    __table_args__ = (
        CheckConstraint(one_of("scope", SHARED_PAUSES), name="scope"),
        CheckConstraint("(scope = 'owner') = (owner_id is not null)", name="owner"),
        CheckConstraint("(lifted_at is null) = (lifted_by is null)", name="lifted"),
        Index("ix_shared_pause_unspread", "id", postgresql_where=text("spread_at is null")),
    )

    id: Mapped[OwnId]
    scope: Mapped[str]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("data_owner.id"))
    reason: Mapped[str]
    author: Mapped[str]
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    spread_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]


class SharedSuppression(Base):
    """A number that all CRMs of a data owner, or all there are, may not call: each gets a row of its own.

    `spread_at`: every CRM of the scope has what stands here, and its wall; null again once it is lifted.
    """

    __tablename__ = "shared_suppression"
    __table_args__ = (
        CheckConstraint(one_of("scope", SHARED_SCOPES), name="scope"),
        CheckConstraint("(scope = 'owner') = (owner_id is not null)", name="owner"),
        CheckConstraint("(lifted_at is null) = (lifted_by is null)", name="lifted"),
        Index("ix_shared_suppression_number", "e164", postgresql_where=text("lifted_at is null")),
        Index("ix_shared_suppression_unspread", "id", postgresql_where=text("spread_at is null")),
    )

    id: Mapped[OwnId]
    scope: Mapped[str]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("data_owner.id"))
    e164: Mapped[str]
    reason: Mapped[str]
    author: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    spread_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]


class Suppression(Base):
    """A number or a customer that may not be called: a gate, not a state, since registers expire (P8).

    `origin_id`: the shared row that this one stands for. Rows are added to and lifted, and never deleted.
    """

    __tablename__ = "suppression"
    __table_args__ = (
        CheckConstraint("(e164 is null) <> (customer_id is null)", name="subject"),
        CheckConstraint(one_of("scope", SUPPRESSION_SCOPES), name="scope"),
        CheckConstraint("(scope = 'crm') = (origin_id is null)", name="origin"),
        Index("ix_suppression_number", "crm_id", "e164", postgresql_where=text("lifted_at is null")),
        Index("ix_suppression_customer", "crm_id", "customer_id", postgresql_where=text("lifted_at is null")),
        Index(
            "ix_suppression_unwalled", "crm_id", "id",
            postgresql_where=text("walled_at is null and lifted_at is null"),
        ),
        Index(
            "ix_suppression_lifted", "crm_id", "id", postgresql_where=text("lifted_at is not null"),
        ),
        Index(
            "uq_suppression_origin", "crm_id", "origin_id", unique=True,
            postgresql_where=text("origin_id is not null"),
        ),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    e164: Mapped[str | None]
    customer_id: Mapped[int | None]
    scope: Mapped[str] = mapped_column(server_default="crm")
    origin_id: Mapped[int | None]
    reason: Mapped[str]
    author: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    walled_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]


class ReachChange(Base):
    """Somebody changed how far the do-not-calls of an assignment's outcomes reach; append-only."""

    __tablename__ = "reach_change"

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    before: Mapped[str]
    after: Mapped[str]
    author: Mapped[str]
    changed_at: Mapped[datetime]
