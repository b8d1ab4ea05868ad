"""Where the fields come from: the tables that a placement is joined with, and the column of each field.

A scan joins once what has many rows a customer, grouped first, and hashes it; for some customers each is
asked by key: joined, their list would be gone through anew for each of them. What depends on the zone is one
row a zone, joined once as well.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    FromClause,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from models.tables import CallClock, Customer, CustomerNumber, CustomerTag, Hold, Lease, Placement, Seller
from models.tables.customers import CALLABLE_NUMBER_STATES
from segmentation.catalogue import KnownField, Table
from segmentation.moments import HoursAhead, Local, LocalArray, zones

CRM_ID = bindparam("crm_id", type_=BigInteger)
ASSIGNMENT_ID = bindparam("assignment_id", type_=BigInteger)
CUSTOMER_IDS = bindparam("customer_ids", type_=ARRAY(BigInteger))
NOW = bindparam("now", type_=DateTime(timezone=True))

_DUE = ("resting", "follow_up")
"""States in which a placement waits for its due time."""

_placement, _customer, _hold = Placement.__table__.c, Customer.__table__.c, Hold.__table__.c
_lease, _seller = Lease.__table__.c, Seller.__table__.c
_number, _tag, _clock = CustomerNumber.__table__.c, CustomerTag.__table__.c, CallClock.__table__.c
_EMPTY: ColumnElement[Any] = literal_column("''")

FENCE: ColumnElement[int] = literal_column("bigint '0'")
"""The offset of a subquery that the planner shall not take apart."""


def among(column: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether `column` is one of the bound customer_ids.

    Through a subselect the planner cannot see how many there are: one plan fits all and is kept.
    """
    return column == any_(_given())


def _given() -> ColumnElement[Any]:
    return cast(select(CUSTOMER_IDS).scalar_subquery(), ARRAY(BigInteger))


def words(texts: Iterable[str]) -> list[ColumnElement[Any]]:
    """Our own words as constants of the statement."""
    return [literal_column(f"'{text}'") for text in texts]


def own_value(fields: ColumnElement[Any], field: KnownField) -> ColumnElement[Any]:
    """What a CRM's own field is, as jsonb, in the values of a customer; null where there is none."""
    return fields.op("->", return_type=JSONB())(bindparam(None, field.stored, type_=Text()))


class Sources:
    """The joins that some fields and local values need, and the column of each.

    `some`: for the bound `customer_ids` only. `listed`: and there may be thousands of them, each once.
    """

    def __init__(
        self, fields: Collection[KnownField], local: Collection[Local], *, some: bool, listed: bool = False
    ) -> None:
        self._some, self._listed = some, listed
        self._alone = listed and not local and all(field.table == "placement" for field in fields)
        self._columns: dict[str, ColumnElement[Any]] = {}
        self._local: dict[Local, ColumnElement[Any]] = {}
        self.joined = self._people()
        asked = {field.table for field in fields}
        self._join_groups(asked)
        if "local" in asked:
            local = {**dict.fromkeys(local), HoursAhead(): None}.keys()
        if local:
            self._join_zones(local)

    def of_local(self, value: Local) -> ColumnElement[Any]:
        """The column of what each zone has its own value of."""
        return self._local[value]

    def of_field(self, field: KnownField) -> ColumnElement[Any]:
        """The column of a field; of a CRM's own the jsonb that it is kept as."""
        if field.table is None:
            return own_value(_customer.fields, field)
        if field.table == "local":
            return self._local[HoursAhead()]
        if field.key in self._columns:
            return self._columns[field.key]
        named = _NAMED.get(field.key)
        return (
            (_placement if field.table == "placement" else _customer)[field.key] if named is None else named
        )

    def _people(self) -> FromClause:
        same_customer = [_customer.crm_id == CRM_ID, _customer.id == _placement.customer_id]
        held = select(_hold.segment_id).where(
            _hold.crm_id == CRM_ID,
            _hold.assignment_id == ASSIGNMENT_ID,
            or_(_hold.expires_at.is_(None), _hold.expires_at > NOW),
        )
        if self._some:
            mine = held.where(_hold.customer_id == _placement.customer_id)
            self.held: ColumnElement[Any] = mine.correlate(Placement.__table__).scalar_subquery()
        if self._listed:
            # Row by row down the list, each asked by key: with `any(list)` said of two tables the planner,
            # who takes it for ten long, may go through all of it for each row, and the cost is its square.
            listed = func.unnest(_given()).table_valued("id", name="listed").render_derived()
            placed = listed.join(Placement.__table__, _placement.customer_id == listed.c.id)
            theirs = and_(_customer.crm_id == CRM_ID, _customer.id == listed.c.id)
            return placed if self._alone else placed.join(Customer.__table__, theirs)
        if self._some:
            # Said of each table, so that no way of joining reads all of one, whatever its size when planned.
            same_customer.append(among(_customer.id))
            return Placement.__table__.join(Customer.__table__, and_(*same_customer))
        holds = held.add_columns(_hold.customer_id).subquery("holds")
        self.held = holds.c.segment_id
        joined = Placement.__table__.join(Customer.__table__, and_(*same_customer))
        return joined.outerjoin(holds, holds.c.customer_id == _placement.customer_id)

    def _join_groups(self, asked: set[Table | None]) -> None:
        if "numbers" in asked:
            is_callable = _number.state.in_(words(CALLABLE_NUMBER_STATES))
            found = self._grouped("numbers", _number, literal_column("true"), is_callable)
            self._columns["has_phone"] = found.is_not(None)
        if "tags" in asked:
            self._columns["tags"] = self._grouped("tags", _tag, func.array_agg(_tag.tag))
        if "seller" in asked:
            self._columns["last_seller"] = self._last_seller()
        if "clock" in asked:
            self.joined = self.joined.outerjoin(CallClock.__table__, _clock.id == _customer.clock_id)

    def _last_seller(self) -> ColumnElement[Any]:
        """The name of whose lease the last attempt was of; null if nobody's, or a dialer's."""
        theirs = and_(_lease.crm_id == CRM_ID, _lease.id == _placement.last_lease_id)
        named = and_(_seller.crm_id == CRM_ID, _seller.id == _lease.seller_id)
        if self._some:
            found = select(_seller.name).join_from(Lease.__table__, Seller.__table__, named).where(theirs)
            return found.correlate(Placement.__table__).scalar_subquery()
        self.joined = self.joined.outerjoin(Lease.__table__, theirs).outerjoin(Seller.__table__, named)
        return _seller.name

    def _grouped(
        self, name: str, table: Any, carried: ColumnElement[Any], *wanted: ColumnElement[bool]
    ) -> ColumnElement[Any]:
        """What all rows of a customer together say; null where there is none."""
        mine = [table.crm_id == CRM_ID, *wanted]
        grouped = select(carried.label("carried")).group_by(table.customer_id)
        if self._some:
            mine.append(table.customer_id == _placement.customer_id)
            return grouped.where(*mine).correlate(Placement.__table__).scalar_subquery()
        all_of = grouped.add_columns(table.customer_id).where(*mine).subquery(name)
        self.joined = self.joined.outerjoin(all_of, all_of.c.customer_id == _placement.customer_id)
        return all_of.c.carried

    def _join_zones(self, local: Collection[Local]) -> None:
        arrays: list[BindParameter[Any]] = [bindparam(None, zones(), type_=ARRAY(Text))]
        arrays += [_bind_array(value) for value in local]
        names = [f"v{i}" for i in range(len(local))]
        by_zone = func.unnest(*arrays).table_valued("zone", *names).render_derived(name="by_zone")
        self.joined = self.joined.outerjoin(by_zone, by_zone.c.zone == _customer.reckoning_zone)
        self._local = {value: by_zone.c[name] for value, name in zip(local, names, strict=True)}


def _bind_array(value: Local) -> BindParameter[Any]:
    of_one: TypeEngine[Any] = value.sql_type
    return bindparam(None, LocalArray(value), type_=ARRAY(of_one))


_first_place = func.coalesce(func.nullif(_customer.place, _EMPTY), _clock.places[literal_column("1")])

_NAMED: dict[str, ColumnElement[Any]] = {
    "last_call": _placement.last_attempt_at,
    "entered": _placement.entered_at,
    "due": case((_placement.state.in_(words(_DUE)), _placement.due_at)),
    "customer_since": _customer.created_at,
    "has_email": (_customer.email != _EMPTY).is_(True),
    "zone": _customer.reckoning_zone,
    "country": func.split_part(_first_place, literal_column("'-'"), literal_column("1")),
}
"""Built-in fields that are not called like their column."""
