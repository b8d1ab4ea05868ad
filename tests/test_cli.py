"""The command line over a world: answers, dry runs that change nothing, errors in plain words, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from shell import Shell, run
from sqlalchemy import text
from world import NOON, World

from wiring.locks import LINKS, SCHEDULER, SessionLock

RULES = {"segments": [{"key": "old", "name": "Old ones", "when": {"f": "age", "op": "ge", "v": 60}}]}


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


@pytest.fixture
def spring(shell: Shell) -> int:
    """An assignment of 40 customers, 0 to 39 years old and a seller, Kari; its id."""
    world = shell.world
    world.field("age")
    assignment = world.assignment("Spring")
    world.customers(40, assignment, fields=lambda i: {"age": i * 2})
    world.seller(assignment, "Kari")
    return assignment


@pytest.fixture
def rules(tmp_path: Path) -> str:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(RULES), encoding="utf-8")
    return str(file)


@pytest.fixture
def people(tmp_path: Path) -> str:
    file = tmp_path / "people.csv"
    file.write_text("id;name;phone;age\n1;Ana;912345678;31\n2;Bo;no number;32\n", encoding="utf-8")
    return str(file)


def any_external_id(world: World) -> str:
    with world.work() as work:
        return str(
            work.run(text("select min(external_id) from customer where crm_id = :crm_id")).scalar_one()
        )


def test_segments_are_shown_and_told(shell: Shell, spring: int) -> None:
    told = shell.ok("segments", "--json").document
    assert [(one["key"], one["size"], one["free"]) for one in told] == [("unsegmented", 40, 40)]
    shown = shell.ok("segments").out
    assert "Unsegmented" in shown
    assert "40" in shown
    assert "\x1b" not in shown  # no terminal, no colours


def test_a_published_rule_set_can_be_shown_and_published_again(shell: Shell, spring: int, rules: str) -> None:
    assert shell.ok("rules", "publish", rules, "--json").document["version"] == 1
    shown = shell.ok("rules", "show").document
    assert shown == shell.ok("rules", "show", "--json").document
    assert [one["key"] for one in shown["segments"]] == ["old"]


def test_a_dry_run_of_rules_says_who_would_move_where(shell: Shell, spring: int, rules: str) -> None:
    moves = shell.ok("rules", "publish", rules, "--dry-run", "--json").document["moves"]
    assert {move["segment"]: (move["before"], move["after"]) for move in moves} == {
        "old": (0, 10), "unsegmented": (40, 30),
    }  # fmt: skip


def test_a_call_from_the_terminal(shell: Shell, spring: int) -> None:
    """Next, again the same, the outcome, a second report of it, and the report of the hour."""
    card = shell.ok("next", "kari", "--json").document
    assert shell.ok("next", "Kari", "--json").document["lease_id"] == card["lease_id"]
    assert card["e164"] in shell.ok("next", "Kari").out
    first = shell.ok("outcome", card["lease_id"], "sale", "--talk-seconds", "90", "--json").document
    assert (first["kind"], first["state"]) == ("first", "closed")
    again = shell.ok("outcome", card["lease_id"], "no_sale", "--json").document
    assert again["kind"] == "again"
    told = shell.ok("report", "--json").document
    assert told["total"] == {"attempts": 1, "contacts": 1, "sales": 1}
    assert "together" in shell.ok("report").out


def test_nobody_may_be_rung_at_night(shell: Shell, spring: int) -> None:
    shell.ok("pause", "assignment", "Spring")
    assert shell.ok("next", "Kari", "--json").document is None
    assert "Nobody may be rung now" in shell.ok("next", "Kari").out


def test_why_is_this_customer_not_called(shell: Shell, spring: int) -> None:
    customer = any_external_id(shell.world)
    assert shell.ok("explain", customer, "--json").document["callable_now"] is True
    shell.ok("suppress", "--customer", customer)
    told = shell.ok("explain", customer, "--json").document
    assert [gate["gate"] for gate in told["answers"] if not gate["open"]] == ["suppressed"]
    assert "shut" in shell.ok("explain", customer).out
    lifted = shell.ok("suppress", "--customer", customer, "--lift", "--author", "Kari", "--json").document
    assert (lifted["lifted"], lifted["lifted_by"]) == (1, "Kari")


def test_a_pause_names_what_it_caught(shell: Shell, spring: int) -> None:
    lease = shell.ok("next", "Kari", "--json").document["lease_id"]
    caught = shell.ok("pause", "segment", "unsegmented", "--reason", "wrong script", "--json").document
    assert lease in caught["recalled"]
    assert "paused" in shell.ok("segments").out
    assert shell.ok("resume", "segment", "Unsegmented", "--json").document["lifted"] == 1
    assert "No pause" in shell.ok("resume", "segment", "Unsegmented").out


def test_an_import_makes_what_it_needs_and_tells_every_bad_row(shell: Shell, people: str) -> None:
    where = ["--create", "--crm", "Mine", "--assignment", "First", "--region", "PT"]
    told = shell.ok("import", people, *where, "--json").document
    assert (told["created"], told["rejected"], told["placed"]) == (1, 1, 1)
    assert "no number" in Path("people.csv.rejects.csv").read_text(encoding="utf-8")
    again = shell.ok("import", people, "--crm", "Mine", "--assignment", "First", "--json").document
    assert (again["created"], again["unchanged"]) == (0, 1)
    assert [one["size"] for one in shell.ok("segments", "--crm", "Mine", "--json").document] == [1]


@pytest.mark.parametrize(
    "deed",
    [
        ["next", "Kari"],
        ["pause", "crm"],
        ["pause", "segment", "unsegmented"],
        ["resume", "seller", "Kari"],
        ["suppress", "912345678"],
        ["suppress", "+351910000000", "--lift"],
        ["outcome", "LEASE", "do_not_call"],
        ["rules", "publish", "RULES"],
        ["people", "add", "seller", "Ana", "--assignment", "Spring"],
        ["people", "add", "dialer", "robot"],
        ["people", "add", "manager", "Eva"],
        ["people", "revoke", "KEY"],
        ["import", "PEOPLE", "--crm", "Ringende"],
        ["import", "PEOPLE", "--crm", "New one", "--region", "NO", "--create"],
    ],
    ids=" ".join,
)
def test_a_dry_run_changes_nothing_and_the_deed_does(
    shell: Shell, spring: int, rules: str, people: str, deed: list[str]
) -> None:
    """Plant the bug: commit in `trial.rolled_back`, or forget --dry-run in one of the commands."""
    world = shell.world
    world.customers(1, spring)
    lease = shell.ok("next", str(world.seller(spring)), "--json").document["lease_id"]
    shell.ok("pause", "seller", "Kari")
    if deed[0] == "next":
        shell.ok("resume", "seller", "Kari")
    shell.ok("suppress", "+351910000000")
    key = shell.ok("people", "add", "manager", "Per", "--json").document["key"]
    words = {"KEY": key, "LEASE": lease, "RULES": rules, "PEOPLE": people}
    deed = [words.get(word, word) for word in deed]
    before = shell.everything()
    assert "Dry run" in shell.ok(*deed, "--dry-run").out
    assert shell.everything() == before
    shell.ok(*deed)
    assert shell.everything() != before


def test_check_counts_broken_promises_and_says_so_with_its_exit_code(shell: Shell, spring: int) -> None:
    assert set(shell.ok("check", "--json").document.values()) == {0}
    shell.ok("next", "Kari")
    with shell.world.work() as work:
        work.run(text("delete from claim_number where crm_id = :crm_id"))
    said = shell.run("check", "--json")
    assert said.code == 3
    assert said.document["P1"] > 0
    assert "a live lease without its claims" in shell.run("check").out


def wrong(shell: Shell, *arguments: str) -> tuple[int, str]:
    """Exit code and message of a command that has to fail; nothing may stand on standard output."""
    said = shell.run(*arguments)
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.code, said.err


def test_errors_say_what_is_wrong_and_what_to_do(shell: Shell, spring: int, tmp_path: Path) -> None:
    code, message = wrong(shell, "pause", "segment", "unsegmentd")
    assert (code, "did you mean" in message) == (2, True)
    code, message = wrong(shell, "explain", "nobody")
    assert (code, "nobody" in message) == (1, True)
    code, message = wrong(shell, "import", "missing.csv")
    assert (code, "missing.csv" in message) == (2, True)
    code, message = wrong(shell, "outcome", "17", "sale")
    assert (code, "ringeliste next" in message) == (2, True)
    code, message = wrong(shell, "suppress")
    assert (code, "one of the two" in message) == (2, True)


def test_a_bad_rule_file_is_refused_with_every_problem(shell: Shell, spring: int, tmp_path: Path) -> None:
    body: dict[str, Any] = {
        "segments": [
            {"key": "a", "name": "A", "when": {"f": "aeg", "op": "ge", "v": 60}},
            {"key": "b", "name": "B", "when": {"f": "age", "op": "older", "v": 60}},
        ]
    }
    (tmp_path / "bad.json").write_text(json.dumps(body), encoding="utf-8")
    code, message = wrong(shell, "rules", "publish", str(tmp_path / "bad.json"))
    assert code == 2
    assert len(message.splitlines()) == 2
    assert "segments[0]" in message
    assert "segments[1]" in message


def test_with_several_to_choose_from_it_asks_which(shell: Shell, spring: int) -> None:
    shell.world.assignment("Autumn")
    code, message = wrong(shell, "segments")
    assert code == 2
    assert "--assignment" in message
    assert "Spring" in message
    assert shell.ok("segments", "--assignment", "spring", "--json").document[0]["size"] == 40


def test_a_dry_import_leaves_no_file_unless_one_is_named(shell: Shell, spring: int, people: str) -> None:
    """Planted and seen: the dry run's rejects in the working directory."""
    before = set(Path().iterdir())
    assert "--rejects FILE keeps them all" in shell.ok("import", people, "--dry-run").out
    assert set(Path().iterdir()) == before
    shell.ok("import", people, "--dry-run", "--rejects", "here.csv")
    assert "no number" in Path("here.csv").read_text(encoding="utf-8")


def test_one_is_one_and_two_are_two(shell: Shell, spring: int, people: str) -> None:
    said = shell.ok("import", people, "--dry-run").out
    assert said.startswith("Dry run, nothing is changed.\n2 rows in ")
    assert "\n1 row rejected; " in said
    shell.ok("suppress", "+351910000000")
    lift = ("suppress", "+351910000000", "--lift", "--author", "Kari")
    assert "1 entry lifted by Kari." in shell.ok(*lift).out
    shell.ok("pause", "crm")
    assert "1 pause lifted; work goes on." in shell.ok("resume", "crm").out


def test_nobody_is_said_to_move_customers_where_nobody_works(
    shell: Shell, spring: int, rules: str, people: str
) -> None:
    """Planted and seen: always the workers; any lock of anybody's taken for the scheduler's."""
    link = SessionLock(shell.world.app.engine, LINKS, 1)
    assert link.try_take()
    published = shell.ok("rules", "publish", rules).out
    assert "Nobody works yet; once `ringeliste up` runs" in published
    assert "Nobody works yet" in shell.ok("import", people).out
    link.release()
    lock = SessionLock(shell.world.app.engine, *SCHEDULER)
    assert lock.try_take()
    try:
        assert "The workers move the customers now" in shell.ok("rules", "publish", rules).out
        assert shell.ok("rules", "publish", rules, "--json").document["somebody_works"] is True
    finally:
        lock.release()
    assert shell.ok("rules", "publish", rules, "--json").document["somebody_works"] is False


def test_a_server_that_is_away_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/calls")
    said = run("segments")
    assert said.code == 1
    assert "the database is 127.0.0.1:1/calls" in said.err
    assert "hunter2" not in said.err


def test_nothing_runs_and_it_says_how_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RINGELISTE_DATA", str(tmp_path))
    said = run("segments")
    assert said.code == 1
    assert "ringeliste up" in said.err


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGELISTE_WEB_PROT", "1")
    said = run("segments")
    assert said.code == 2
    assert "RINGELISTE_WEB_PORT" in said.err


def test_debug_shows_where_it_came_from(shell: Shell, spring: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError) as caught:
        shell.run("--debug", "explain", "nobody")
    assert "nobody" in str(caught.value)
    monkeypatch.setenv("RINGELISTE_DEBUG", "1")
    with pytest.raises(AssertionError):
        shell.run("explain", "nobody")


def test_the_hour_of_a_report_is_business_time(shell: Shell, spring: int) -> None:
    lease = shell.ok("next", "Kari", "--json").document["lease_id"]
    shell.ok("outcome", lease, "busy")
    hours = shell.ok("report", "--json").document["hours"]
    assert [hour["begins"] for hour in hours] == [NOON.isoformat()]
