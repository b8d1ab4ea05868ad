"""Bulk actions: one deed on many customers, carried out in parts. What a crash left, the next tick finds."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, Key, one_of

BULK_KINDS = ("hold", "free", "release", "wake")


class BulkAction(Base):
    """What somebody asked to be done to many customers at once; who they are was decided when it began.

    `hold` in `segment_id`; `free`: all of `of_segment` back to Unsegmented, which is `segment_id`; `release`
    their holds; `wake` those who rest. `of_segment` None: of a selection, which `what` says in words.
    `problem`: why it was given up half way.
    """

    __tablename__ = "bulk_action"
    __table_args__ = (
        CheckConstraint(one_of("kind", BULK_KINDS), name="kind"),
        CheckConstraint("(kind in ('hold', 'free')) = (segment_id is not null)", name="segment"),
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        Index("ix_bulk_action_open", "crm_id", "id", postgresql_where=text("finished_at is null")),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    kind: Mapped[str]
    segment_id: Mapped[int | None]
    of_segment: Mapped[int | None]
    what: Mapped[str]
    author: Mapped[str]
    reason: Mapped[str]
    expires_at: Mapped[datetime | None]
    customers: Mapped[int]  # how many
    begun_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    changed: Mapped[int | None]
    problem: Mapped[str | None]


class BulkPart(Base):
    """Customers of a bulk action that one transaction does together. Gone when the action is finished."""

    __tablename__ = "bulk_part"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "action_id"], ["bulk_action.crm_id", "bulk_action.id"]),
        # The next part is found without reading those that are done.
        Index(
            "ix_bulk_part_undone", "crm_id", "action_id", "number", postgresql_where=text("done_at is null")
        ),
    )

    crm_id: Mapped[CrmId]
    action_id: Mapped[Key]
    number: Mapped[Key]
    customers: Mapped[list[int]]  # ids, sorted
    done_at: Mapped[datetime | None]
    changed: Mapped[int | None]
