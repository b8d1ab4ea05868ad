"""Rows of a file -> lines of COPY text, and a rejection for every cell that breaks a rule.

Runs in worker processes for large files, so it knows neither the database nor anything heavy to load.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from calling.catalogue.checking import Checker
from calling.catalogue.person import read_email, read_name, read_place
from calling.catalogue.states import place_of_state
from calling.hours.main_zones import main_zone
from calling.hours.verified import contradiction, contradicts, read_zone
from calling.hours.whereabouts import Whereabouts, whereabouts
from calling.intake.columns import ANYWAY, STATE, Column, Plan
from calling.intake.numbers import Number, read_numbers
from calling.intake.tables import Row
from models.tags import read_tag

LONGEST_ID = 200  # it stands in an index
_KEPT = 20_000  # texts of a column whose value is remembered
_BETWEEN_TAGS = re.compile("[;,|\n]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"
_UNREADABLE = ""
"""COPY text of a place that cannot be read: of who is known the place stays as it is."""
_NUL, _NUL_SHOWN = "\0", "\N{SYMBOL FOR NULL}"

ROW_REJECTED, NUMBER_DROPPED, PLACE_DROPPED = "row rejected", "number dropped", "place dropped"
"""What comes of a refused cell: the row is not taken; or it is, without that number, or that place."""

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

    Only a bad number beside a good one, and what is no legal place, cost no more than themselves.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._id = plan.of("external_id")[0]
        self._name = [c for target in ("name", "first_name", "last_name") for c in plan.of(target)]
        self._email = next(iter(plan.of("email")), None)
        self._place = next(iter(plan.of("place")), None)
        self._phones, self._tagging = plan.of("phone"), plan.of("tags")
        self._zone = next(iter(plan.of("verified_zone")), None)
        self._own = [(column, _Memory(column)) for column in plan.own]
        self._places: dict[str, tuple[str | None, str]] = {}
        self._wheres: dict[tuple[object, ...], tuple[Whereabouts, str]] = {}

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
        name, email = self._person(cells, wrong)
        misplaced: Wrong = []
        place = self._placed(cells, misplaced)
        fields = [part for column, memory in self._own if (part := memory.read(cells[column.index], wrong))]
        tags = self._tags(cells, wrong)
        numbers, bad = self._numbers(cells)
        zone, contradicts = self._verified(cells, numbers, place, wrong)
        if wrong or not numbers:
            wrong += bad
        if wrong:
            wrong += misplaced
            return
        parsed.rejects += _rejects(line, bad, NUMBER_DROPPED) + _rejects(line, misplaced, PLACE_DROPPED)
        where, tail = self._where(numbers, place, zone)
        said = place or (_UNREADABLE if misplaced else _NULL)
        parsed.where.add(where)
        parsed.lines.append(line)
        parsed.ids.append(external_id)
        parsed.customers.append(
            f"{line}\t{external_id.translate(_ESCAPES)}\t{name}\t{email}\t{said}"
            f"\t{{{','.join(fields)}}}\t{tail}\t{tags}\t{zone or _NULL}\t{contradicts}\n"
        )
        parsed.numbers.append(
            "".join(
                f"{line}\t{number.e164}\t{position}\t{{{','.join(number.zones)}}}\t{said}\n"
                for position, (number, said) in enumerate(numbers)
            )
        )

    def _person(self, cells: list[str], wrong: Wrong) -> tuple[str, str]:
        """Name and e-mail as COPY text."""
        name = email = _NULL
        if self._name:
            whole = " ".join(filter(None, (cells[c.index].strip() for c in self._name)))
            name = _read(read_name, self._name[0], whole, wrong).translate(_ESCAPES)
        if self._email and (text := cells[self._email.index].strip()):
            email = _read(read_email, self._email, text, wrong).translate(_ESCAPES)
        return name, email

    def _placed(self, cells: list[str], wrong: Wrong) -> str | None:
        """The legal place; a list's own "Oslo" is none, and the customer can be rung all the same."""
        if self._place is None or not (text := cells[self._place.index].strip()):
            return None
        known = self._places.get(text)
        if known is None:
            known = self._first_place(text)
            if len(self._places) < _KEPT:
                self._places[text] = known
        place, why = known
        if why:
            wrong.append((self._place, text, why))
        return place

    def _first_place(self, text: str) -> tuple[str | None, str]:
        """A place as it is kept, and what is wrong with it: one of the two."""
        assert self._place is not None  # noqa: S101 - asked only of such a column
        try:
            return (self._read_state if self._place.more == STATE else read_place)(text), ""
        except ValueError as error:
            return None, str(error)

    def _read_state(self, text: str) -> str:
        return place_of_state(text, self._plan.region)

    def _tags(self, cells: list[str], wrong: Wrong) -> str:
        """The tags of the row as COPY text of an array."""
        if not self._tagging:
            return _NULL
        tags: set[str] = set()
        for column in self._tagging:
            for part in filter(str.strip, _BETWEEN_TAGS.split(cells[column.index])):
                tags.add(_read(read_tag, column, part.strip(), wrong))
        return f"{{{','.join(sorted(tags))}}}"  # a tag holds nothing that an array's text would quote

    def _numbers(self, cells: list[str]) -> tuple[list[tuple[Number, str]], Wrong]:
        """Every number of the row, in the order of the columns, each once; and the parts that are none.

        Beside each the COPY text of its kind and who says it: the list, or else the numbering plan.
        """
        found: dict[str, tuple[Number, str]] = {}
        bad: Wrong = []
        for column in self._phones:
            text = cells[column.index]
            if not text or text.isspace():
                continue
            numbers, refused = read_numbers(text, self._plan.region)
            for number in numbers:
                if column.more or number.e164 not in found:
                    found[number.e164] = number, _kind(number, column.more)
            bad += [(column, part, reason) for part, reason in refused]
        return list(found.values()), bad

    def _verified(
        self, cells: list[str], numbers: Sequence[tuple[Number, str]], place: str | None, wrong: Wrong
    ) -> tuple[str | None, str]:
        """The zone that the row vouches for; and as COPY text whether nothing else speaks for it."""
        column = self._zone
        if column is None or not (text := cells[column.index].strip()):
            return None, "f"
        zone = _read(read_zone, column, text, wrong)
        found, _ = self._where(numbers, place, None)
        if not zone or not contradicts(zone, found.zones):
            return zone or None, "f"
        if column.more != ANYWAY:
            wrong.append(
                (column, text, f"{contradiction(found.zones)}; map it to verified_zone:{ANYWAY} to take it")
            )
        return zone, "t"

    def _where(
        self, numbers: Sequence[tuple[Number, str]], place: str | None, zone: str | None
    ) -> tuple[Whereabouts, str]:
        """Where the customer may be, and the COPY text of its clock's key and reckoning zone."""
        known = tuple((number.zones, number.place) for number, _ in numbers)
        main = main_zone(numbers[0][0].e164, numbers[0][0].zones) if numbers else None
        facts = (known, place, zone, main)
        if facts not in self._wheres:
            where = whereabouts(known, zone, place, main)
            key = f"{','.join(where.places)}|{','.join(where.zones)}"
            self._wheres[facts] = where, f"{key}\t{where.reckoning}"
        return self._wheres[facts]


def _kind(number: Number, said: str | None) -> str:
    """COPY text: a number's kind, and who says it."""
    if said:
        return f"{said}\tlist"
    return f"{number.kind}\tplan" if number.kind else f"{_NULL}\t{_NULL}"


def _rejects(line: int, wrong: Wrong, what: str) -> list[Reject]:
    return [
        Reject(line, column.header if column else "", value, reason, what) for column, value, reason in wrong
    ]


def _read(reader: Callable[[str], str], column: Column, text: str, wrong: Wrong) -> str:
    try:
        return reader(text)
    except ValueError as error:
        wrong.append((column, text, str(error)))
        return ""


class _Memory:
    """A column's texts and what they come to as JSON inside COPY: most columns repeat themselves.

    What cannot be read is remembered as well: a whole column of it is refused no slower.
    """

    def __init__(self, column: Column) -> None:
        assert column.field is not None  # noqa: S101 - own fields have one
        self._column, self._check = column, Checker(column.field).of_text
        self._of_what = f"{column.field.type} field {column.field.key}"
        self._key = orjson.dumps(column.target).decode() + ":"
        self._known: dict[str, tuple[str, str]] = {}

    def read(self, cell: str, wrong: Wrong) -> str:
        """`"key":value`, or nothing for an empty cell."""
        known = self._known.get(cell)
        if known is None:
            known = self._first(cell)
            if len(self._known) < _KEPT:
                self._known[cell] = known
        json, why = known
        if why:
            wrong.append((self._column, cell.strip(), why))
        return json

    def _first(self, cell: str) -> tuple[str, str]:
        """JSON inside COPY, and what is wrong: one of the two, or neither for an empty cell."""
        try:
            value = self._check(cell)
        except ValueError as error:
            return "", f"{error} ({self._of_what})"
        return "" if value is None else self._json(value), ""

    def _json(self, value: object) -> str:
        return (self._key + orjson.dumps(value).decode()).replace("\\", "\\\\")
