"""Limits by the API and the command line."""

from collections.abc import Iterator

import pytest
from shell import Shell
from web_client import Caller, api_of
from world import World

from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring

pytestmark = pytest.mark.once


@pytest.fixture
def kari(world: World) -> Iterator[Caller]:
    with api_of(world) as made:
        yield made.manager()


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


def test_a_manager_sets_a_limit_and_ends_it(kari: Caller, world: World) -> None:
    wish = {"most": 2, "days": 1, "reason": "complaints", "assignment_id": world.assignment()}
    made = kari.ok("POST", "/limits", 201, json=wish)
    assert (made["most"], made["days"], made["scope"], made["author"]) == (2, 1, "customer", "a manager")
    assert (made["followed"], made["ended_at"]) == (False, None)
    assert kari.ok("GET", "/limits")["items"] == [made]
    assert kari.ok("DELETE", f"/limits/{made['id']}") == {"ended": True}
    assert kari.ok("DELETE", f"/limits/{made['id']}") == {"ended": False}
    assert kari.ok("GET", "/limits")["items"] == []
    (ended,) = kari.ok("GET", "/limits?ended=true")["items"]
    assert ended["ended_by"] == "a manager"
    kari.refused(404, "DELETE", "/limits/9999")


def test_a_limit_that_makes_no_sense_is_refused_with_every_problem(kari: Caller) -> None:
    wrong = {"most": 1, "seconds": 60, "days": 2, "after": ["no_sales"], "scope": "number", "reason": "x"}
    told = {p["path"]: p["message"] for p in kari.refused(422, "POST", "/limits", json=wrong)["problems"]}
    assert told.keys() == {"window", "after[0]", "scope"}
    assert "did you mean no_sale?" in told["after[0]"]
    kari.refused(404, "POST", "/limits", json={"most": 1, "days": 1, "reason": "x", "assignment_id": 9999})


def test_the_law_is_read_and_an_assignment_is_about_debts(kari: Caller, world: World) -> None:
    rows = kari.ok("GET", "/limits/law")["items"]
    assert {"US-FL", "US-OK", "FR", "US"} <= {place for row in rows for place in row["places"]}
    assert all(row["source"] for row in rows)
    work = world.assignment()
    said = kari.ok("PUT", f"/assignments/{work}/debts", json={"about_debts": True})
    nothing: dict[str, list[str]] = {"recalled": [], "rung": [], "unknown": []}
    assert said == {"about_debts": True, "in_the_air": nothing}
    said = kari.ok("PUT", f"/assignments/{work}/debts", json={"about_debts": True})
    assert said == {"about_debts": True, "in_the_air": None}
    assert kari.ok("GET", f"/assignments/{work}")["about_debts"] is True
    kari.refused(404, "PUT", "/assignments/9999/debts", json={"about_debts": True})


def test_from_the_command_line(shell: Shell) -> None:
    world = shell.world
    work = world.assignment("Loans")
    before = shell.everything()
    said = shell.ok("limits", "set", "--most", "3", "--hours", "24", "--dry-run").out
    assert "3 rings to the customer within 24 hours" in said
    assert shell.everything() == before
    said = shell.ok("limits", "set", "--most", "1", "--days", "90", "--after", "no_sale", "--author", "Bo",
                    "--assignment", "loans", "--reason", "they said no").out  # fmt: skip
    assert "90 calendar days of rest after 1 x no_sale, in loans" in said
    listed = shell.ok("limits", "list").out
    assert "they said no" in listed
    assert "Décret 2022-1313" in listed
    document = shell.ok("limits", "list", "--json").document
    (one,) = document["own"]
    assert (one["assignment_id"], one["author"], one["after"]) == (work, "Bo", ["no_sale"])
    assert "is ended" in shell.ok("limits", "end", str(one["id"])).out
    assert "had ended already" in shell.ok("limits", "end", str(one["id"])).out
    assert "No limits of your own" in shell.ok("limits", "list").out
    assert "is about debts" in shell.ok("limits", "debts", "--assignment", "Loans").out
    assert "Assignments about debts: Loans." in shell.ok("limits", "list").out
    wrong = shell.run("limits", "set", "--most", "1", "--scope", "custmer")
    assert wrong.code == 2
    assert "did you mean customer?" in wrong.err
    assert "window" in wrong.err


@pytest.mark.parametrize("hours", ["nan", "inf", "-inf", "1e309", "1e30", "0.001", "-3"])
def test_hours_that_are_no_length_of_time_are_refused(shell: Shell, hours: str) -> None:
    """Seen to fail before: nan and 1e309 were told to be a bug of ours, and so was 1e30."""
    said = shell.run("limits", "set", "--most", "3", "--hours", hours)
    assert said.code == 2
    assert "hours" in said.err or "seconds" in said.err


@pytest.mark.parametrize(
    "said", [("followups", "grace", "--minutes"), ("retries", "set", "busy", "--minutes"),
             ("retries", "set", "busy", "--longest-hours")],
)  # fmt: skip
@pytest.mark.parametrize("length", ["1e309", "nan"])
def test_nor_are_such_a_grace_and_such_a_rest(shell: Shell, said: tuple[str, ...], length: str) -> None:
    shell.world.assignment()
    assert shell.run(*said, length).code == 2


def test_a_dry_run_says_whom_it_would_stop(shell: Shell) -> None:
    world = shell.world
    work = world.assignment(gap_seconds=0)
    world.customers(1, work)
    seller = world.seller(work)
    allocate_all(world.opener(), work)
    card = next_customer(world.opener(), seller)
    assert card is not None
    with world.work() as db:
        ring(db, card.lease_id, seller)
    said = shell.ok("limits", "set", "--most", "1", "--hours", "2", "--dry-run", "--json").document
    assert said == {
        "id": None, "in_words": "1 ring to the customer within 2 hours", "restamped": 1, "dry_run": True,
    }  # fmt: skip
