"""The rejects file: every cell that was refused, with line, column, value, reason and what came of it."""

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from calling.intake.parsing import NUMBER_DROPPED, PLACE_DROPPED, Reject
from models.errors import BadInput

HEADER = ("line", "column", "value", "reason", "what")
SHOWN = 20  # rejects that a report itself carries
LONGEST_SHOWN = 80  # characters of a value there; the file has it whole
_OURS = b"line,column,value,reason"  # how every rejects file of ours begins, of earlier releases too
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Rejects:
    """Takes rejects one by one; keeps the first few and writes all. `rows` rejected; numbers and
    places `dropped` and `misplaced`.
    """

    def __init__(self) -> None:
        self.first: list[Reject] = []
        self.rows = 0
        self.dropped = self.misplaced = 0
        self._write: Callable[[Iterable[object]], object] | None = None

    def add(self, rejects: Iterable[Reject]) -> None:
        """Note what is wrong with some rows; the rejects of one row come together."""
        last = None
        for reject in rejects:
            if reject.what == NUMBER_DROPPED:
                self.dropped += 1
            elif reject.what == PLACE_DROPPED:
                self.misplaced += 1
            else:
                self.rows += reject.line != last
                last = reject.line
            if len(self.first) < SHOWN:
                self.first.append(replace(reject, value=_cut(reject.value)))
            if self._write:
                texts = (reject.column, reject.value, reject.reason, reject.what)
                self._write([reject.line, *map(harmless, texts)])

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.rows or self.dropped or self.misplaced)

    @classmethod
    @contextmanager
    def to(cls, path: Path | None, source: Path) -> Iterator["Rejects"]:
        """Write to `path`, replacing what an import wrote there; without a reject there is no file.

        None: write nowhere. Raises BadInput if it is the file that is imported, holds something that no
        import wrote, or cannot be written.
        """
        rejects = cls()
        if path is None:
            yield rejects
            return
        ours = _check(path, source)
        try:
            file = path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise BadInput(f"{path} cannot be written: {error.strerror}") from error
        try:
            with file:
                rejects._write = csv.writer(file).writerow
                rejects._write(HEADER)
                yield rejects
        finally:
            if ours and not rejects:
                path.unlink()


def _check(path: Path, source: Path) -> bool:
    """Whether the file is ours to remove. Raises BadInput if it is not even ours to write."""
    if not path.exists():
        return True
    if path.samefile(source):
        raise BadInput(f"{path} is the file to import; name another one for its rejects")
    if not path.is_file():  # a folder is refused when it is opened; /dev/null takes everything
        return False
    with path.open("rb") as file:
        if file.read(len(_OURS)) in (_OURS, b""):
            return True
    raise BadInput(f"{path} is there and holds no rejects; name another file with --rejects, or move it away")


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
