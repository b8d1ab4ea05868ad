"""CSV and its kin: delimiter and header are found, and a line that breaks the quotes spoils no other."""

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import TextIO

from calling.intake.encodings import whole
from calling.intake.tables import Row, header_index

DELIMITERS = ",;\t|"
LONGEST_RECORD = 100
"""Lines that a quoted cell may span. More means that its quotation mark is never closed."""

_HEAD = 50  # lines that are looked at for the delimiter and the header
_UNCLOSED = "a quotation mark is never closed"
_UNDECODED = "holds bytes that are not UTF-8"


class _UnclosedError(Exception):
    """A record spans too many lines."""


class Lines:
    """The lines of a file. Those of the record being read are kept, so that they can be read again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: list[str] = []
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._lines)
        self.number += 1
        self.taken.append(line)
        if len(self.taken) > LONGEST_RECORD:
            raise _UnclosedError
        return line

    def give_back(self) -> None:
        """All lines of the record but its first will be read again."""
        rest = self.taken[1:]
        self._again.extend(reversed(rest))
        self.number -= len(rest)


def read_delimited(file: TextIO) -> tuple[list[str], Iterator[Row]]:
    """The header of an open text file (newline=""), and its rows as (line, cells or what is wrong)."""
    head = list(islice(file, _HEAD))
    skipped = 0
    if head and head[0].lower().startswith("sep="):  # Excel's own hint
        delimiter, skipped = head.pop(0).strip()[4:] or ",", 1
    else:
        delimiter = delimiter_of(head)
    start = list(csv.reader(head, delimiter=delimiter))
    found = header_index(start)
    header = start[found]
    lines = Lines(chain(head, file))
    lines.number = skipped
    rows = records(lines, delimiter, len(header))
    for _ in range(sum(1 for row in start[: found + 1] if any(row))):
        next(rows)
    return header, rows


def delimiter_of(lines: list[str]) -> str:
    """The sign that splits most lines into the same number of cells; a comma where none does."""
    best, most = ",", (0.0, 0)
    for sign in DELIMITERS:
        counts = Counter(len(row) - 1 for row in csv.reader(lines, delimiter=sign) if any(row))
        splits, times = max(((n, k) for n, k in counts.items() if n), key=lambda c: c[1], default=(0, 0))
        score = (times / max(counts.total(), 1), splits)
        if splits and score > most:
            best, most = sign, score
    return best


def records(lines: Lines, delimiter: str, width: int) -> Iterator[Row]:
    """Every record that is not blank, or what is wrong with it.

    What an unclosed quotation mark swallowed is read again.
    """
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        lines.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _UnclosedError):
            cells = []
        spans = len(lines.taken)
        line = lines.number - spans + 1
        if spans > 1 and (len(cells) != width or "".join(lines.taken).count('"') % 2):
            lines.give_back()
            reader = csv.reader(lines, delimiter=delimiter)
            yield line, _UNCLOSED
        elif any(cells):
            yield line, cells if whole("".join(cells)) else _UNDECODED
