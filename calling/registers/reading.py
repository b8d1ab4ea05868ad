"""The file of a register as numbers in E.164: millions of lines, one number each.

Numbers are read as people of the register's country write them. All that differ in their last digits alone,
where these decide nothing of how they are written, are read by phonenumbers once (calling/intake/tails.py).
"""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, TextIO

from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    format_number,
    is_possible_number,
    parse,
)

from calling.intake.delimited import Lines, delimiter_of, records
from calling.intake.encodings import EXCEL, encoding_of
from calling.intake.numbers import LONGEST, parts_of, read_number
from calling.intake.tails import form_is_free
from calling.registers.at_home import Home
from models.errors import BadInput

CHUNK = 50_000
"""Numbers that are handed on together."""

TAILS = (5, 4, 3)
"""Digits that decide nothing, where they do not: a hundred thousand neighbours are read once."""

SHOWN = 20  # bad lines that are kept to be told
_TRIED = 1_000  # lines after which a file of mostly bad ones is given up
_HEAD = 50  # lines that are looked at for the separator and the columns
_PLAIN = re.compile(r"\+?[0-9 ().-]*[0-9]{3}")  # nothing that may be an extension or a second number

_SEVERAL = re.compile(r"\d[\d ().-]{5,}[/;|,\n]\s*[+(]?\d[\d ().-]{5,}\d")  # two that stand for themselves

Text = tuple[int, str, str]
"""The line (from 1), what stands there for a number, and why nothing can."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line (from 1) that holds no number, and why."""

    line: int
    text: str
    reason: str


@dataclass(slots=True)
class Reading:
    """How far a file has been read: lines without the header; the first `bad` ones; `share`, 0 to 1."""

    lines: int = 0
    bad_lines: int = 0
    share: float = 0.0
    bad: list[BadLine] = field(default_factory=list)

    @property
    def mostly_bad(self) -> bool:
        """It is no file of this register."""
        return 2 * self.bad_lines > self.lines


def read_register(
    path: Path, region: str, *, column: str | None = None, reading: Reading, from_anywhere: bool = False,
    told: Callable[[], None] = lambda: None,
) -> Iterator[list[str]]:  # fmt: skip
    """The numbers of a file, E.164, in chunks; what was seen is counted in `reading`.

    `column`: a header, or a place from 1; "1+2" joins two (area code and number); the first if not said.
    Raises BadInput for a file that is none, for one of mostly bad lines, and, unless `from_anywhere`, for one
    without a single number of the region.
    """
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file")
    size, home = max(path.stat().st_size, 1), Home(region)
    with path.open("rb") as raw:
        file = _as_text(raw, path)
        for numbers in _chunks(file, region, column, reading):
            reading.share = min(raw.tell() / size, 1.0)
            home.look(numbers)
            told()
            yield numbers
    reading.share = 1.0
    _check(path, reading)
    if not from_anywhere:
        home.check(path.name)


def _as_text(raw: BinaryIO, path: Path) -> TextIO:
    """Raises BadInput for what is no text."""
    start = raw.read(4)
    raw.seek(0)
    if start.startswith(EXCEL):
        raise BadInput(f"{path} is an Excel workbook or an archive; save it as CSV, and give that file")
    try:
        return TextIOWrapper(raw, encoding_of(path), errors="replace")
    except BadInput:
        raise BadInput(f"{path} is no text file; give a number a line, or CSV") from None


class Numbers:
    """Texts as people of a region write numbers -> E.164.

    Whether anybody answers there is not asked: who cannot be rung is stopped in vain, and does no harm.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._known: list[tuple[int, dict[str, str]]] = [(tail, {}) for tail in TAILS]

    def read(self, text: str) -> str | None:
        """The number, or None: there is none."""
        for tail, starts in self._known:
            start = starts.get(text[:-tail])
            if start is not None and (end := text[-tail:]).isdecimal() and end.isascii():
                return start + end
        return self._read(text)

    def _read(self, text: str) -> str | None:
        """The long way; remembers how numbers with another tail begin."""
        if _SEVERAL.search(text):
            return None
        try:
            number = parse(text, self._region)
        except NumberParseException:
            return None
        if not is_possible_number(number):
            return None
        e164 = format_number(number, PhoneNumberFormat.E164)
        if len(e164) > LONGEST + 1:
            return None
        if _PLAIN.fullmatch(text):
            digits = sum(map(str.isdecimal, text))
            for tail, starts in self._known:
                if text[-tail:].isdecimal() and form_is_free(number, self._region, digits, tail):
                    starts[text[:-tail]] = e164[:-tail]
                    break
        return e164


def _chunks(file: TextIO, region: str, column: str | None, reading: Reading) -> Iterator[list[str]]:
    read, numbers = Numbers(region).read, list[str]()
    for line, text, wrong in _texts(file, column):
        reading.lines += 1
        found = read(text) if text else None
        if found is not None:
            numbers.append(found)
        elif _SEVERAL.search(text):
            numbers += [one for part in parts_of(text, region) if (one := read(part))]
        elif text or wrong:
            _note(reading, line, text, wrong, region)
        if len(numbers) >= CHUNK:
            yield numbers
            numbers = []
    yield numbers


def _texts(file: TextIO, column: str | None) -> Iterator[Text]:
    """What should be a number, line by line, without the line that names the columns. Raises BadInput."""
    head = list(islice(file, _HEAD))
    sign = delimiter_of(head)
    cells = [cell.strip() for cell in next(csv.reader(head, delimiter=sign), [])]
    places = [_place(one.strip(), cells) for one in (column or "1").split("+")]
    lines = chain(head, file)
    texts = _of_lines(lines) if len(cells) < 2 else _of_cells(lines, sign, len(cells), places)
    first = next(texts, None)
    named = column is not None and not column.replace("+", "").isdecimal()
    if first is None or named or not any(map(str.isdigit, first[1])):
        return texts
    return chain([first], texts)


def _of_lines(lines: Iterator[str]) -> Iterator[Text]:
    for at, line in enumerate(lines, 1):
        yield at, line.strip().strip('"'), ""


def _of_cells(lines: Iterator[str], sign: str, width: int, places: list[int]) -> Iterator[Text]:
    """Cells may be in quotes and hold the separator. A line with more cells than the first has shifted them:
    which one is the number nobody knows."""
    last = max(places)
    for at, cells in records(Lines(lines), sign, width):
        if isinstance(cells, str):
            yield at, "", cells
        elif last < len(cells) <= width or (len(cells) > width and not any(cells[width:])):
            yield at, "".join([cells[place].strip() for place in places]), ""
        else:
            yield at, "", f"{len(cells)} cell{'s'[: len(cells) != 1]}, the first line has {width}"


def _note(reading: Reading, line: int, text: str, wrong: str, region: str) -> None:
    reading.bad_lines += 1
    if len(reading.bad) < SHOWN:
        why = wrong or read_number(text, region)
        reading.bad.append(BadLine(line, text[:60], why if isinstance(why, str) else ""))
    if reading.lines >= _TRIED and reading.mostly_bad:
        raise BadInput(_refusal(reading), lines=reading.lines, bad_lines=reading.bad_lines)


def _check(path: Path, reading: Reading) -> None:
    if reading.lines == reading.bad_lines == 0:
        raise BadInput(f"{path} is empty")
    if reading.mostly_bad:
        raise BadInput(_refusal(reading), lines=reading.lines, bad_lines=reading.bad_lines)


def _refusal(reading: Reading) -> str:
    first = "; ".join(f"line {bad.line}: {bad.text!r}, {bad.reason}" for bad in reading.bad[:3])
    return (
        f"{reading.bad_lines} of {reading.lines} lines hold no number of the register's country; is it "
        f"another file, or another column (--column)? {first}"
    )


def _place(name: str, cells: list[str]) -> int:
    if name.isdecimal() and 0 < int(name) <= max(len(cells), 1):
        return int(name) - 1
    by_name = [n for n, cell in enumerate(cells) if cell.casefold() == name.casefold()]
    if not by_name:
        raise BadInput(f"--column {name}: the first line names no such column, it is {', '.join(cells)}")
    return by_name[0]
