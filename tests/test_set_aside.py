"""What is told and cannot be used is kept, alarms, and is worked off again or looked at (P4)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from interleaving import acting_before
from shell import Shell
from sqlalchemy import text
from test_inbox import hear, problems, results, sent
from web_client import Api, api_of
from world import NOON, World

from calling.dialers import inbox, inbox_sql
from calling.dialers.inbox import Told
from calling.dialers.set_aside import NOTHING, look_at, set_aside, unseen, work_off_again
from calling.outcomes.outcome import record_all
from models.errors import BadInput, Conflict, NotFound

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


def waiting(world: World) -> dict[str | None, str]:
    """Event -> its problem, of all that nobody has looked at."""
    with world.work() as work:
        found = {row.event_id: row.problem for row in set_aside(work, 0, 100)}
        assert unseen(work).many == len(found)
    return found


def test_only_what_could_not_be_used_is_set_aside(world: World) -> None:
    """A detail that was left out cost no result. Planted: everything with a problem; seen to fail."""
    dialer, (first, second) = sent(world, 2)
    hear(
        world, dialer,
        Told("1", first, "ended", NOON, {"result": "SALE!"}),
        Told("2", second, "ended", NOON, {"result": "sale", "talk_seconds": "12s"}),
        Told("3", uuid4(), "ended", NOON, {"result": "sale"}),
        Told("4", None, "ended", NOON, {"result": "sale"}),
        Told("5", first, "weather", NOON, {}),
    )  # fmt: skip
    assert waiting(world) == {
        "1": "unknown result 'SALE!'", "3": "orphan: there is no such lease", "4": "it names no lease",
        "5": "unknown kind 'weather'",
    }  # fmt: skip
    assert results(world) == {second: ("sale", None)}


def test_told_again_it_is_one(world: World) -> None:
    dialer, (lease,) = sent(world, 1)
    odd = Told("1", lease, "ended", NOON, {"result": "SALE!"})
    hear(world, dialer, odd)
    hear(world, dialer, odd, now=LATER)
    assert list(waiting(world)) == ["1"]


def test_worked_off_again_it_counts_once_what_was_wrong_is_mended(world: World) -> None:
    """The lease, the ring and the result are there as if nothing had been wrong; the alarm is over."""
    dialer, (lease,) = sent(world, 1)
    hear(world, dialer, Told("1", lease, "ended", NOON, {"result": "SALE!"}))
    with world.work() as work:
        (row,) = set_aside(work, 0, 10)
        work.run(text("""update dialer_event set body = body || '{"result": "sale"}'"""))
        work_off_again(work, row.id, author="Kari")
        assert [(hint.kind, hint.subject) for hint in work.hints] == [("inbox", dialer)]
    inbox.process_inbox(world.opener(LATER), dialer)
    assert results(world)[lease][0] == "sale"
    assert waiting(world) == {}
    with world.work() as work:
        assert unseen(work) == NOTHING
        (row,) = set_aside(work, 0, 10, seen=True)
    assert (row.seen_by, row.note, row.seen_at) == ("Kari", "worked off again", NOON)


def test_worked_off_again_in_vain_it_alarms_anew(world: World) -> None:
    """Planted: `on conflict do nothing`; seen to fail: it had been seen, and nobody heard of it again."""
    dialer, (lease,) = sent(world, 1)
    hear(world, dialer, Told("1", lease, "ended", NOON, {"result": "SALE!"}))
    with world.work() as work:
        work_off_again(work, set_aside(work, 0, 10)[0].id, author="Kari")
    inbox.process_inbox(world.opener(LATER), dialer)
    assert list(waiting(world)) == ["1"]
    with world.work() as work:
        assert unseen(work).since == LATER


def test_two_who_work_off_the_same_set_it_aside_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what somebody looked at meanwhile stays looked at. Planted: whatever the batch held; seen to
    fail."""
    dialer, (lease,) = sent(world, 1)
    inbox.journal_all(world.opener(), dialer, [Told("1", lease, "ended", NOON, {"result": "SALE!"})])

    def other() -> None:
        inbox.process_inbox(world.opener(), dialer)
        with world.work() as work:
            look_at(work, set_aside(work, 0, 10)[0].id, author="Kari", note="a test")

    acting_before(monkeypatch)(inbox_sql.DONE, other)
    inbox.process_inbox(world.opener(), dialer)
    assert waiting(world) == {}


def test_dead_behind_the_results_and_before_the_note(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next round finds the batch: what counted counts once, what could not is set aside."""
    dialer, (first, second) = sent(world, 2)

    def dies(*args: Any) -> Any:
        record_all(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(inbox, "record_all", dies)
    with pytest.raises(KeyboardInterrupt):
        hear(
            world, dialer,
            Told("1", first, "ended", NOON, {"result": "SALE!"}),
            Told("2", second, "ended", NOON, {"result": "busy"}),
        )  # fmt: skip
    assert waiting(world) == {}
    monkeypatch.undo()
    inbox.process_inbox(world.opener(LATER), dialer)
    assert list(waiting(world)) == ["1"]
    assert results(world) == {second: ("busy", None)}
    assert problems(world)["2"] is None


def test_who_looks_says_what_came_of_it_and_once(world: World) -> None:
    dialer, (lease,) = sent(world, 1)
    hear(world, dialer, Told("1", lease, "ended", NOON, {"result": "SALE!"}))
    with world.work() as work:
        (row,) = set_aside(work, 0, 10)
        with pytest.raises(BadInput, match="note"):
            look_at(work, row.id, author="Kari", note=" ")
        with pytest.raises(NotFound):
            look_at(work, row.id + 1, author="Kari", note="a test")
        look_at(work, row.id, author="Kari", note=" a test ")
        with pytest.raises(Conflict, match="Kari has looked at it already"):
            look_at(work, row.id, author="Bo", note="x")
        with pytest.raises(Conflict, match="Kari has looked at it already"):
            work_off_again(work, row.id, author="Bo")
        assert [one.note for one in set_aside(work, 0, 10, seen=True)] == ["a test"]


def test_an_orphan_of_the_api_is_kept_and_nothing_of_the_customer(world: World, api: Api) -> None:
    """It was answered `orphan` and forgotten: a sale reported of a mistyped lease was lost."""
    dialer, (lease,) = sent(world, 1)
    robot, kari = api.dialer(dialer), api.manager()
    lost = str(uuid4())
    sale = {"lease_id": lost, "outcome": "sale", "by": "dialer"}
    for _ in range(2):
        found = robot.ok("POST", "/outcomes", json={"reports": [sale, sale | {"lease_id": str(lease)}]})
        assert found["results"][0]["kind"] == "orphan"
    (one,) = kari.ok("GET", "/set-aside")["items"]
    assert (one["lease_id"], one["dialer_id"], one["kind"]) == (lost, dialer, "report")
    assert one["body"] == {"outcome": "sale", "by": "dialer", "talk_seconds": None, "rung_at": None}
    refused = kari.refused(409, "POST", f"/set-aside/{one['id']}/again")
    assert "reported over the API" in refused["detail"]
    assert kari.ok("POST", f"/set-aside/{one['id']}/seen", json={"note": "told again"}) == {"waiting": 0}
    assert kari.ok("GET", "/set-aside?seen=true")["items"][0]["note"] == "told again"
    robot.refused(403, "GET", "/set-aside")


def test_what_a_seller_says_of_a_lease_that_is_not_theirs_is_kept(world: World, api: Api) -> None:
    """They hear that there is none; a manager sees what was said, by whom, and whether there is such a lease.

    It was refused and forgotten: a sale told under a mistyped id was lost.
    """
    _, (lease,) = sent(world, 1)
    ana, kari = api.seller(world.seller()), api.manager()
    lost = uuid4()
    for told in (lease, lost, lost):
        ana.refused(404, "POST", f"/leases/{told}/outcome", json={"outcome": "sale", "talk_seconds": 60})
    items = kari.ok("GET", "/set-aside")["items"]
    assert {(UUID(one["lease_id"]), one["problem_kind"], one["told_by"]) for one in items} == {
        (lease, "foreign", "a seller"), (lost, "orphan", "a seller"),
    }  # fmt: skip
    assert items[0]["body"] == {"outcome": "sale", "talk_seconds": 60, "rung_at": None}
    assert results(world) == {}


def test_numbers_are_masked_where_people_read(world: World) -> None:
    """What was told stays whole in the raw inbox. Planted: the body as it was told; seen to fail."""
    dialer, (lease,) = sent(world, 1)
    body = {
        "cause": "transferred to +351912345678",
        "e164": "+351912345678",
        "deep": [{"to": "sip:912345678"}],
    }
    hear(world, dialer, Told("1", lease, "ended", NOON, body))
    with world.work() as work:
        (row,) = set_aside(work, 0, 10)
        told = work.run(text("select body ->> 'e164' from dialer_event")).scalar_one()
    assert "912345678" not in f"{row.body} {row.problem} {row.words}"
    assert "+3519*****78" in row.problem
    assert told == "+351912345678"


def many(world: World) -> tuple[int, int]:
    """Two dialers, each with an unknown result; the first also has an orphan."""
    first, (lease,) = sent(world, 1)
    second, (other,) = sent(world, 1)
    hear(
        world, first,
        Told("1", lease, "ended", NOON, {"result": "x"}),
        Told("2", uuid4(), "ended", NOON, {"result": "busy"}),
    )  # fmt: skip
    hear(world, second, Told("1", other, "ended", NOON, {"result": "x"}))
    return first, second


def test_many_are_cleared_at_once(world: World, api: Api) -> None:
    """By why, and by who told it; what somebody has looked at keeps who did. In vain, they lie aside anew.

    Planted: all of a kind, whoever told it; what was seen seen again; each seen to fail.
    """
    first, second = many(world)
    kari = api.manager()
    assert len(kari.ok("GET", "/set-aside", params={"kind": "unknown_result"})["items"]) == 2
    (orphan,) = kari.ok("GET", "/set-aside", params={"kind": "orphan", "dialer_id": first})["items"]
    assert kari.ok("POST", f"/set-aside/{orphan['id']}/seen", json={"note": "by hand"}) == {"waiting": 2}
    told = {"dialer_id": second, "note": "a test"}
    assert kari.ok("POST", "/set-aside/seen", json=told) == {"done": 1, "waiting": 1}
    assert kari.ok("POST", "/set-aside/again", json={"kind": "orphan"}) == {"done": 0, "waiting": 1}
    assert kari.ok("POST", "/set-aside/again", json={"dialer_id": first}) == {"done": 1, "waiting": 0}
    inbox.process_inbox(world.opener(LATER), first)
    assert list(waiting(world)) == ["1"]
    with world.work() as work:
        assert {row.note for row in set_aside(work, 0, 9, seen=True)} == {"by hand", "a test"}
    kari.refused(422, "POST", "/set-aside/seen", json={"note": ""})
    kari.refused(422, "GET", "/set-aside", params={"kind": "orphaned"})


def test_the_command_line_clears_many(world: World, shell: Shell) -> None:
    first, second = many(world)
    said = shell.ok(
        "set-aside", "seen", "--kind", "unknown_result", "--dialer", str(second), "--note", "x", "--json"
    )
    assert said.document == {"done": 1, "waiting": 2, "dry_run": False}
    assert (
        "2 are worked off again; 0 wait"
        in shell.ok("set-aside", "again", "--dialer", str(first), "--dry-run").out
    )
    assert shell.ok("set-aside", "list", "--kind", "orphan", "--json").document[0]["problem_kind"] == "orphan"
    for wrong in (["again"], ["again", "1", "--kind", "flaw"], ["seen", "--kind", "orphaned", "--note", "x"]):
        assert shell.run("set-aside", *wrong).code == 2
    assert "did you mean orphan?" in shell.run("set-aside", "list", "--kind", "orphaned").err


def test_the_alarm_is_heard(world: World, api: Api, shell: Shell) -> None:
    """By the report, on the command line and in the metrics; and it ends there."""
    dialer, (lease,) = sent(world, 1)
    hear(world, dialer, Told("1", lease, "ended", NOON, {"result": "SALE!"}))
    assert "1 report could not be used (1 unknown result)" in shell.ok("report").out
    told = api.http.get("/metrics").text
    assert f'ringeliste_set_aside{{crm="{world.crm_id}",kind="unknown_result"}} 1.0' in told
    (row,) = shell.ok("set-aside", "list", "--json").document
    assert (row["problem"], UUID(row["lease_id"])) == ("unknown result 'SALE!'", lease)
    key = str(row["id"])
    shell.ok("set-aside", "again", key, "--dry-run")
    assert list(waiting(world)) == ["1"]
    assert shell.ok("set-aside", "seen", key, "--note", "a test", "--json").document["waiting"] == 0
    assert "could not be used" not in shell.ok("report").out
