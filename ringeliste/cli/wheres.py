"""Filters as people write them on the command line: job=student,retired age=20..40 loan=yes email=empty."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput

if TYPE_CHECKING:
    from models.work import Work
    from segmentation.facets import Filters
    from segmentation.facets.dimensions import Dimension

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", "-w", metavar="DIMENSION=VALUES",
        help="Only customers with one of these values: job=student,retired age=20..40 loan=yes job=empty. "
        "Several dimensions have to be met together.",
    ),
]  # fmt: skip

_YES_NO = {"yes": True, "true": True, "no": False, "false": False}
_EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Selected:
    """Who was chosen on the command line: the filters, how they read, and how many customers meet them."""

    filters: "Filters"
    what: str
    found: int


def select(
    work: "Work", assignment_id: int, wheres: Sequence[str] | None, *,
    only: "Callable[[Filters], Filters]" = lambda filters: filters,
) -> Selected:  # fmt: skip
    """Read the filters and count; `only` narrows what is counted. Raises BadInput with every problem."""
    from calling.segments import selection
    from calling.views.bars import in_words

    filters = read_wheres(work, assignment_id, wheres)
    found = selection.count(work, assignment_id, only(filters))
    return Selected(filters, in_words(work, assignment_id, filters), found)


def demand(wheres: Sequence[str] | None, verb: str) -> None:
    """Raises BadInput when nobody was said."""
    if not wheres:
        raise BadInput(f"{verb}: say who with --where, as in --where job=student")


def read_wheres(work: "Work", assignment_id: int, wheres: Sequence[str] | None) -> "Filters":
    """The filters that stand on the command line. Raises BadInput with every problem."""
    from calling.views.bars import read_selection
    from segmentation.facets import board_of

    frame = board_of(work, assignment_id).frame(work)
    document: dict[str, list[Any]] = {}
    for where in wheres or ():
        key, equals, values = where.partition("=")
        if not equals:
            raise BadInput(f"--where {where}: write DIMENSION=VALUES, as in job=student,retired")
        one = frame.dimension(key)
        written = next(csv.reader([values], skipinitialspace=True), [])
        document.setdefault(key, []).extend(_value(one, value) for value in written)
    return read_selection(work, assignment_id, document)


def _value(one: "Dimension | None", written: str) -> Any:
    """As JSON spells it; what it cannot be is left as it is, and told by whoever reads it."""
    if written == _EMPTY:
        return {"empty": True}
    if one is not None and one.kind == "yes_no":
        return _YES_NO.get(written.lower(), written)
    if one is None or one.kind != "ranges":
        return int(written) if one is not None and one.grows and written.isdecimal() else written
    low, dots, high = written.partition("..")
    if dots:
        return {"from": _end(one, low), "to": _end(one, high)}
    return _end(one, written)


def _end(one: "Dimension", written: str) -> Any:
    if not written:
        return None
    if one.field.type == "date":
        return written
    try:
        return float(written) if "." in written else int(written)
    except ValueError:
        return written
