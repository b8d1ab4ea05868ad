"""Reads the codes of placements into arrays: COPY in binary, blocks of which numpy parses as they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Integer, SmallInteger, cast, false, or_, select

from models.work import Work
from segmentation.facets.coding import coded
from segmentation.facets.dimensions import Dimension
from segmentation.facets.values import FacetValue
from segmentation.statements import Statement

_HEAD = 19  # bytes before the first row: signature, flags, length of an extension that there is not
_TAIL = 2  # a row of -1 columns
BLOCK = 1 << 24  # bytes parsed at once

Ids = NDArray[np.int64]
Mark = tuple[Dimension, FacetValue]
"""A value without a bar of its own, of which the cache keeps who has it."""


@dataclass(frozen=True, slots=True)
class Block:
    """Customers, their codes by number of the dimension, and by number of the mark whether they have it."""

    customers: Ids
    codes: Mapping[int, NDArray[Any]]
    marks: Mapping[int, NDArray[np.bool_]]

    @classmethod
    def of(cls, parts: Sequence["Block"]) -> "Block":
        """Blocks of one query as one."""
        return cls(
            np.concatenate([part.customers for part in parts]),
            {i: np.concatenate([part.codes[i] for part in parts]) for i in parts[0].codes},
            {i: np.concatenate([part.marks[i] for part in parts]) for i in parts[0].marks},
        )


class Query:
    """One statement that reads some dimensions and marks, numbered as the cache numbers them."""

    def __init__(self, dimensions: Mapping[int, Dimension], marks: Mapping[int, Mark], *, some: bool) -> None:
        self._dimensions, self._marks = dimensions, marks
        self.statement = _statement(list(dimensions.values()), list(marks.values()), some=some)
        self._row = _layout(list(dimensions.values()), len(marks))

    def read(self, work: Work, **values: Any) -> Iterator[Block]:
        """What it finds, block by block."""
        for block in _blocks(work, self.statement, values, self._row.itemsize):
            rows = np.frombuffer(block, self._row)
            codes = {number: _native(rows[f"c{i}"]) for i, number in enumerate(self._dimensions)}
            marks = {number: rows[f"m{i}"] != 0 for i, number in enumerate(self._marks)}
            yield Block(_native(rows["customer"]), codes, marks)


class Reader:
    """Reads the codes of some dimensions and marks; its statements are compiled once."""

    def __init__(self, dimensions: Sequence[Dimension], marks: Sequence[Mark] = ()) -> None:
        self._dimensions, self._marks = dict(enumerate(dimensions)), dict(enumerate(marks))

    def prepare(self) -> None:
        """Compile what the next change asks, so that no question has to."""
        _ = self.these, self.placed

    @cached_property
    def everybody(self) -> Query:
        """All placements. Binds assignment_id."""
        return Query(self._dimensions, self._marks, some=False)

    @cached_property
    def these(self) -> Query:
        """Those of the bound customer_ids who are there. Binds assignment_id, customer_ids."""
        return Query(self._dimensions, self._marks, some=True)

    @cached_property
    def placed(self) -> Query:
        """The same, but only what the placement itself says: a third of the cost, for what changes most."""
        own = {i: one for i, one in self._dimensions.items() if one.of_placement}
        return Query(own, {i: mark for i, mark in self._marks.items() if mark[0].of_placement}, some=True)


def _statement(dimensions: Sequence[Dimension], marks: Sequence[Mark], *, some: bool) -> Statement:
    asked = [(f"m{i}", one, [value]) for i, (one, value) in enumerate(marks)]
    rows = coded(dimensions, asked, some=some)
    codes = [cast(rows.code(i), _type(one)) for i, one in enumerate(dimensions)]
    has = [cast(cast(rows.table.c[name], Integer), SmallInteger) for name, _, _ in asked]
    query = select(cast(rows.table.c.customer_id, BigInteger), *codes, *has)
    if not dimensions:  # of marks alone only those who have one
        query = query.where(or_(false(), *(rows.table.c[name] for name, _, _ in asked)))
    found = Statement.of(query)
    return Statement(f"copy ({found.sql}) to stdout (format binary)", found.constants)


def _type(one: Dimension) -> Any:
    return BigInteger() if one.kind == "many" else SmallInteger()


def _layout(dimensions: Sequence[Dimension], marks: int) -> np.dtype[Any]:
    """A row: how many columns, then each with its length before it; big-endian."""
    columns = [("n", ">i2"), ("l", ">i4"), ("customer", ">i8")]
    for i, one in enumerate(dimensions):
        columns += [(f"l{i}", ">i4"), (f"c{i}", ">i8" if one.kind == "many" else ">i2")]
    for i in range(marks):
        columns += [(f"k{i}", ">i4"), (f"m{i}", ">i2")]
    return np.dtype(columns)


def _native(column: NDArray[Any]) -> NDArray[Any]:
    return column.astype(column.dtype.newbyteorder("="))


def _blocks(work: Work, statement: Statement, values: Mapping[str, Any], width: int) -> Iterator[bytes]:
    """The rows without what COPY puts around them; whole rows at a time."""
    driver: Any = work.session.connection().connection.driver_connection
    bound = {**statement.constants, "crm_id": work.crm_id, "now": work.now, **values}
    kept, started = bytearray(), False
    with driver.cursor().copy(statement.sql, bound) as copy:
        for piece in copy:
            kept += piece
            if not started and len(kept) >= _HEAD:
                del kept[:_HEAD]
                started = True
            if len(kept) >= BLOCK:
                whole = len(kept) // width * width
                yield bytes(kept[:whole])
                del kept[:whole]
    yield bytes(kept[: len(kept) - _TAIL])
