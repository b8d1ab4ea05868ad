"""The rejects file: every row that was not taken, with line, column, value and reason."""

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from calling.parsing import Reject
from models.errors import BadInput

HEADER = ("line", "column", "value", "reason")
SHOWN = 20  # rejects that a report itself carries
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Rejects:
    """Takes rejects one by one; keeps the first few and writes all of them."""

    def __init__(self) -> None:
        self.first: list[Reject] = []
        self.rows = 0
        self._write: Callable[[Iterable[object]], object] | None = None

    def add(self, rejects: Iterable[Reject]) -> None:
        """Note what is wrong with some rows; the rejects of one row come together."""
        last = None
        for reject in rejects:
            self.rows += reject.line != last
            last = reject.line
            if len(self.first) < SHOWN:
                self.first.append(reject)
            if self._write:
                texts = (reject.column, reject.value, reject.reason)
                self._write([reject.line, *map(harmless, texts)])

    @classmethod
    @contextmanager
    def to(cls, path: Path | None, source: Path) -> Iterator["Rejects"]:
        """Write to `path`, replacing it; without a single reject there is no file. None: write nowhere.

        Raises BadInput if it is the file that is imported, or if it cannot be written.
        """
        rejects = cls()
        if path is None:
            yield rejects
            return
        if path.exists() and path.samefile(source):
            raise BadInput(f"{path} is the file to import; name another one for its rejects")
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
            if not rejects.rows:
                path.unlink()


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
