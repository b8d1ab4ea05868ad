"""A customer, their numbers, and the fields that a CRM keeps about them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

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
    )

    crm_id: Mapped[CrmId]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str | None]
    verified_zone: Mapped[str | None]  # set by a person or a system of record: then the only candidate
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
