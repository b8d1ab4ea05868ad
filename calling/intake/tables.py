"""A file as a table: a header, and rows that know the line they stand on."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from models.errors import BadInput

Row = tuple[int, list[str] | str]
"""The line (from 1), and the cells; or, in place of the cells, why the line could not be read."""

_NUMBERLIKE = re.compile(r"[+(]?\d[\d ().-]{6,}")


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` can be gone through once. `share`: how much of the file has been read, 0 to 1."""

    header: list[str]
    rows: Iterator[Row]
    share: Callable[[], float]


def header_index(rows: Sequence[Sequence[str]]) -> int:
    """Which of a file's first rows names the columns: the first that is as wide as most and mostly full.

    So a title above it does no harm. Raises BadInput if there is none, or if it is plainly data.
    """
    widths = Counter(len(row) for row in rows if any(row))
    if not widths:
        raise BadInput("the file is empty")
    width = max(widths, key=lambda w: (widths[w], w))
    full = (i for i, row in enumerate(rows) if len(row) == width and 2 * _filled(row) >= width)
    found = next(full, next(i for i, row in enumerate(rows) if any(row)))
    if number := next((cell for cell in rows[found] if _NUMBERLIKE.fullmatch(cell.strip())), None):
        raise BadInput(f"the first row has to name the columns, but holds {number!r}; put a header above it")
    return found


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def as_text(value: object) -> str:
    """The text of a cell that came as a value (Excel, JSON): 22334455.0 -> "22334455", true -> "yes".

    Raises ValueError for what has no place in a cell.
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case int() | float():
            return str(value)
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case date() | time():
            return value.isoformat()
        case list() if not any(isinstance(part, list | dict) for part in value):
            return "; ".join(as_text(part) for part in value)
    raise ValueError(f"a cell cannot hold {type(value).__name__}")
