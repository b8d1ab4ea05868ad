"""Questions of time as SQL, and the local values that they need."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import Grouping

from segmentation.calendar import WEEKDAYS
from segmentation.catalogue import Catalogue, KnownField
from segmentation.direct import Whole
from segmentation.durations import Duration
from segmentation.moments import Behaviour, Local, LocalDay, Moment, WordDay, WordMidnight, YearDay
from segmentation.nodes import Leaf, Node, leaves
from segmentation.offsets import SPAN, offsets
from segmentation.windows import Window, window_of

Columns = Mapping[str | Local | Whole, ColumnElement[Any]]
Condition = ColumnElement[bool]

_INSTANT = DateTime(timezone=True)


def local_values(nodes: Iterable[Node], known: Catalogue) -> list[Local]:
    """What the leaves of these trees need of each zone, each once."""
    asked = (leaf for node in nodes for leaf in leaves(node))
    return list(dict.fromkeys(value for leaf in asked for value in _needs(leaf, known[leaf.field])))


def time_condition(leaf: Leaf, columns: Columns, field: KnownField) -> Condition:
    """The condition of a leaf with an operator of time; true or false, never null."""
    column, of_zone = columns[field.key], [columns[value] for value in _needs(leaf, field)]
    match leaf.op, field.type:
        case "on", _:
            condition = and_(column >= of_zone[0], column < of_zone[1])
        case "weekday_in", "date":
            condition = _weekday_of_day(column) == any_(_weekdays(leaf))
        case "weekday_in", _:
            condition = _weekday_of_instant(column, of_zone[0]) == any_(_weekdays(leaf))
        case "anniversary_within", _:
            condition = _between(func.substr(column, literal_column("6")), *of_zone)
        case _, "date":
            condition = _within(column, of_zone)
        case _:
            condition = _within(column, [_bind(moment) for moment in _moments(leaf, field)])
    return condition.is_(True)


def _needs(leaf: Leaf, field: KnownField) -> tuple[Local, ...]:
    match leaf.op, field.type:
        case "on", "date":
            return WordDay(str(leaf.value), 0), WordDay(str(leaf.value), 1)
        case "on", _:
            return WordMidnight(str(leaf.value), 0), WordMidnight(str(leaf.value), 1)
        case "weekday_in", "instant":
            return (Behaviour(),)
        case "anniversary_within", _:
            assert isinstance(leaf.value, Duration)  # noqa: S101 - so it was read
            return YearDay(leaf.value.days, 0), YearDay(leaf.value.days, 1)
        case _, "date":
            return tuple(LocalDay(edge) for edge in _edges(window_of(leaf, "date")))
    return ()


def _edges(window: Window | None) -> list[int]:
    """The ends of a moving window, the upper one first."""
    if window is None:
        return []
    return [window.high] if window.low is None else [window.high, window.low]


def _moments(leaf: Leaf, field: KnownField) -> list[Moment]:
    return [Moment(edge) for edge in _edges(window_of(leaf, field.type))]


def _bind(moment: Moment) -> ColumnElement[Any]:
    return bindparam(None, moment, type_=_INSTANT)


def _within(column: ColumnElement[Any], edges: list[ColumnElement[Any]]) -> Condition:
    high, *low = edges
    return and_(column <= high, *(column > edge for edge in low))


def _between(year_day: ColumnElement[Any], first: ColumnElement[Any], last: ColumnElement[Any]) -> Condition:
    """Within the window of an anniversary; first > last: it goes over New Year."""
    within = and_(year_day >= first, year_day <= last)
    return or_(within, and_(first > last, or_(year_day >= first, year_day <= last)))


def _weekdays(leaf: Leaf) -> ColumnElement[Any]:
    assert isinstance(leaf.value, tuple)  # noqa: S101 - so it was read
    numbers = [WEEKDAYS.index(str(day)) + 1 for day in leaf.value]
    return bindparam(None, numbers, type_=ARRAY(Integer))


def _weekday_of_day(column: ColumnElement[Any]) -> ColumnElement[Any]:
    def part(start: int, length: int) -> ColumnElement[Any]:
        return cast(func.substr(column, literal_column(str(start)), literal_column(str(length))), Integer)

    return _isodow(func.make_date(part(1, 4), part(6, 2), part(9, 2)))


def _weekday_of_instant(column: ColumnElement[Any], behaviour: ColumnElement[Any]) -> ColumnElement[Any]:
    """By the zone's offset at that very instant (segmentation/offsets.py)."""
    in_utc = func.timezone(literal_column("'UTC'"), column)
    second = cast(func.floor(func.date_part(literal_column("'epoch'"), in_utc)), BigInteger)
    from_epoch = func.greatest(second, literal_column("bigint '0'"))
    table = offsets()
    key = cast(behaviour, BigInteger) * literal_column(str(SPAN)) + from_epoch
    found = func.width_bucket(key, _constant(table.keys, BigInteger))
    ahead = Grouping(_constant(table.ahead, Integer))[found]
    return _isodow(in_utc + ahead * literal_column("interval '1 second'"))


def _isodow(day: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.date_part(literal_column("'isodow'"), day), Integer)


def _constant(numbers: tuple[int, ...], type_: Any) -> ColumnElement[Any]:
    # As PostgreSQL writes it: psycopg takes ten times as long over a list of numbers.
    return bindparam(None, f"{{{','.join(map(str, numbers))}}}", type_=ARRAY(type_))
