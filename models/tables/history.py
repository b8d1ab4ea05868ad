"""What happened to segments: who did what, and how customers went in and out."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, one_of

MOVE_CAUSES = ("entered", "rule", "event", "time", "hand")
SEGMENT_DEEDS = (
    "created", "renamed", "ruled", "reordered", "paused", "resumed", "held", "freed", "released", "woken",
    "deleted",
)  # fmt: skip


class SegmentMove(Base):
    """Customers that one transaction moved from a segment to another, for one cause; append-only.

    `entered`: they came into the assignment, from nowhere. A row per pair and transaction, not per customer:
    a first fill of a million costs thousands of rows.
    """

    __tablename__ = "segment_move"
    __table_args__ = (
        CheckConstraint(one_of("cause", MOVE_CAUSES), name="cause"),
        CheckConstraint("(cause = 'entered') = (from_segment is null)", name="entered"),
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        Index(None, "crm_id", "assignment_id", "moved_at"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    moved_at: Mapped[datetime]
    cause: Mapped[str]
    from_segment: Mapped[int | None]
    to_segment: Mapped[int]
    rule_version: Mapped[int]
    customers: Mapped[list[int]]  # ids, sorted


class SegmentEvent(Base):
    """What somebody did to a segment: renamed it, moved people into it, paused it; append-only."""

    __tablename__ = "segment_event"
    __table_args__ = (
        CheckConstraint(one_of("deed", SEGMENT_DEEDS), name="deed"),
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        Index(None, "crm_id", "assignment_id", "done_at"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    segment_id: Mapped[int | None]
    deed: Mapped[str]
    author: Mapped[str]
    detail: Mapped[dict[str, Any]]
    done_at: Mapped[datetime]
