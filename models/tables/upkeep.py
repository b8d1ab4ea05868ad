"""What the system does by itself: rebuilds and imports, each with how far it came."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, Key, one_of

REBUILD_ENDINGS = ("done", "superseded")


class Rebuild(Base):
    """A wish to make an assignment's segments true; at most one waits per assignment.

    `differing`: how many the scan at `scanned_at` found in another segment, or with other labels, than they
    ought to have; `settled` of them so far. Begun again after a crash, both are new.
    """

    __tablename__ = "rebuild"
    __table_args__ = (
        CheckConstraint(one_of("ending", REBUILD_ENDINGS), name="ending"),
        CheckConstraint("(ending is null) = (finished_at is null)", name="ended"),
        Index(
            "uq_rebuild_waiting", "crm_id", "assignment_id",
            unique=True, postgresql_where=text("started_at is null"),
        ),
        Index(
            "ix_rebuild_open", "crm_id", "requested_at",
            postgresql_where=text("finished_at is null"),
        ),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int]
    reason: Mapped[str]
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    rule_version: Mapped[int | None]
    scanned: Mapped[int | None]
    moved: Mapped[int | None]
    scanned_at: Mapped[datetime | None]
    differing: Mapped[int | None]
    settled: Mapped[int | None]
    ending: Mapped[str | None]


class BrokenRule(Base):
    """A rule of a live segment or label that cannot be read as it was published: the alarm, until it can.

    `stands_in`: the published version whose form is in force instead; None: nobody meets the rule.
    """

    __tablename__ = "broken_rule"
    __table_args__ = (
        CheckConstraint(one_of("kind", ("segment", "label")), name="kind"),
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
    )

    crm_id: Mapped[CrmId]
    assignment_id: Mapped[Key]
    kind: Mapped[str] = mapped_column(primary_key=True)
    rule_id: Mapped[Key]
    why: Mapped[str]
    stands_in: Mapped[int | None]
    found_at: Mapped[datetime]


class Sweep(Base):
    """How far time's own flips have been looked for in an assignment (design 5.7)."""

    __tablename__ = "sweep"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
    )

    crm_id: Mapped[CrmId]
    assignment_id: Mapped[Key]
    swept_to: Mapped[datetime]


class ImportRun(Base):
    """One import of one file: what came of each row."""

    __tablename__ = "import_run"
    __table_args__ = (CheckConstraint(one_of("state", ("running", "done", "failed")), name="state"),)

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    source: Mapped[str]
    state: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    rows: Mapped[int] = mapped_column(server_default="0")
    created: Mapped[int] = mapped_column(server_default="0")
    updated: Mapped[int] = mapped_column(server_default="0")
    unchanged: Mapped[int] = mapped_column(server_default="0")
    rejected: Mapped[int] = mapped_column(server_default="0")
