"""What came back: attempts for ever, and the raw inbox of dialers' events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, Key, SmallInt, one_of

ATTEMPT_KINDS = ("first", "completion", "undo", "correction")

UNKNOWN_KINDS = ("unknown_cause", "unknown_result")
"""Of what was set aside: the map of the dialer's causes may know the word one day."""

PROBLEM_KINDS = (*UNKNOWN_KINDS, "orphan", "foreign", "no_lease", "unknown_kind", "unreadable", "flaw")
"""Why nothing could be made of it. `foreign`: the lease is somebody else's; `flaw`: a bug of ours."""


class Attempt(Base):
    """One finished try, append-only: the highest revision of a lease is in force.

    Reports read the view `attempt_in_force`: a row a call, with the facts of the call and what it came to.
    Partitioned by month of the lease id (a time-ordered uuid), so that old months drop whole.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        CheckConstraint(one_of("kind", ATTEMPT_KINDS), name="kind"),
        CheckConstraint("(revision = 0) = (kind = 'first')", name="first"),
        Index("ix_attempt_assignment", "crm_id", "assignment_id", "reported_at"),
        Index("ix_attempt_customer", "crm_id", "customer_id", "lease_id"),
        # The last ones of a segment: its portrait.
        Index("ix_attempt_segment", "crm_id", "assignment_id", "segment_id", "lease_id"),
        {"postgresql_partition_by": "RANGE (lease_id)"},
    )

    crm_id: Mapped[CrmId]
    lease_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    assignment_id: Mapped[int]
    customer_id: Mapped[int]
    segment_id: Mapped[int]
    rule_version: Mapped[int]
    seller_id: Mapped[int | None]
    dialer_id: Mapped[int | None]
    e164: Mapped[str]
    number_kind: Mapped[str | None]  # its lease's
    zone: Mapped[str]
    outcome: Mapped[str]
    status: Mapped[str]  # of the placement after it
    counted: Mapped[SmallInt]  # the attempts of the placement after it
    late: Mapped[bool]  # it came after its lease had ended
    rung_at: Mapped[datetime | None]
    reported_at: Mapped[datetime]
    talk_seconds: Mapped[int | None]
    data_version: Mapped[SmallInt | None]  # its lease's


class DialerEvent(Base):
    """An event as its dialer told it, journalled before it is acknowledged (the raw inbox)."""

    __tablename__ = "dialer_event"
    __table_args__ = (
        Index(None, "crm_id", "dialer_id", "received_at", postgresql_where=text("processed_at is null")),
    )

    crm_id: Mapped[CrmId]
    dialer_id: Mapped[Key]
    event_id: Mapped[str] = mapped_column(primary_key=True)  # the dialer's own; the same twice is one event
    lease_id: Mapped[UUID | None]
    kind: Mapped[str]
    body: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    processed_at: Mapped[datetime | None]
    problem: Mapped[str | None]  # what could not be used, and why: an orphan, an unknown kind, a detail


class SetAside(Base):
    """What somebody told and nothing could be made of: kept, alarmed about, until a person has looked at it.

    `told_id`: "<dialer>:<event>" of the raw inbox, or "api:..." of a report over the API; told twice is once.
    Numbers in `body` and `problem` are masked; the raw inbox has what was told.
    """

    __tablename__ = "set_aside"
    __table_args__ = (
        UniqueConstraint("crm_id", "told_id"),
        CheckConstraint("(seen_at is null) = (seen_by is null)", name="seen"),
        CheckConstraint(one_of("problem_kind", PROBLEM_KINDS), name="problem_kind"),
        Index("ix_set_aside_unseen", "crm_id", "id", postgresql_where=text("seen_at is null")),
        # What another version of its dialer's causes may know.
        Index(
            "ix_set_aside_unknown", "crm_id", "dialer_id", "read_version", "id",
            postgresql_where=text(f"seen_at is null and {one_of('problem_kind', UNKNOWN_KINDS)}"),
        ),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    told_id: Mapped[str]
    dialer_id: Mapped[int | None]  # None: not a dialer's
    event_id: Mapped[str | None]  # its row of the raw inbox; None: told over the API
    lease_id: Mapped[UUID | None]
    kind: Mapped[str]
    body: Mapped[dict[str, Any]]
    problem: Mapped[str]
    problem_kind: Mapped[str]
    words: Mapped[list[str]] = mapped_column(
        server_default=text("'{}'")
    )  # causes that its dialer's map knew not
    read_version: Mapped[int] = mapped_column(server_default="0")  # of the map that was asked for them
    told_by: Mapped[str | None]  # whose key it was; None: a dialer's event
    set_aside_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[str | None]
    note: Mapped[str | None]
