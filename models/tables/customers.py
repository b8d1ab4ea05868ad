"""A customer, their numbers, and the fields that a CRM keeps about them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.kinds import KIND_SOURCES, NUMBER_KINDS
from models.tables.base import Base, CrmId, Key, SmallInt, one_of

NUMBER_STATES = ("unverified", "good", "disconnected", "wrong_person")
CALLABLE_NUMBER_STATES = ("unverified", "good")
TAG_SOURCES = ("hand", "import", "api", "event", "rule")
FIELD_TYPES = ("text", "number", "date", "yes_no", "choice")


class Customer(Base):
    """Belongs to one CRM for ever; leaves only by being anonymised."""

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("crm_id", "external_id"),
        Index(None, "crm_id", "created_at"),
        Index(None, "crm_id", "reckoning_zone"),
        # Whose zone nobody knows: for a person to verify. No verified zone is Etc/UTC.
        Index(
            "ix_customer_zone_unknown", "crm_id", "id",
            postgresql_where=text("reckoning_zone = 'Etc/UTC' and anonymised_at is null"),
        ),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str | None]
    verified_zone: Mapped[
        str | None
    ]  # by a person or a system of record: the only candidate (ZoneVerification)
    numbers_by_hand: Mapped[bool] = mapped_column(
        server_default=text("false")
    )  # the order of their numbers was set by hand: no list changes it
    place: Mapped[str | None]  # legal place of the address: "PT", "US-FL"
    clock_id: Mapped[int]
    reckoning_zone: Mapped[str]  # midnights and parts of the day; "Etc/UTC" while unknown
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    anonymised_at: Mapped[datetime | None]


class CustomerNumber(Base):
    """One telephone number of a customer (E.164), with a state of its own; lowest position first."""

    __tablename__ = "customer_number"
    __table_args__ = (
        CheckConstraint(one_of("state", NUMBER_STATES), name="state"),
        CheckConstraint(one_of("kind", NUMBER_KINDS), name="kind"),
        CheckConstraint(one_of("kind_by", KIND_SOURCES), name="kind_by"),
        CheckConstraint("(kind is null) = (kind_by is null)", name="kind_said"),
        CheckConstraint(r"e164 ~ '^\+[1-9][0-9]{3,14}$'", name="e164"),
        ForeignKeyConstraint(["crm_id", "customer_id"], ["customer.crm_id", "customer.id"]),
        Index(None, "crm_id", "e164"),
    )

    crm_id: Mapped[CrmId]
    customer_id: Mapped[Key]
    e164: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[SmallInt]
    state: Mapped[str] = mapped_column(server_default="unverified")
    zones: Mapped[list[str]]  # candidate zones of this number, sorted; empty = unknown
    kind: Mapped[str | None]  # where it rings; None: nobody knows
    kind_by: Mapped[str | None]
    unanswered: Mapped[SmallInt] = mapped_column(
        server_default="0"
    )  # calls in a row that nobody answered, the last ones


class ZoneVerification(Base):
    """Somebody vouched for a customer's zone; at most one stands, and `customer.verified_zone` repeats it.

    `source` names the system of record that said so; None: a person did.
    """

    __tablename__ = "zone_verification"
    __table_args__ = (
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        ForeignKeyConstraint(["crm_id", "customer_id"], ["customer.crm_id", "customer.id"]),
        Index(
            "uq_zone_verification_standing", "crm_id", "customer_id", unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index(None, "crm_id", "customer_id", "id"),
    )  # fmt: skip

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    customer_id: Mapped[int]
    zone: Mapped[str]
    source: Mapped[str | None]
    author: Mapped[str]
    reason: Mapped[str]
    contradicts: Mapped[bool]  # no candidate keeps its time: it was said all the same
    verified_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_reason: Mapped[str | None]  # None: another one took its place


class Field(Base):
    """A field of a CRM's own: its values stand in `customer.fields` under `key`."""

    __tablename__ = "field"
    __table_args__ = (CheckConstraint(one_of("type", FIELD_TYPES), name="type"),)

    crm_id: Mapped[CrmId]
    key: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    label: Mapped[str]
    ordinal: Mapped[SmallInt]
    required: Mapped[bool] = mapped_column(server_default=text("false"))
    is_unique: Mapped[bool] = mapped_column(server_default=text("false"))
    pattern: Mapped[str | None]  # of texts: the whole value has to match
    choices: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))  # empty: any
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[str | None]


class UniqueValue(Base):
    """Who has a value of a field that may stand only once in the CRM: the database refuses a second one.

    Kept by triggers on `customer`, whoever writes it; only for unique fields that are in use.
    """

    __tablename__ = "unique_value"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "customer_id"], ["customer.crm_id", "customer.id"]),
        Index(None, "crm_id", "customer_id"),
    )

    crm_id: Mapped[CrmId]
    field: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[int]


class CustomerDay(Base):
    """The value of a date field as a typed column: what time alone will flip is found by index (design 5.9).

    `year_day`: month * 100 + day, for anniversaries.
    """

    __tablename__ = "customer_day"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "customer_id"], ["customer.crm_id", "customer.id"]),
        Index(None, "crm_id", "field", "day"),
        Index(None, "crm_id", "field", "year_day"),
    )

    crm_id: Mapped[CrmId]
    customer_id: Mapped[Key]
    field: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date]
    year_day: Mapped[SmallInt]


class CustomerTag(Base):
    """A mark with time and source, any number a customer; stays until taken."""

    __tablename__ = "customer_tag"
    __table_args__ = (
        CheckConstraint(one_of("source", TAG_SOURCES), name="source"),
        ForeignKeyConstraint(["crm_id", "customer_id"], ["customer.crm_id", "customer.id"]),
        Index(None, "crm_id", "tag", "customer_id"),
    )

    crm_id: Mapped[CrmId]
    customer_id: Mapped[Key]
    tag: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    author: Mapped[str]
    tagged_at: Mapped[datetime]


class TagTaken(Base):
    """A tag that let its customers off a register was taken from one of them; append-only.

    Of other tags nobody asks who had them once.
    """

    __tablename__ = "tag_taken"
    __table_args__ = (Index(None, "crm_id", "customer_id"),)

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    customer_id: Mapped[int]
    tag: Mapped[str]
    tagged_at: Mapped[datetime]
    taken_at: Mapped[datetime]


class CustomerEdit(Base):
    """Somebody changed a customer's data, by hand or through the API; append-only.

    `changed` names what, as "name" or "fields.age", never a value: those go when a customer is anonymised.
    """

    __tablename__ = "customer_edit"
    __table_args__ = (
        ForeignKeyConstraint(["crm_id", "customer_id"], ["customer.crm_id", "customer.id"]),
        Index(None, "crm_id", "customer_id", "id"),
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    customer_id: Mapped[int]
    author: Mapped[str]
    changed: Mapped[list[str]]
    edited_at: Mapped[datetime]
