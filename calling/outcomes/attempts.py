"""Room for attempts: a partition for each month, made before the month begins."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_ENSURE = text("select ensure_attempt_month(cast(:month as date))")


def ensure_months(session: Session, now: datetime, *, ahead: int = 3) -> int:
    """Make the partitions of this month, the one before and `ahead` more; how many are new."""
    first = now.year * 12 + now.month - 1
    made = 0
    for month in range(first - 1, first + ahead + 1):
        day = f"{month // 12:04}-{month % 12 + 1:02}-01"
        made += bool(session.execute(_ENSURE, {"month": day}).scalar_one())
    return made
