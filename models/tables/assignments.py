"""A piece of calling work: its segments, and each customer's place in it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, Key, SmallInt, one_of

PLACEMENT_STATES = ("ready", "leased", "resting", "follow_up", "closed", "left", "anonymised")
RETURN_STATES = ("ready", "resting", "follow_up", "closed")
UNSEGMENTED = "unsegmented"


class Assignment(Base):
    """A piece of calling work within a CRM."""

    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("crm_id", "name"),
        CheckConstraint("max_attempts between 1 and 255", name="max_attempts"),
        CheckConstraint("gap_seconds >= 0", name="gap_seconds"),
        CheckConstraint("follow_up_grace_seconds >= 0", name="follow_up_grace_seconds"),
        CheckConstraint("wrap_up_seconds > 0", name="wrap_up_seconds"),
        CheckConstraint("skip_seconds >= 0", name="skip_seconds"),
        CheckConstraint(one_of("do_not_call_scope", ("crm", "owner")), name="do_not_call_scope"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    rule_version: Mapped[int] = mapped_column(server_default="0")
    order_field: Mapped[str | None]  # a number field of the CRM that ranks customers of equal attempts
    order_descending: Mapped[bool] = mapped_column(server_default=text("false"))
    max_attempts: Mapped[SmallInt] = mapped_column(server_default="8")
    gap_seconds: Mapped[int] = mapped_column(server_default="3600")  # between any two rings to a person
    do_not_call_scope: Mapped[str] = mapped_column(server_default="crm")  # of outcomes: "owner" for all CRMs
    about_debts: Mapped[bool] = mapped_column(server_default=text("false"))  # the law's limits for debts bind
    retry_plan: Mapped[dict[str, Any]] = mapped_column(
        server_default=text("'{}'")
    )  # outcome -> {"delay": seconds, ...}; what is missing takes the default (calling/outcomes/retrying.py)
    number_plan: Mapped[dict[str, Any]] = mapped_column(
        server_default=text("'{}'")
    )  # which number is rung next, and when; {}: the default (calling/numbers/plan.py)
    retry_version: Mapped[int] = mapped_column(server_default="0")  # of retry_plan: its last RetryChange
    offer_seconds: Mapped[int] = mapped_column(server_default="60")  # an order's life, business time
    hold_seconds: Mapped[int] = mapped_column(server_default="900")  # a taken lease's life, business time
    follow_up_grace_seconds: Mapped[int] = mapped_column(
        server_default="900"
    )  # business time for which a due personal follow-up waits for its owner
    wrap_up_seconds: Mapped[int | None]  # business time from the hang-up to the outcome; None: no limit
    skip_seconds: Mapped[int] = mapped_column(server_default="600")  # how long who was skipped is left out
    created_at: Mapped[datetime]


class BestHours(Base):
    """Whether an assignment calls first where they answer best at the hour, and what it has learned."""

    __tablename__ = "best_hours"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
    )

    crm_id: Mapped[CrmId]
    assignment_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ordering: Mapped[bool]
    lifts: Mapped[dict[str, Any] | None]  # place -> 168 lifts, Monday 00 first (calling/handout/)
    learned_at: Mapped[datetime | None]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class NumberPlanChange(Base):
    """Somebody said which numbers an assignment rings when; append-only, the last one is in force."""

    __tablename__ = "number_plan_change"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        Index(None, "crm_id", "assignment_id", "id"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    plan: Mapped[dict[str, Any]]
    author: Mapped[str]
    changed_at: Mapped[datetime]


class RetryChange(Base):
    """Somebody changed what an assignment says of its own about trying again. Written once."""

    __tablename__ = "retry_change"

    crm_id: Mapped[CrmId]
    assignment_id: Mapped[Key]
    version: Mapped[Key]  # 1, 2, ...: of the assignment's plan after it
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    author: Mapped[str]
    changed_at: Mapped[datetime]


class Segment(Base):
    """A part of an assignment. Exclusive: a placement is in exactly one; lowest position wins.

    Unsegmented is a row as well: without a rule, last, never deleted.
    """

    __tablename__ = "segment"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        UniqueConstraint("crm_id", "assignment_id", "key"),
        CheckConstraint(f"(key = '{UNSEGMENTED}') = (rule is null)", name="rule"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    key: Mapped[str]
    name: Mapped[str]
    position: Mapped[int]
    rule: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    asks: Mapped[dict[str, Any]] = mapped_column(
        server_default=text("'{}'")
    )  # own fields -> types, as published
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class Label(Base):
    """An overlapping mark, given and taken away by its rule: an automatic status, a turnover class."""

    __tablename__ = "label"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        UniqueConstraint("crm_id", "assignment_id", "key"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    key: Mapped[str]
    name: Mapped[str]
    position: Mapped[int]
    rule: Mapped[dict[str, Any]]
    asks: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # as a segment's
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class RuleSet(Base):
    """A published version of an assignment's rules: append-only, the highest version is in force."""

    __tablename__ = "rule_set"

    crm_id: Mapped[CrmId]
    assignment_id: Mapped[Key]
    version: Mapped[Key]
    body: Mapped[dict[str, Any]]
    author: Mapped[str]
    published_at: Mapped[datetime]
    walled_at: Mapped[datetime | None]


class Placement(Base):
    """A customer in an assignment. Only functions of `calling/` change `state`."""

    __tablename__ = "placement"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        ForeignKeyConstraint(["crm_id", "customer_id"], ["customer.crm_id", "customer.id"]),
        CheckConstraint(one_of("state", PLACEMENT_STATES), name="state"),
        CheckConstraint("(state = 'leased') = (lease_id is not null)", name="leased"),
        CheckConstraint("(state = 'leased') = (return_state is not null)", name="returns"),
        CheckConstraint(one_of("return_state", RETURN_STATES), name="return_state"),
        CheckConstraint(
            "return_state in ('resting', 'follow_up') <= (return_due_at is not null)", name="return_due"
        ),
        CheckConstraint("(state in ('resting', 'follow_up')) <= (due_at is not null)", name="due"),
        CheckConstraint("(gated_by is null) = (gated_until is null)", name="gate"),
        # Whoever makes somebody gone says when: the sizes of segments over time are reckoned from it.
        CheckConstraint("(state in ('left', 'anonymised')) = (gone_at is not null)", name="gone"),
        # The probe: one descent per open clock finds the best ranks (design 5.3).
        Index(
            "ix_placement_ready", "crm_id", "assignment_id", "segment_id", "clock_id", "rank", "customer_id",
            postgresql_where=text("state = 'ready' and gated_by is null"),
        ),
        Index(
            "ix_placement_due", "crm_id", "state", "due_at",
            postgresql_where=text("state in ('resting', 'follow_up')"),
        ),
        # Promised calls, probed like who is ready: a descent per segment and open clock.
        Index(
            "ix_placement_promised",
            "crm_id", "assignment_id", "segment_id", "clock_id", "due_at", "customer_id",
            postgresql_where=text("state = 'follow_up' and gated_by is null"),
        ),
        Index(
            "ix_placement_gated", "crm_id", "gated_until",
            postgresql_where=text("gated_by is not null"),
        ),
        Index("ix_placement_customer", "crm_id", "customer_id"),
        # Whom a changed limit may let go (calling/limits/following.py).
        Index(
            "ix_placement_limited", "crm_id", "customer_id", "assignment_id",
            postgresql_where=text("gated_by = 'limit'"),
        ),
        # Rebuilds and outcomes rewrite rows all day: room on the page keeps them short.
        {"postgresql_with": {"fillfactor": "80"}},
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    assignment_id: Mapped[Key]
    customer_id: Mapped[Key]
    state: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="new")
    attempts: Mapped[SmallInt] = mapped_column(server_default="0")
    segment_id: Mapped[int]
    labels: Mapped[list[int]] = mapped_column(server_default=text("'{}'"))  # ids, sorted
    clock_id: Mapped[int]
    rank: Mapped[int]
    due_at: Mapped[datetime | None]
    gated_by: Mapped[str | None]
    gated_until: Mapped[datetime | None]
    lease_id: Mapped[UUID | None]
    return_state: Mapped[str | None]  # while leased: what it goes back to if nobody rings
    return_due_at: Mapped[datetime | None]
    last_outcome: Mapped[str | None]
    last_attempt_at: Mapped[datetime | None]
    last_lease_id: Mapped[UUID | None]  # of the last attempt: a late outcome knows whether it is older
    rule_version: Mapped[int] = mapped_column(server_default="0")
    entered_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]  # left, or anonymised, since then


class Hold(Base):
    """A manual placing in a segment that wins over rules until released or expired."""

    __tablename__ = "hold"
    __table_args__ = (
        ForeignKeyConstraint(
            ["crm_id", "assignment_id", "customer_id"],
            ["placement.crm_id", "placement.assignment_id", "placement.customer_id"],
        ),
        Index(
            "ix_hold_expires", "crm_id", "assignment_id", "expires_at",
            postgresql_where=text("expires_at is not null"),
        ),
        Index("ix_hold_segment", "crm_id", "assignment_id", "segment_id", "customer_id"),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    assignment_id: Mapped[Key]
    customer_id: Mapped[Key]
    segment_id: Mapped[int]
    author: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
