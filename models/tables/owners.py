"""Who the customers belong to, and who may ask. Shared tables: no customer's data in them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Key, OwnId, SmallInt, one_of

ROLES = ("manager", "seller", "dialer")


class DataOwner(Base):
    """Who the customers belong to; a call centre works for several."""

    __tablename__ = "data_owner"

    id: Mapped[OwnId]
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Crm(Base):
    """One register of customers of one data owner. The wall: nothing crosses it."""

    __tablename__ = "crm"
    __table_args__ = (
        CheckConstraint(one_of("kind", ("b2b", "b2c")), name="kind"),
        UniqueConstraint("owner_id", "name"),
    )

    id: Mapped[OwnId]
    owner_id: Mapped[int] = mapped_column(ForeignKey("data_owner.id"))
    kind: Mapped[str]
    name: Mapped[str]
    region: Mapped[str]  # ISO 3166 country whose numbering plan reads a number without +
    hours: Mapped[dict[str, Any]]  # own hours: {"mon": [["09:00", "21:00"]], ...}
    created_at: Mapped[datetime]


class ApiKey(Base):
    """A bearer key: its prefix finds it, its SHA-256 proves it, its role and CRM bound it."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint(one_of("role", ROLES), name="role"),)

    id: Mapped[OwnId]
    prefix: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str]
    role: Mapped[str]
    crm_id: Mapped[int]
    seller_id: Mapped[int | None]
    dialer_id: Mapped[int | None]
    label: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class BusinessClock(Base):
    """Business time: `business_at` was true at wall time `wall_at`, and has run at `speed` since."""

    __tablename__ = "business_clock"
    __table_args__ = (CheckConstraint("id = 1", name="single"), CheckConstraint("speed >= 0", name="speed"))

    id: Mapped[Key]
    business_at: Mapped[datetime]
    wall_at: Mapped[datetime]
    speed: Mapped[float]


class CallClock(Base):
    """A set of candidate zones and a set of legal places; hours are joined to it at hand-out.

    A few hundred exist for the whole world. No zones: the customer's zone is unknown.
    """

    __tablename__ = "call_clock"

    id: Mapped[OwnId]
    key: Mapped[str] = mapped_column(unique=True)  # "PT|Atlantic/Azores,Europe/Lisbon"
    zones: Mapped[list[str]]  # IANA names, sorted
    places: Mapped[list[str]]  # "PT" or "US-FL", sorted


class DataVersion(Base):
    """The data by which somebody decided who may be called when: a row for each set that was ever in use.

    Leases and attempts name it, so that a decision can be judged by what was known then.
    """

    __tablename__ = "data_version"
    __table_args__ = (UniqueConstraint("law", "zones", "tzdata", "phonenumbers", "holidays"),)

    id: Mapped[SmallInt] = mapped_column(Identity(), primary_key=True)
    law: Mapped[str]  # day of review and hash of calling/laws/hours.toml
    zones: Mapped[str]  # hash of our corrections and of the states of area codes
    tzdata: Mapped[str]
    phonenumbers: Mapped[str]
    holidays: Mapped[str]
    noted_at: Mapped[datetime]
