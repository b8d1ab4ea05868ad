"""Codes come out of PostgreSQL as COPY's binary rows: of fixed width, so numpy reads them without parsing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, SmallInteger, cast, select

from models.work import Work
from segmentation.facets.coding import coded
from segmentation.facets.dimensions import Dimension
from segmentation.statements import Statement

_HEAD = 19  # bytes before the first row: signature, flags, length of an extension that there is not
_TAIL = 2  # a row of -1 columns
BLOCK = 1 << 24  # bytes parsed at once

Codes = Mapping[int, NDArray[Any]]


class Reader:
    """Reads the codes of some dimensions; its statements are compiled once."""

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self._all, self.statement = (_statement(dimensions, some=some) for some in (False, True))
        self._row = _layout(dimensions)
        self._dimensions = len(dimensions)

    def everybody(self, work: Work, assignment_id: int) -> Iterator[tuple[NDArray[np.int64], Codes]]:
        """(customers, codes by number of the dimension), block by block."""
        return self._read(work, self._all, assignment_id=assignment_id)

    def these(
        self, work: Work, assignment_id: int, customers: Sequence[int]
    ) -> Iterator[tuple[NDArray[np.int64], Codes]]:
        """The same of those among `customers` who are there."""
        return self._read(work, self.statement, assignment_id=assignment_id, customer_ids=list(customers))

    def _read(self, work: Work, statement: Statement, **values: Any) -> Iterator[tuple[Any, Codes]]:
        for block in _blocks(work, statement, values, self._row.itemsize):
            rows = np.frombuffer(block, self._row)
            codes = {i: rows[f"c{i}"] for i in range(self._dimensions)}
            native = {i: code.astype(code.dtype.newbyteorder("=")) for i, code in codes.items()}
            yield rows["customer"].astype(np.int64), native


def _statement(dimensions: Sequence[Dimension], *, some: bool) -> Statement:
    rows = coded(dimensions, some=some)
    codes = [cast(rows.code(i), _type(one)) for i, one in enumerate(dimensions)]
    found = Statement.of(select(cast(rows.table.c.customer_id, BigInteger), *codes))
    return Statement(f"copy ({found.sql}) to stdout (format binary)", found.constants)


def _type(one: Dimension) -> Any:
    return BigInteger() if one.kind == "many" else SmallInteger()


def _layout(dimensions: Sequence[Dimension]) -> np.dtype[Any]:
    """A row: how many columns, then each with its length before it; big-endian."""
    columns = [("n", ">i2"), ("l", ">i4"), ("customer", ">i8")]
    for i, one in enumerate(dimensions):
        columns += [(f"l{i}", ">i4"), (f"c{i}", ">i8" if one.kind == "many" else ">i2")]
    return np.dtype(columns)


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
