"""Which customers changed, in which transaction: what a cache of facets is kept true by."""

from sqlalchemy import Identity
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId, Key


class FacetChange(Base):
    """Customers that one statement changed; written by triggers, so whoever writes, it is noted.

    `xid` is the transaction (xid8 as a number). `assignment_id` None: a fact of the customers themselves.
    """

    __tablename__ = "facet_change"

    crm_id: Mapped[CrmId]
    xid: Mapped[Key]
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    assignment_id: Mapped[int | None]
    customers: Mapped[list[int]]


class FacetHorizon(Base):
    """How far changes were thrown away: a cache that read less is loaded anew.

    Changes of transactions below `pruned_to` may be gone; the next pruning goes up to `next_to`.
    """

    __tablename__ = "facet_horizon"

    crm_id: Mapped[CrmId]
    pruned_to: Mapped[int]
    next_to: Mapped[int]
