"""The dialer's journal: what was written is there after a crash, and nothing else is."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer_adapter import journal as module
from dialer_adapter.journal import Journal
from dialer_adapter.values import Event
from models.errors import Conflict, PromiseBroken

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def event(lease: int, kind: str, **body: object) -> Event:
    return Event(f"{UUID(int=lease)}:{kind}", UUID(int=lease), kind, NOON, body)


def reopened(journal: Journal) -> Journal:
    journal.close()
    return Journal(journal._path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "dialer.journal"


def test_what_was_written_is_there_again(path: Path) -> None:
    told = [
        event(1, "taken"),
        event(1, "ended", result="sale", note="Ærø"),
        Event("x", None, "capacity", None),
    ]
    journal = Journal(path)
    journal.write(told[:2])
    journal.write(told)
    journal = reopened(journal)
    assert journal.kept() == journal.unacknowledged() == told
    journal.close()


def test_a_lease_is_kept_until_its_end_is_acknowledged(path: Path) -> None:
    """After a flush the dialer must say what it holds, acknowledged or not."""
    journal = Journal(path)
    journal.write([event(1, "taken"), event(1, "ringing"), event(2, "taken")])
    journal.acknowledge([e.event_id for e in journal.kept()])
    for _ in range(2):
        assert [e.kind for e in journal.kept()] == ["taken", "ringing", "taken"]
        assert journal.unacknowledged() == []
        assert journal.open_calls() == {UUID(int=1): ["taken", "ringing"], UUID(int=2): ["taken"]}
        journal = reopened(journal)
    end = event(1, "ended", result="busy")
    journal.write([end])
    journal.acknowledge([end.event_id, "unknown"])
    for _ in range(2):
        assert journal.leases() == {UUID(int=2)}
        journal = reopened(journal)
    journal.close()


@pytest.mark.parametrize("torn", [b'{"event": {"even', b'{"acked": ["', b"\x00\x00\x00", b"{}"])
def test_a_torn_last_line_is_cut_off(path: Path, torn: bytes) -> None:
    """What it held was never told: `write` had not returned. Planted no truncation: the next line is lost."""
    journal = Journal(path)
    journal.write([event(1, "taken")])
    journal.close()
    with path.open("ab") as file:
        file.write(torn)
    journal = Journal(path)
    journal.write([event(1, "ended", result="sale")])
    journal = reopened(journal)
    assert [e.kind for e in journal.kept()] == ["taken", "ended"]
    journal.close()


def test_a_damaged_line_is_not_passed_over(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"acked": []}\n{"even\n{"acked": []}\n')
    with pytest.raises(PromiseBroken, match="line 2"):
        Journal(path)


def test_it_belongs_to_one_process(path: Path) -> None:
    journal = Journal(path)
    with pytest.raises(Conflict):
        Journal(path)
    journal.close()
    Journal(path).close()


def test_it_is_rewritten_before_it_grows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REWRITE_AFTER", 50)
    journal = Journal(path)
    journal.write([event(1, "taken")])
    for lease in range(2, 500):
        told = [event(lease, "taken"), event(lease, "ended", result="busy")]
        journal.write(told)
        journal.acknowledge([e.event_id for e in told])
    assert len(path.read_bytes().splitlines()) < 60
    journal = reopened(journal)
    assert [e.event_id for e in journal.kept()] == [event(1, "taken").event_id]
    journal.write([event(1, "ended", result="sale")])
    journal = reopened(journal)
    assert [e.kind for e in journal.kept()] == ["taken", "ended"]
    journal.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("wak"), st.integers(1, 4), st.sampled_from(["taken", "ended"]))))
def test_it_remembers_what_a_careful_reader_would(steps: Sequence[tuple[str, int, str]]) -> None:
    """Against a model: every event written, those acknowledged; forgotten when all of an ended lease is."""
    with TemporaryDirectory() as folder:
        replay(Journal(Path(folder) / "journal"), steps)


def replay(journal: Journal, steps: Sequence[tuple[str, int, str]]) -> None:
    written, acked = dict[str, Event](), set[str]()
    for step, lease, kind in steps:
        now = event(lease, kind)
        if step == "w" and now.event_id not in written:
            journal.write([now])
            written[now.event_id] = now
        elif step == "a" and now.event_id in written:
            journal.acknowledge([now.event_id])
            acked.add(now.event_id)
        elif step == "k":
            journal = reopened(journal)
        for lease_id in {e.lease_id for e in written.values()}:
            told = {key for key, e in written.items() if e.lease_id == lease_id}
            if told <= acked and any(written[key].kind == "ended" for key in told):
                written = {key: e for key, e in written.items() if key not in told}
                acked -= told
        assert journal.kept() == list(written.values())
        assert journal.unacknowledged() == [e for key, e in written.items() if key not in acked]
    journal.close()


WRITER = """
import sys, uuid
from pathlib import Path
from dialer_adapter.journal import Journal
from dialer_adapter.values import Event
journal = Journal(Path(sys.argv[1]))
for n in range(10**9):
    key = uuid.UUID(int=n)
    journal.write([Event(f"{key}:taken", key, "taken", None, {"n": n})])
    print(n, flush=True)
"""


def test_what_write_returned_for_survives_a_kill(path: Path) -> None:
    """Planted no flush after the write: lines that were told are missing after the kill."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    told = [int(writer.stdout.readline()) for _ in range(200)]
    writer.send_signal(signal.SIGKILL)
    told += [int(line) for line in writer.stdout.read().splitlines()]
    writer.wait()
    writer.stdout.close()
    journal = Journal(path)
    assert [e.body["n"] for e in journal.kept()][: len(told)] == told
    assert len(journal.kept()) <= len(told) + 1
    journal.close()
