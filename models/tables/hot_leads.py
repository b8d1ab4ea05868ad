"""Hot leads: whoever asked to be called is rung before all others, at once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, one_of

HOT_LEAD_ENDINGS = ("rung", "closed", "cooled")


class HotLead(Base):
    """A customer who is to be rung before all others of the assignment. One open a placement.

    Open until a call has reached them: a number that was wrong, or a line that was full, is no call. What
    their placement is says nothing of it: no outcome, rest or move has to know that somebody is a hot lead.
    """

    __tablename__ = "hot_lead"
    __table_args__ = (
        ForeignKeyConstraint(
            ["crm_id", "assignment_id", "customer_id"],
            ["placement.crm_id", "placement.assignment_id", "placement.customer_id"],
        ),
        CheckConstraint(one_of("ended_by", HOT_LEAD_ENDINGS), name="ended_by"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        Index(
            "uq_hot_lead_open", "crm_id", "assignment_id", "customer_id",
            unique=True, postgresql_where=text("ended_at is null"),
        ),
        Index("ix_hot_lead_customer", "crm_id", "customer_id", "id"),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    customer_id: Mapped[int]
    reason: Mapped[str]  # what whoever rings is told: "asked on the web page to be called"
    author: Mapped[str]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_author: Mapped[str | None]  # who cooled it
    ended_lease_id: Mapped[UUID | None]  # the call that reached them
