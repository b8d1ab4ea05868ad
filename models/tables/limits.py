"""How often somebody may be rung: an owner's own limits, and who changed them. The law's are a file."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, one_of

LIMIT_SCOPES = ("number", "customer", "assignment")
LIMIT_DEEDS = ("set", "ended", "debts", "no_debts", "gap", "attempts")


class CallLimit(Base):
    """At most `most` rings to a subject in a window: so many seconds, or so many days of their calendar.

    `assignment_id`: it binds the rings of that assignment only; null: of the whole CRM. `after`: outcomes
    that are counted instead of rings, as "60 days after a refusal".
    """

    __tablename__ = "call_limit"
    __table_args__ = (
        CheckConstraint(one_of("scope", LIMIT_SCOPES), name="scope"),
        CheckConstraint("most between 1 and 1000", name="most"),
        CheckConstraint("(seconds is null) <> (days is null)", name="one_window"),
        CheckConstraint("coalesce(seconds, days) > 0", name="window"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        Index("ix_call_limit_standing", "crm_id", "id", postgresql_where=text("ended_at is null")),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int | None]
    scope: Mapped[str]
    most: Mapped[int]
    seconds: Mapped[int | None]
    days: Mapped[int | None]
    after: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    reason: Mapped[str]
    author: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class LimitChange(Base):
    """Somebody changed what limits bind; a worker stamps customers anew, up to `followed_to` by now.

    Also an assignment's `gap` (seconds) and `attempts`, from what to what and why. Append-only.
    """

    __tablename__ = "limit_change"
    __table_args__ = (
        CheckConstraint(one_of("deed", LIMIT_DEEDS), name="deed"),
        CheckConstraint(
            "(deed in ('gap', 'attempts')) = (before is not null and after is not null"
            " and reason is not null and assignment_id is not null)",
            name="numbered",
        ),
        Index("ix_limit_change_open", "crm_id", "id", postgresql_where=text("followed_at is null")),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    deed: Mapped[str]
    limit_id: Mapped[int | None]
    assignment_id: Mapped[int | None]
    before: Mapped[int | None]
    after: Mapped[int | None]
    reason: Mapped[str | None]
    author: Mapped[str]
    changed_at: Mapped[datetime]
    walled_at: Mapped[datetime | None]  # from then on nobody rings by what was before
    followed_to: Mapped[int] = mapped_column(server_default="0")  # customers up to this id are stamped anew
    followed_at: Mapped[datetime | None]
