"""What templates keep for a whole CRM."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, CrmId


class TurnoverClasses(Base):
    """Where silver, gold and platinum begin in a CRM, for all its assignments; `field` holds numbers."""

    __tablename__ = "turnover_classes"
    __table_args__ = (CheckConstraint("silver < gold and gold < platinum", name="ascending"),)

    crm_id: Mapped[CrmId]
    version: Mapped[int] = mapped_column(server_default="1")
    field: Mapped[str]
    silver: Mapped[float]
    gold: Mapped[float]
    platinum: Mapped[float]
    author: Mapped[str]
    changed_at: Mapped[datetime]
