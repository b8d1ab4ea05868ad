"""Rows of a file -> lines of COPY text, and a rejection for every cell that breaks a rule.

Runs in worker processes for large files, so it knows neither the database nor anything heavy to load.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson
from phonenumbers import SUPPORTED_REGIONS

from calling.hours.whereabouts import Whereabouts, whereabouts
from calling.intake.columns import Column, Plan
from calling.intake.numbers import Number, read_numbers
from calling.intake.tables import Row
from calling.intake.values import read_value

LONGEST_ID = 200  # it stands in an index
LONGEST_NAME = 500
_KEPT = 20_000  # texts of a column whose value is remembered
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"
_NUL, _NUL_SHOWN = "\0", "\N{SYMBOL FOR NULL}"

ROW_REJECTED, NUMBER_DROPPED = "row rejected", "number dropped"
"""What comes of a refused cell: the row is not taken; or it is, without that number."""

Wrong = list[tuple[Column | None, str, str]]
"""Column, value and reason of each thing that is wrong with a row."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a cell was refused, and what came of it. `column`: the header; empty if it is the whole row."""

    line: int
    column: str
    value: str
    reason: str
    what: str = ROW_REJECTED


@dataclass(slots=True)
class Parsed:
    """Rows that can be loaded: line, external id, COPY text of the customer and of their numbers."""

    lines: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    where: set[Whereabouts] = field(default_factory=set)
    rows: int = 0


class Parser:
    """Reads rows by a plan. A row with any problem is not taken, and all its problems are told.

    Only a bad number beside a good one costs no more than itself.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._id = plan.of("external_id")[0]
        self._name = [c for target in ("name", "first_name", "last_name") for c in plan.of(target)]
        self._email = next(iter(plan.of("email")), None)
        self._place = next(iter(plan.of("place")), None)
        self._phones = plan.of("phone")
        self._own = [(column, _Memory(column)) for column in plan.own]
        self._wheres: dict[tuple[tuple[tuple[str, ...], str | None], ...], tuple[Whereabouts, str]] = {}

    def parse(self, rows: Iterable[Row]) -> Parsed:
        """The rows that can be loaded, and what is wrong with the others."""
        parsed = Parsed()
        for line, cells in rows:
            parsed.rows += 1
            wrong: Wrong = []
            if isinstance(cells, str):
                wrong.append((None, "", cells))
            elif len(cells) != self._plan.width:
                have = f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"
                wrong.append((None, "", f"has {have}, the header {self._plan.width}"))
            elif _NUL not in "".join(cells) or not (wrong := self._nuls(cells)):
                self._take(line, cells, parsed, wrong)
            parsed.rejects += _rejects(line, wrong, ROW_REJECTED)
        return parsed

    def _nuls(self, cells: list[str]) -> Wrong:
        """The cells that PostgreSQL could not keep; a column that is left out does no harm."""
        return [
            (column, cells[column.index].replace(_NUL, _NUL_SHOWN), "holds a NUL byte")
            for column in self._plan.columns
            if _NUL in cells[column.index]
        ]

    def _take(self, line: int, cells: list[str], parsed: Parsed, wrong: Wrong) -> None:
        """One row into `parsed`, unless something is wrong with it."""
        external_id = cells[self._id.index].strip()
        if not external_id:
            wrong.append((self._id, "", "no customer id"))
        elif len(external_id) > LONGEST_ID:
            wrong.append((self._id, external_id, f"is longer than {LONGEST_ID} characters"))
        name, email, place = self._person(cells, wrong)
        fields = [part for column, memory in self._own if (part := memory.read(cells[column.index], wrong))]
        numbers, bad = self._numbers(cells)
        if wrong or not numbers:
            wrong += bad
        if wrong:
            return
        parsed.rejects += _rejects(line, bad, NUMBER_DROPPED)
        where, tail = self._where(numbers, place)
        parsed.where.add(where)
        parsed.lines.append(line)
        parsed.ids.append(external_id)
        parsed.customers.append(
            f"{line}\t{external_id.translate(_ESCAPES)}\t{name}\t{email}\t{place or _NULL}"
            f"\t{{{','.join(fields)}}}\t{tail}\n"
        )
        parsed.numbers.append(
            "".join(
                f"{line}\t{number.e164}\t{position}\t{{{','.join(number.zones)}}}\n"
                for position, number in enumerate(numbers)
            )
        )

    def _person(self, cells: list[str], wrong: Wrong) -> tuple[str, str, str | None]:
        """Name and e-mail as COPY text, and the place."""
        name, email, place = _NULL, _NULL, None
        if self._name:
            name = " ".join(filter(None, (cells[c.index].strip() for c in self._name))).translate(_ESCAPES)
            if len(name) > LONGEST_NAME:
                wrong.append((self._name[0], name, f"is longer than {LONGEST_NAME} characters"))
        if self._email and (text := cells[self._email.index].strip()):
            email = text.translate(_ESCAPES)
            if not _EMAIL.fullmatch(text):
                wrong.append((self._email, text, "is no e-mail address"))
        if self._place and (text := cells[self._place.index].strip().upper()):
            place = text
            if not (_PLACE.fullmatch(text) and text[:2] in SUPPORTED_REGIONS):
                wrong.append((self._place, text, "is no place: write PT, or US-FL for a state"))
        return name, email, place

    def _numbers(self, cells: list[str]) -> tuple[list[Number], Wrong]:
        """Every number of the row, in the order of the columns, each once; and the parts that are none."""
        found: dict[str, Number] = {}
        bad: Wrong = []
        for column in self._phones:
            text = cells[column.index]
            if not text or text.isspace():
                continue
            numbers, refused = read_numbers(text, self._plan.region)
            for number in numbers:
                found.setdefault(number.e164, number)
            bad += [(column, part, reason) for part, reason in refused]
        return list(found.values()), bad

    def _where(self, numbers: list[Number], place: str | None) -> tuple[Whereabouts, str]:
        """Where the customer may be, and the COPY text of its clock's key and reckoning zone."""
        facts = (*((number.zones, number.place) for number in numbers), ((), place))
        if facts not in self._wheres:
            where = whereabouts(facts[:-1], None, place)
            key = f"{','.join(where.places)}|{','.join(where.zones)}"
            self._wheres[facts] = where, f"{key}\t{where.reckoning}"
        return self._wheres[facts]


def _rejects(line: int, wrong: Wrong, what: str) -> list[Reject]:
    return [
        Reject(line, column.header if column else "", value, reason, what) for column, value, reason in wrong
    ]


class _Memory:
    """A column's texts and what they come to as JSON inside COPY: most columns repeat themselves."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self._key = orjson.dumps(column.target).decode() + ":"
        self._known: dict[str, str] = {}

    def read(self, cell: str, wrong: Wrong) -> str:
        """`"key":value`, or nothing for an empty cell."""
        known = self._known.get(cell)
        if known is None:
            text = cell.strip()
            try:
                known = self._json(text) if text else ""
            except ValueError as error:
                of_what = f"{self._column.type} field {self._column.target}"
                wrong.append((self._column, text, f"{error} ({of_what})"))
                return ""
            if len(self._known) < _KEPT:
                self._known[cell] = known
        return known

    def _json(self, text: str) -> str:
        assert self._column.type is not None  # noqa: S101 - own fields have one
        value = read_value(self._column.type, text)
        return (self._key + orjson.dumps(value).decode()).replace("\\", "\\\\")
