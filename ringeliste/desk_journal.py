"""What simulated sellers have reported, and what was acknowledged: a line each, in an append-only file.

A report is written before it is sent. Whoever is killed in between sends it again when started anew, and a
test holds the file against the attempts: none may be missing.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """What a seller said of a lease. `talk_seconds`: business time."""

    lease_id: str
    seller_id: int
    outcome: str
    talk_seconds: int


class DeskJournal:
    """The file of one room of sellers. For one process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open: dict[str, Told] = {}
        for line in read_lines(path):
            told = Told(**line["told"])
            if line["acknowledged"]:
                self._open.pop(told.lease_id, None)
            else:
                self._open[told.lease_id] = told
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        _drop_torn_line(path)

    def reported(self, told: Told) -> None:
        """About to be sent."""
        self._open[told.lease_id] = told
        self._write(told, None)

    def acknowledged(self, told: Told, kind: str) -> None:
        """The API has it: `kind` as it answered."""
        self._open.pop(told.lease_id, None)
        self._write(told, kind)

    def unacknowledged(self, seller_id: int) -> list[Told]:
        """What this seller has to send again."""
        return [told for told in self._open.values() if told.seller_id == seller_id]

    def close(self) -> None:
        """Nothing more is written."""
        os.close(self._file)

    def _write(self, told: Told, kind: str | None) -> None:
        line = json.dumps({"told": asdict(told), "acknowledged": kind}) + "\n"
        os.write(self._file, line.encode())  # one write: a kill leaves a line whole, or not there


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a journal, oldest first; none if there is no file."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)


def _drop_torn_line(path: Path) -> None:
    """A power cut may have torn the last line: what it held was never sent."""
    content = path.read_bytes()
    os.truncate(path, content.rfind(b"\n") + 1)
