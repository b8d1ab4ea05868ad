"""National registers of numbers that may not be called: shared tables, and which CRM uses which."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, Key, OwnId

POLICIES = ("warn", "refuse")


class Register(Base):
    """A register, and which version of it is in force: one row decides it for everybody at once.

    What it is, where that stands written and how old it may grow stands in calling/laws/registers.toml.
    """

    __tablename__ = "register"

    id: Mapped[OwnId]
    name: Mapped[str] = mapped_column(unique=True)
    in_force: Mapped[int | None]  # register_version; null: never loaded
    dated: Mapped[date | None]  # of the version in force
    numbers: Mapped[int] = mapped_column(server_default="0")  # in force


class RegisterVersion(Base):
    """A file of a register, as it was on a day. Append-only but for what became of it."""

    __tablename__ = "register_version"
    __table_args__ = (
        CheckConstraint("in_force_at is null or failed_at is null", name="end"),
        Index(None, "register_id", "id"),
    )

    id: Mapped[OwnId]
    register_id: Mapped[int] = mapped_column(ForeignKey("register.id"))
    dated: Mapped[date]
    file: Mapped[str]
    author: Mapped[str]
    begun_at: Mapped[datetime]
    in_force_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    why: Mapped[str | None]  # it failed
    lines: Mapped[int] = mapped_column(server_default="0")
    bad_lines: Mapped[int] = mapped_column(server_default="0")
    numbers: Mapped[int] = mapped_column(server_default="0")
    added: Mapped[int] = mapped_column(server_default="0")
    removed: Mapped[int] = mapped_column(server_default="0")


class RegisterNumber(Base):
    """A number on a register from one version on, and until another; null: it still stands there.

    Rows of a version that is not in force yet are there and count for nobody.
    """

    __tablename__ = "register_number"

    register_id: Mapped[Key]
    e164: Mapped[str] = mapped_column(primary_key=True)
    added_in: Mapped[Key]
    removed_in: Mapped[int | None]


class RegisterStaging(Base):
    """The numbers of a file that is being loaded, as they come: no key, so that COPY is all there is."""

    __tablename__ = "register_staging"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 - SQLAlchemy's own spelling

    version_id: Mapped[int] = mapped_column()
    e164: Mapped[str] = mapped_column()
    __mapper_args__ = {"primary_key": [version_id, e164]}  # noqa: RUF012 - for the mapper alone


class CrmRegister(Base):
    """A CRM obeys a register from `used_since` on; its wall and its stamps follow each version.

    `changes` grows whenever wall and stamps have to begin anew without a new version.
    """

    __tablename__ = "crm_register"
    __table_args__ = (
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        Index(
            "uq_crm_register_used", "crm_id", "register_id", unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    register_id: Mapped[int]
    author: Mapped[str]
    used_since: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    changes: Mapped[int] = mapped_column(server_default="0")
    walled_version: Mapped[int | None]  # nobody rings whom this version names
    walled_at: Mapped[datetime | None]  # since when; all walls there were are RegisterWall
    stamped_version: Mapped[int | None]  # every placement is stamped by this version
    done_to: Mapped[int] = mapped_column(server_default="0")  # the last customer stamped by the next one
    done_version: Mapped[int | None]  # which one that is


class RegisterWall(Base):
    """From `walled_at` on a version of a register was a wall for whoever uses it; append-only.

    By these each ring of before is judged, whatever is in force by now.
    """

    __tablename__ = "register_wall"
    __table_args__ = (ForeignKeyConstraint(["crm_id", "use_id"], ["crm_register.crm_id", "crm_register.id"]),)

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    use_id: Mapped[int]
    version: Mapped[int | None]  # null: it was never loaded, and shut its country
    walled_at: Mapped[datetime]


class RegisterExemption(Base):
    """A named manager lets an assignment, or customers with a tag, be called although a register names them.

    By consent, or as customers already: the reason says which.
    """

    __tablename__ = "register_exemption"
    __table_args__ = (
        CheckConstraint("(assignment_id is null) <> (tag is null)", name="whom"),
        CheckConstraint("btrim(manager) <> '' and btrim(reason) <> ''", name="named"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        ForeignKeyConstraint(["crm_id", "assignment_id"], ["assignment.crm_id", "assignment.id"]),
        Index(
            "ix_register_exemption_standing", "crm_id", "register_id",
            postgresql_where=text("ended_at is null"),
        ),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    register_id: Mapped[int]
    assignment_id: Mapped[int | None]
    tag: Mapped[str | None]
    reason: Mapped[str]
    manager: Mapped[str]  # who answers for it
    author: Mapped[str]  # who entered it
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    walled_at: Mapped[datetime | None]  # since its end nobody rings by it
