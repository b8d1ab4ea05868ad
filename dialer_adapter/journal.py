"""What a dialer must not forget: its events, in an append-only file, until they are acknowledged."""

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from dialer_adapter.values import Event
from models.errors import Conflict, PromiseBroken

REWRITE_AFTER = 5_000
"""Lines after which the file is rewritten with what still counts."""


class Journal:
    """Events by lease, kept until the lease's end and all its events are acknowledged. Holds no number.

    One process at a time: a second one is refused (Conflict). `write` returns when the disk has the events.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._lock = path, _locked(path.with_name(f"{path.name}.lock"))
        self._events: dict[str, Event] = {}
        self._acked: set[str] = set()
        self._lines = 0
        self._recall_all()
        self._file = path.open("ab")
        _sync_folder(path.parent)

    def write(self, events: Sequence[Event]) -> None:
        """Keep `events`; one already kept stays as it was first told."""
        new = [event for event in events if event.event_id not in self._events]
        if not new:
            return
        self._append([{"event": _to_json(event)} for event in new])
        os.fsync(self._file.fileno())
        self._events |= {event.event_id: event for event in new}

    def acknowledge(self, event_ids: Iterable[str]) -> None:
        """These events were acknowledged; unknown ones are ignored."""
        known = [key for key in event_ids if key in self._events and key not in self._acked]
        if not known:
            return
        self._append([{"acked": known}])  # not synced: after a crash they are told, and acknowledged, again
        self._strike(known)
        if self._lines > REWRITE_AFTER and self._lines > 2 * len(self._events):
            self._rewrite()

    def kept(self) -> list[Event]:
        """All that is not forgotten, acknowledged or not, as first told."""
        return list(self._events.values())

    def unacknowledged(self) -> list[Event]:
        """What must be told again until it is acknowledged, as first told."""
        return [event for key, event in self._events.items() if key not in self._acked]

    def leases(self) -> set[UUID]:
        """The leases of which something is kept."""
        return {event.lease_id for event in self._events.values() if event.lease_id}

    def open_calls(self) -> dict[UUID, list[str]]:
        """Leases that have not ended, with the kinds told of each, in order."""
        kinds: dict[UUID, list[str]] = {}
        for event in self._events.values():
            if event.lease_id:
                kinds.setdefault(event.lease_id, []).append(event.kind)
        return {lease: told for lease, told in kinds.items() if "ended" not in told}

    def close(self) -> None:
        """Let another process have the file."""
        self._file.close()
        os.close(self._lock)

    def _strike(self, known: Sequence[str]) -> None:
        """Mark events as acknowledged, and forget the leases of which nothing more is due."""
        self._acked.update(known)
        leases = {self._events[key].lease_id for key in known}
        told = [event for event in self._events.values() if event.lease_id in leases]
        ended = {event.lease_id for event in told if event.kind == "ended"}
        waiting = {event.lease_id for event in told if event.event_id not in self._acked}
        for event in told:
            done = event.lease_id in ended - waiting if event.lease_id else event.event_id in self._acked
            if done:
                del self._events[event.event_id]
                self._acked.discard(event.event_id)

    def _recall_all(self) -> None:
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):  # a crash tore the last line: what it held was never told
            os.truncate(self._path, len(whole))
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                self._remember(json.loads(line))
            except (ValueError, KeyError, TypeError) as flaw:
                raise PromiseBroken(f"{self._path}, line {number}, cannot be read: {flaw}") from flaw

    def _remember(self, record: dict[str, Any]) -> None:
        self._lines += 1
        if "event" in record:
            event = _of_json(record["event"])
            self._events.setdefault(event.event_id, event)
        else:
            self._strike([key for key in record["acked"] if key in self._events])

    def _append(self, records: Sequence[dict[str, Any]]) -> None:
        self._file.write(b"".join(json.dumps(record).encode() + b"\n" for record in records))
        self._file.flush()
        self._lines += len(records)

    def _rewrite(self) -> None:
        fresh = self._path.with_name(f"{self._path.name}.new")
        old, self._lines = self._file, 0
        self._file = fresh.open("wb")
        self._append([{"event": _to_json(event)} for event in self._events.values()])
        self._append([{"acked": sorted(self._acked)}])
        os.fsync(self._file.fileno())
        fresh.replace(self._path)
        _sync_folder(self._path.parent)
        old.close()


def _sync_folder(path: Path) -> None:
    """A file's name is durable only when its folder is."""
    folder = os.open(path, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _locked(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Conflict(f"another process uses the journal of {path}") from None
    return handle


def _to_json(event: Event) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "lease_id": str(event.lease_id) if event.lease_id else None,
        "kind": event.kind,
        "at": event.at.isoformat() if event.at else None,
        "body": dict(event.body),
    }


def _of_json(record: dict[str, Any]) -> Event:
    return Event(
        event_id=record["event_id"],
        lease_id=UUID(record["lease_id"]) if record["lease_id"] else None,
        kind=record["kind"],
        at=datetime.fromisoformat(record["at"]) if record["at"] else None,
        body=record["body"],
    )
