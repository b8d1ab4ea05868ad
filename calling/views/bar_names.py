"""How bars and dimensions are called on screens: one name each, wherever they are shown."""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import text

from models.work import Work
from segmentation.facets import Empty, FacetValue, Others, Range
from segmentation.facets.dimensions import Dimension

DIMENSIONS = {
    "segment": "Segment", "status": "Status", "state": "State", "attempts": "Attempts",
    "last_outcome": "Last outcome", "has_phone": "Has telephone", "has_email": "Has e-mail",
    "place": "Place", "zone": "Time zone", "labels": "Labels", "tags": "Tags",
}  # fmt: skip
_EMPTY = {"labels": "No label", "tags": "No tag", "last_outcome": "Never tried", "place": "Unknown"}
_OF_WORDS = frozenset({"status", "state", "last_outcome"})

_FIELDS = text("select key, label from field where crm_id = :crm_id and retired_at is null")
_NAMED = text("""
    select 'segment' as kind, id, key, name, position, retired_at is not null as is_gone from segment
     where crm_id = :crm_id and assignment_id = :assignment_id
    union all
    select 'labels', id, key, name, position, retired_at is not null from label
     where crm_id = :crm_id and assignment_id = :assignment_id
     order by 1, 5, 2
""")


class BarNames:
    """The names of one assignment's dimensions, segments and labels, as they are now."""

    def __init__(self, work: Work, assignment_id: int) -> None:
        self._fields = {row.key: row.label for row in work.run(_FIELDS)}
        rows = work.run(_NAMED, assignment_id=assignment_id).all()
        self._names = {
            (row.kind, row.id): f"{row.name} (deleted)" if row.is_gone else row.name for row in rows
        }
        self.gone = {(row.kind, row.id) for row in rows if row.is_gone}
        self.order = {(row.kind, row.id): place for place, row in enumerate(rows)}
        self.ids: Mapping[str, Mapping[str, int]] = {
            kind: {row.key: row.id for row in rows if row.kind == kind and not row.is_gone}
            for kind in ("segment", "labels")
        }

    def dimension(self, key: str) -> str:
        """Attempts, Last outcome, or a field's own label."""
        return DIMENSIONS.get(key) or self._fields.get(key) or key

    def value(self, one: Dimension, value: FacetValue) -> str:
        """Student, 20 to 40, No answer, Mar 2026."""
        match value:
            case Empty():
                return _EMPTY.get(one.key, "No value")
            case Others():
                return "Others"
            case Range(low, high):
                return _range(low, high)
            case bool():
                return "Yes" if value else "No"
            case int() if (one.key, value) in self._names:
                return self._names[one.key, value]
            case str() if one.key in _OF_WORDS:
                return value.replace("_", " ").capitalize()
        return number(value) if isinstance(value, int | float) else str(value)


def _range(low: object, high: object) -> str:
    """From the lower bound on, and below the upper one."""
    if isinstance(low, date) or isinstance(high, date):
        return _days(low, high)
    if low is None or high is None:
        return "any" if low is high else f"below {number(high)}" if low is None else f"{number(low)} and more"
    return f"{number(low)} to {number(high)}"


def _days(low: object, high: object) -> str:
    if not isinstance(low, date):
        return f"before {_day(high)}"
    if not isinstance(high, date):
        return f"{_day(low)} and later"
    if low.day == high.day == 1:
        months = (high.year - low.year) * 12 + high.month - low.month
        if months == 1:
            return f"{low:%b %Y}"
        if low.month == high.month == 1:
            return f"{low.year}" if months == 12 else f"{low.year} to {high.year - 1}"
    return f"{_day(low)} to {_day(high - timedelta(days=1))}"


def _day(at: object) -> str:
    return f"{at.day} {at:%b %Y}" if isinstance(at, date) else str(at)


def number(value: object) -> str:
    """1 200, with a narrow space that does not break; a year or an age needs none."""
    if isinstance(value, int) and abs(value) < 10_000:
        return str(value).replace("-", "\u2212")
    if isinstance(value, int | float):
        return f"{value:,}".replace(",", "\u202f").replace("-", "\u2212")
    return str(value)
