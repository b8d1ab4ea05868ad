"""An assignment's own gap and attempts, and the CRM's own hours, by the API and the command line."""

from collections.abc import Iterator

import pytest
from calls import take
from shell import Shell
from web_client import Caller, api_of
from world import NOON, OFFICE_HOURS, World

from calling import register
from wiring.clock import set_clock

pytestmark = pytest.mark.once

SATURDAYS = OFFICE_HOURS | {"sat": [["10:00", "14:00"]], "sun": []}


@pytest.fixture
def kari(world: World) -> Iterator[Caller]:
    with api_of(world) as made:
        yield made.manager()


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    with world.app.shared() as session:
        set_clock(session, NOON, 0)
    return Shell(world, monkeypatch)


def test_a_manager_changes_gap_and_attempts_and_reads_who_did(kari: Caller, world: World) -> None:
    one, two = world.assignment("Loans", gap_seconds=3600), world.assignment("Cards")
    said = kari.ok("PUT", f"/assignments/{one}/gap", json={"seconds": 60, "reason": "complaints"})
    assert said == {"before": 3600, "after": 60, "changed": True}
    said = kari.ok("PUT", f"/assignments/{one}/gap", json={"seconds": 60, "reason": "again"})
    assert said == {"before": 60, "after": 60, "changed": False}
    said = kari.ok("PUT", f"/assignments/{two}/max-attempts", json={"most": 3, "reason": "enough"})
    assert said == {"before": 8, "after": 3, "changed": True}
    shown = kari.ok("GET", f"/assignments/{one}")
    assert (shown["gap_seconds"], shown["max_attempts"]) == (60, 8)
    page = kari.ok("GET", "/limits/changes?limit=1")
    assert [(row["deed"], row["author"], row["followed"]) for row in page["items"]] == [
        ("attempts", "a manager", False)
    ]
    (last,) = kari.ok("GET", f"/limits/changes?limit=1&cursor={page['next']}")["items"]
    assert (last["assignment"], last["before"], last["after"], last["reason"]) == (
        "Loans",
        3600,
        60,
        "complaints",
    )
    assert kari.ok("GET", f"/limits/changes?assignment_id={one}") == {"items": [last], "next": None}


def test_what_makes_no_sense_is_refused(kari: Caller, world: World) -> None:
    one = world.assignment()
    for path, body in (
        ("gap", {"seconds": -1, "reason": "x"}), ("gap", {"seconds": 10**9, "reason": "x"}),
        ("gap", {"seconds": 60}), ("gap", {"seconds": 60, "reason": " "}),
        ("max-attempts", {"most": 0, "reason": "x"}), ("max-attempts", {"most": 256, "reason": "x"}),
    ):  # fmt: skip
        kari.refused(422, "PUT", f"/assignments/{one}/{path}", json=body)
    kari.refused(404, "PUT", "/assignments/9999/gap", json={"seconds": 60, "reason": "x"})
    kari.refused(404, "PUT", "/assignments/9999/max-attempts", json={"most": 3, "reason": "x"})
    nonsense: list[dict[str, list[list[str]]]] = [{"monday": []}, {}, {"mon": [["09:00", "08:00"]]}]
    for wrong in nonsense:
        kari.refused(422, "PUT", "/own-hours", json={"week": wrong, "reason": "x"})
    told = kari.refused(
        422, "PUT", "/own-hours", json={"week": SATURDAYS, "reason": "x", "manager": "Nobody"}
    )
    assert "manager" in told["detail"]
    assert kari.ok("GET", "/own-hours/changes")["items"] == []


def test_a_manager_changes_the_own_hours(kari: Caller, world: World) -> None:
    assignment = world.assignment()
    world.customers(2, assignment)
    assert kari.ok("GET", "/own-hours") == {
        "hours": "mon-fri 09:00-20:00; sat-sun never", "week": OFFICE_HOURS,
    }  # fmt: skip
    said = kari.ok("PUT", "/own-hours", json={"week": SATURDAYS, "reason": "Saturdays"})
    assert (said["opens"], said["shuts"], said["changed"]) == (True, False, True)
    card = take(world, world.seller(assignment), rung=False)
    shorter = SATURDAYS | {"mon": [["18:00", "20:00"]]}
    said = kari.ok("PUT", "/own-hours", json={"week": shorter, "reason": "Mondays are quiet"})
    assert str(card.lease_id) in said["in_the_air"]["recalled"]
    page = kari.ok("GET", "/own-hours/changes?limit=1")
    assert [(row["reason"], row["manager"]) for row in page["items"]] == [("Mondays are quiet", None)]
    (first,) = kari.ok("GET", f"/own-hours/changes?limit=1&cursor={page['next']}")["items"]
    assert (first["before"], first["after"]) == (OFFICE_HOURS, SATURDAYS)
    assert (first["manager"], first["author"]) == ("a manager", "a manager")
    assert kari.ok("GET", "/own-hours")["week"] == shorter


def test_gap_and_attempts_from_the_command_line(shell: Shell) -> None:
    world = shell.world
    work = world.assignment("Loans", gap_seconds=0)
    world.customers(1, work)
    take(world, world.seller(work))
    before = shell.everything()
    said = shell.ok("limits", "gap", "90", "--reason", "complaints", "--dry-run").out
    assert "90 minutes between two rings, no gap between two rings before" in said
    assert "1 places in assignments would get another stamp" in said
    assert shell.everything() == before
    said = shell.ok(
        "limits", "gap", "90", "--assignment", "Loans", "--reason", "complaints", "--author", "Bo"
    ).out
    assert "Every ring obeys it now" in said
    assert "as before" in shell.ok("limits", "gap", "90", "--reason", "again").out
    document = shell.ok("limits", "attempts", "1", "--reason", "enough", "--json").document
    assert document == {
        "assignment_id": work, "before": 8, "after": 1, "changed": True, "restamped": None, "dry_run": False,
    }  # fmt: skip
    listed = shell.ok("limits", "changes").out
    assert "at most 1 attempt " in listed
    assert "complaints" in listed
    assert [row["author"] for row in shell.ok("limits", "changes", "--json").document][1] == "Bo"
    assert shell.run("limits", "gap", "-1", "--reason", "x").code == 2
    assert shell.run("limits", "attempts", "0", "--reason", "x").code == 2
    assert shell.run("limits", "gap", "1", "--reason", " ").code == 2
    assert shell.run("limits", "gap", "1", "--assignment", "Laons", "--reason", "x").code != 0


def test_own_hours_from_the_command_line(shell: Shell) -> None:
    world = shell.world
    world.assignment()
    with world.app.shared() as session:
        register.add_key(session, world.crm_id, "manager", "Kari", now=NOON)
    assert "Nobody has changed them" in shell.ok("hours", "base").out
    opening = ("hours", "base", "--week", "mon-fri 09:00-20:00; sat 10:00-14:00", "--reason", "Saturdays")
    refused = shell.run(*opening)
    assert (refused.code, "manager" in refused.err) == (2, True)
    before = shell.everything()
    assert "nothing is changed" in shell.ok(*opening, "--manager", "Kari", "--dry-run").out
    assert shell.everything() == before
    said = shell.ok(*opening, "--manager", "Kari", "--author", "Bo").out
    assert "sat 10:00-14:00" in said
    assert "as before" in shell.ok(*opening).out
    shown = shell.ok("hours", "base").out
    assert "Kari, entered by Bo" in shown
    assert shell.ok("hours", "base", "--json").document["own"].endswith("sat 10:00-14:00; sun never")
    for wrong in (("--manager", "Kari"), ("--reason", "x"), ("--week", "mon 9-10", "--reason", "x"),
                  ("--week", "mon 10:00-12:00")):  # fmt: skip
        assert shell.run("hours", "base", *wrong).code == 2, wrong
