"""Registers and the do-not-call list by the command line and the API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.registry import CollectorRegistry
from register_scene import ES, PT, known, load, numbers_of, rows
from shell import Shell
from sqlalchemy import create_engine, text
from test_scopes import one_number, sister
from web_client import Caller, api_of
from world import NOON, World

from calling.handout.hand_out import next_customer
from calling.registers.using import use
from calling.views import do_not_call
from wiring.gauges import DatabaseGauges

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def _portugal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with known(monkeypatch, PT, ES):
        yield


@pytest.fixture
def kari(world: World) -> Iterator[Caller]:
    with api_of(world) as made:
        yield made.manager()


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


def test_a_register_is_tried_loaded_and_used_from_the_command_line(shell: Shell, tmp_path: Path) -> None:
    world = shell.world
    assignment = world.assignment("Spring")
    world.customers(2, assignment)
    named, _ = numbers_of(world)
    file = tmp_path / "march.txt"
    file.write_text(f"{named}\n{named}\nnobody\n912345678\n", encoding="utf-8")
    before = shell.everything()
    how = ("registers", "load", "pt-test", str(file), "--dated", "2026-03-02")
    assert "Dry run" in shell.ok(*how, "--dry-run").out
    assert shell.everything() == before
    told = shell.ok(*how, "--author", "Kari", "--json").document["loaded"]
    assert (told["lines"], told["bad_lines"], told["added"], told["numbers"]) == (4, 1, 2, 2)
    assert told["bad"][0]["line"] == 3
    assert "is obeyed" in shell.ok("registers", "use", "PT-TEST", "--dry-run").out
    assert rows(world, "select 1 from crm_register") == []
    shell.ok("registers", "use", "PT-TEST", "--author", "Kari")
    (row,) = rows(world, "select gated_by from placement where gated_by is not null")
    assert row.gated_by == "register"
    found = {one["name"]: one for one in shell.ok("registers", "list", "--json").document}
    assert (found["PT-TEST"]["age"], found["PT-TEST"]["used_by"], found["PT-TEST"]["stamped"]) == (
        "fresh", "Kari", True,
    )  # fmt: skip
    assert found["ES-TEST"]["age"] == "never loaded"
    assert "march.txt" in shell.ok("registers", "versions", "PT-TEST").out
    exempted = (
        "registers",
        "exempt",
        "PT-TEST",
        "--assignment",
        "Spring",
        "--reason",
        "asked us",
        "--manager",
        "Bo",
        "--author",
        "Per",
    )
    key = shell.ok(*exempted, "--json").document["exemption_id"]
    listed = " ".join(shell.ok("registers", "exemptions").out.split())
    assert "asked us" in listed
    assert [row["author"] for row in shell.ok("registers", "exemptions", "--json").document] == ["Per"]
    assert rows(world, "select 1 from placement where gated_by is not null") == []
    shell.ok("registers", "end-exemption", str(key))
    assert len(rows(world, "select 1 from placement where gated_by is not null")) == 1
    shell.ok("registers", "leave", "PT-TEST")
    assert rows(world, "select 1 from placement where gated_by is not null") == []
    assert shell.run(*how[:-1], "2026-13-02").code == 2
    assert "older than" in shell.run(*how[:-1], "2026-03-01").err


def test_what_grows_old_is_told_by_the_list_the_report_and_the_metrics(shell: Shell) -> None:
    world = shell.world
    world.assignment()
    load(world, ["+351912345678"], (NOON.date()).replace(day=1, month=2), row=PT)
    use(world.opener(), "PT-TEST", author="Kari")
    use(world.opener(), "ES-TEST", author="Kari")
    said = shell.ok("registers", "list").out
    assert "PT-TEST is of 2026-02-01 and may be called by until 2026-03-03" in said
    assert "ES-TEST was never loaded: nobody in ES is called" in said
    row = next(line for line in said.splitlines() if line.startswith("PT-TEST"))
    assert "1 of 30  refuse" in row
    assert "PT-TEST (Lista): a test" in said
    found = {one["name"]: one for one in shell.ok("registers", "list", "--json").document}
    assert [found[name]["days_left"] for name in ("PT-TEST", "ES-TEST")] == [1, None]
    assert len(shell.ok("report", "--json").document["registers"]) == 2
    registry = CollectorRegistry()
    registry.register(DatabaseGauges(world.app))
    left = [
        registry.get_sample_value(
            "ringeliste_register_days_left", {"crm": str(world.crm_id), "register": f"{name}-TEST"}
        )
        for name in ("PT", "ES")
    ]
    assert left == [1, -1]


def test_who_obeys_what_was_never_loaded_is_told_that_nobody_is_called(shell: Shell, kari: Caller) -> None:
    """Planted: an answer without it; seen to fail."""
    world = shell.world
    assignment = world.assignment()
    world.customers(1, assignment)
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed
    said = "PT-TEST was never loaded: nobody in PT is called until a newer version is loaded"
    tried = shell.ok("registers", "use", "PT-TEST", "--dry-run")
    assert said in tried.out
    assert "1 taken back unrung" in tried.out
    answer = kari.ok("PUT", "/registers/PT-TEST/use")
    assert (answer["warning"], answer["recalled"]) == (said, [str(handed.lease_id)])


def test_a_list_of_ones_own_is_imported_once(shell: Shell, tmp_path: Path) -> None:
    """Planted: what stands there not asked; seen to fail."""
    world = shell.world
    other = sister(world)
    number, (ours, theirs) = one_number(world, other)
    file = tmp_path / "ours.csv"
    file.write_text(f"name,phone\nA,{number}\nB,912 345 679\nC,\nD,{number}\n", encoding="utf-8")
    how = ("dnc", "import", str(file), "--column", "phone", "--scope", "owner", "--reason", "list of 2025")
    crm = ("--crm", str(world.crm_id))
    before = shell.everything()
    assert "Dry run" in shell.ok(*how, *crm, "--dry-run").out
    assert shell.everything() == before
    told = shell.ok(*how, *crm, "--author", "Bo", "--json").document["listed"]
    assert (told["lines"], told["numbers"], told["added"]) == (4, 3, 2)
    assert shell.ok(*how, *crm, "--json").document["listed"]["added"] == 0
    sellers = world.seller(ours), other.seller(theirs)
    for w, seller in zip((world, other), sellers, strict=True):
        assert next_customer(w.opener(), seller) is None
        assert len(rows(w, "select 1 from suppression where walled_at is not null")) == 2
    found = shell.ok("dnc", "list", *crm, "--number", "912 345 679", "--author", "Bo", "--json").document
    assert [(one["e164"], one["scope"], one["state"]) for one in found["entries"]] == [
        ("+351912345679", "owner", "standing")
    ]
    first = shell.ok("dnc", "list", *crm, "--limit", "1", "--json").document
    assert len(first["entries"]) == 1
    rest = shell.ok("dnc", "list", *crm, "--after", str(first["next"]), "--json").document
    assert (len(rest["entries"]), rest["next"]) == (1, None)
    assert "It still stands for owner" in shell.ok("suppress", number, *crm, "--lift").out
    assert shell.ok("suppress", number, *crm, "--lift", "--scope", "owner", "--json").document["lifted"] == 1
    assert next_customer(other.opener(), sellers[1]) is not None  # who waits
    said = shell.ok("dnc", "outcomes", "owner", "--author", "Kari", *crm).out
    assert "all CRMs of the data owner" in said
    assert "Kari: crm -> owner" in said  # who changed it is kept
    assert "Bo:" not in shell.ok("dnc", "outcomes", "owner", "--author", "Bo", *crm).out  # nothing changed


def test_a_manager_shares_a_number_and_is_told_of_other_crms_by_counts_alone(
    kari: Caller, world: World
) -> None:
    other = sister(world)
    number, (_, theirs) = one_number(world, other)
    handed = next_customer(other.opener(), other.seller(theirs))
    assert handed is not None
    answer = kari.ask("POST", "/suppressions", json={"number": number, "scope": "owner", "reason": "asked"})
    done = answer.json()
    assert done["elsewhere"] == {"crms": 1, "recalled": 1, "rung": 0, "unknown": 0, "until": None}
    assert str(handed.lease_id) not in answer.text
    (entry,) = kari.ok("GET", f"/suppressions?number={number.replace('+', '%2B')}&scope=owner")["items"]
    assert (entry["state"], entry["scope"]) == ("standing", "owner")
    assert kari.ok("GET", "/suppressions?author=nobody")["items"] == []
    kari.refused(422, "POST", "/suppressions", json={"number": number, "scope": "everyone", "reason": "x"})
    assert kari.ok("DELETE", f"/suppressions/{done['id']}") == {"lifted": 1, "still_standing": []}
    assert kari.ok("GET", "/suppressions?state=lifted")["items"][0]["lifted_by"] == "a manager"
    reach = f"/suppressions/reach/{theirs}"
    kari.refused(404, "PUT", reach, json={"scope": "owner"})


def test_what_stands_for_everyone_is_lifted_on_the_machine_alone(kari: Caller, world: World) -> None:
    from calling.walls.suppress import suppress

    suppress(world.opener(), e164="+351912345678", reason="r", author="root", scope="everyone")
    (entry,) = kari.ok("GET", "/suppressions")["items"]
    kari.refused(409, "DELETE", f"/suppressions/{entry['id']}")
    assert len(kari.ok("GET", "/suppressions")["items"]) == 1


def test_registers_through_the_api(kari: Caller, world: World) -> None:
    assignment = world.assignment()
    world.customers(1, assignment)
    load(world, numbers_of(world))
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed is not None
    assert kari.ok("PUT", "/registers/pt-test/use")["recalled"] == [str(handed.lease_id)]
    found = {one["name"]: one for one in kari.ok("GET", "/registers")["items"]}
    assert (found["PT-TEST"]["walled"], found["PT-TEST"]["age"], found["PT-TEST"]["used_by"]) == (
        True, "fresh", "a manager",
    )  # fmt: skip
    (version,) = kari.ok("GET", "/registers/PT-TEST/versions")["items"]
    assert (version["numbers"], version["in_force"], version["author"]) == (1, True, "Kari")
    wish = {"assignment_id": assignment, "reason": "asked us", "manager": "a manager"}
    given = kari.ok("POST", "/registers/PT-TEST/exemptions", 201, json=wish)
    (exemption,) = kari.ok("GET", "/registers/exemptions")["items"]
    assert [exemption[name] for name in ("id", "register", "manager", "author")] == [
        given["id"], "PT-TEST", "a manager", "a manager",
    ]  # fmt: skip
    kari.refused(422, "POST", "/registers/PT-TEST/exemptions", json={**wish, "manager": "Kari Nord"})
    kari.ok("DELETE", f"/registers/exemptions/{given['id']}")
    kari.refused(409, "DELETE", f"/registers/exemptions/{given['id']}")
    assert kari.ok("GET", "/registers/exemptions?ended=true")["items"][0]["ended_by"] == "a manager"
    kari.refused(422, "POST", "/registers/PT-TEST/exemptions", json={"reason": "x", "manager": "x"})
    kari.refused(404, "PUT", "/registers/moon/use")
    kari.ok("DELETE", "/registers/PT-TEST/use", 204)
    kari.refused(409, "DELETE", "/registers/PT-TEST/use")
    assert kari.ok("GET", "/registers/uses")["items"][0]["ended_by"] == "a manager"


def test_a_seller_stops_calls_of_their_own_crm_and_no_others(world: World) -> None:
    """What an owner shares goes to every CRM of theirs. Planted: any key of the floor; seen to fail."""
    other = sister(world)
    number, (ours, theirs) = one_number(world, other)
    asked = {"number": number, "scope": "owner", "reason": "asked"}
    with api_of(world) as api:
        ana = api.seller(world.seller(ours, "Ana"))
        refused = ana.refused(403, "POST", "/suppressions", json=asked)
        assert "scope: crm" in refused["detail"]
        assert rows(world, "select 1 from suppression") == []
        ana.ok("POST", "/suppressions", 201, json={**asked, "scope": "crm"})
        assert next_customer(world.opener(), world.seller(ours)) is None
        assert next_customer(other.opener(), other.seller(theirs)) is not None
        api.manager().ok("POST", "/suppressions", 201, json=asked)
        assert len(rows(other, "select 1 from suppression")) == 1


def test_how_far_outcomes_reach_can_be_read_with_who_changed_it(shell: Shell, kari: Caller) -> None:
    """Planted: the changes left out; seen to fail."""
    spring = shell.world.assignment("Spring")
    before = shell.everything()
    told = shell.ok("dnc", "outcomes", "--json").document
    assert (told["scope"], told["changes"], told["changed"]) == ("crm", [], False)
    assert shell.everything() == before
    path = f"/suppressions/reach/{spring}"
    assert kari.ok("GET", path) == {"scope": "crm", "changes": []}
    kari.ok("PUT", path, json={"scope": "owner"})
    now = kari.ok("GET", path)
    assert now["scope"] == "owner"
    assert [(one["before"], one["after"], one["author"]) for one in now["changes"]] == [
        ("crm", "owner", "a manager")
    ]
    assert kari.ok("GET", f"/assignments/{spring}")["do_not_call_scope"] == "owner"
    said = shell.ok("dnc", "outcomes", "--assignment", "Spring").out
    assert "all CRMs of the data owner" in said
    assert "a manager: crm -> owner" in said
    kari.refused(404, "GET", "/suppressions/reach/999")


@pytest.mark.parametrize("state", do_not_call.STATES)
def test_the_entries_of_a_number_are_found_by_an_index(world: World, state: str) -> None:
    """In whatever state: 0.3 s at a million before. Planted: the state behind a `case`; seen to fail."""
    made = """insert into suppression (crm_id, e164, reason, author, created_at, lifted_at, lifted_by)
              select :crm_id, '+3519' || lpad(n::text, 8, '0'), 'x', 'Kari', :now,
                     case when n % 100 = 0 then cast(:now as timestamptz) end,
                     case when n % 100 = 0 then 'Bo' end
                from generate_series(1, 20000) n"""
    asked: dict[str, Any] = {"after": 0, "most": 51, "e164": "+351900000500"}
    with world.work() as work:
        work.run(text(made))
        found = do_not_call.entries(work, 0, 51, state=state, e164=asked["e164"])
        assert [row.state for row in found] == (["lifted"] if state in ("lifted", "all") else [])
    analyze(world)
    with world.work() as work:
        statement = do_not_call._statement(state, ("e164",))
        (plan,) = work.run(text(f"explain (analyze, format json) {statement.text}"), **asked).scalars()
    assert read(plan[0]["Plan"]) <= 200  # of lifted ones, all; of others, those of the number


def read(plan: dict[str, Any]) -> int:
    """The rows that a plan reads from the table."""
    own = (
        plan["Actual Rows"]
        + plan.get("Rows Removed by Filter", 0)
        + plan.get("Rows Removed by Index Recheck", 0)
    )
    return int(own if "Relation Name" in plan else 0) + sum(read(part) for part in plan.get("Plans", []))


def analyze(world: World) -> None:
    engine = create_engine(world.app.settings.database_owner_url)
    with engine.begin() as connection:
        connection.execute(text("analyze suppression"))
    engine.dispose()
