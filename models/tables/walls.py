"""What stops calls at once: pauses, and numbers that may not be called."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, one_of

PAUSE_SCOPES = ("crm", "assignment", "segment", "seller", "dialer")


class Pause(Base):
    """Nothing of its scope is handed out while it stands. `walled_at`: from then on it is a wall (P2)."""

    __tablename__ = "pause"
    __table_args__ = (
        CheckConstraint(one_of("scope", PAUSE_SCOPES), name="scope"),
        CheckConstraint("(scope = 'crm') = (target_id is null)", name="target"),
        Index(
            "ix_pause_standing", "crm_id", "scope", "target_id", postgresql_where=text("lifted_at is null")
        ),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    scope: Mapped[str]
    target_id: Mapped[int | None]
    reason: Mapped[str]
    author: Mapped[str]
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    walled_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]


class Suppression(Base):
    """A number or a customer that may not be called: a gate, not a state, since registers expire (P8)."""

    __tablename__ = "suppression"
    __table_args__ = (
        CheckConstraint("(e164 is null) <> (customer_id is null)", name="subject"),
        Index("ix_suppression_number", "crm_id", "e164", postgresql_where=text("lifted_at is null")),
        Index("ix_suppression_customer", "crm_id", "customer_id", postgresql_where=text("lifted_at is null")),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    e164: Mapped[str | None]
    customer_id: Mapped[int | None]
    reason: Mapped[str]
    author: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    walled_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
