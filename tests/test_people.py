"""Who works here: somebody with a list of their own gets sellers, dialers, managers and keys that open."""

import re
from typing import Any

import pytest
from shell import Shell, run
from sqlalchemy import text
from test_markup import NASTY
from web_client import Api, Caller
from world import World

from calling import register


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A CRM with an assignment, Spring, and nobody to work it."""
    monkeypatch.setenv("COLUMNS", "200")
    world.customers(1, world.assignment("Spring"))
    return Shell(world, monkeypatch)


def holder(shell: Shell, key: str) -> tuple[str, int, int | None, int | None] | None:
    """Whose key it is: role, CRM, seller, dialer."""
    with shell.world.app.shared() as session:
        row = register.holder_of(session, key)
    return (row.role, row.crm_id, row.seller_id, row.dialer_id) if row else None


def added(shell: Shell, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = shell.ok("people", "add", *words, "--json").document
    return document


def test_a_key_opens_what_it_should(shell: Shell) -> None:
    crm = shell.world.crm_id
    seller = added(shell, "seller", "Ana", "--assignment", "Spring")
    assert holder(shell, seller["key"]) == ("seller", crm, seller["id"], None)
    dialer = added(shell, "dialer", "robot", "--mode", "voice_robot")
    assert holder(shell, dialer["key"]) == ("dialer", crm, None, dialer["id"])
    assert dialer["queue"] == f"{crm}.{dialer['id']}"
    manager = added(shell, "manager", "Eva")
    assert holder(shell, manager["key"]) == ("manager", crm, None, None)
    with shell.world.work() as work:
        made = work.run(text("select adapter, mode, assignment_id from dialer where crm_id = :crm_id")).one()
    assert (made.adapter, made.mode) == ("redis_queue", "voice_robot")
    assert made.assignment_id is not None


def test_a_new_seller_works(shell: Shell) -> None:
    """From the command line to a customer, over HTTP."""
    key = added(shell, "seller", "Ana", "--assignment", "Spring")["key"]
    ana = Caller(Api(shell.world), key)
    work = ana.ok("GET", "/me")["assignment_id"]
    ana.ok("PUT", "/me/presence", json={"presence": "available", "assignment_id": work})
    assert ana.ok("POST", "/me/next")["external_id"]


def test_a_key_is_shown_once_and_its_prefix_for_ever(shell: Shell) -> None:
    said = shell.ok("people", "add", "seller", NASTY).out
    (key,) = re.findall(r"^rl_\S+$", said, re.MULTILINE)
    assert holder(shell, key)
    listed = shell.ok("people", "list", "--json")
    (person,) = listed.document
    assert key.startswith(f"rl_{person['prefix']}_")
    assert (person["role"], person["name"], person["assignment"]) == ("seller", NASTY, None)
    assert key.split("_", 2)[2] not in listed.out
    shown = shell.ok("people", "list").out
    assert f"rl_{person['prefix']} " in shown
    assert all(NASTY in text for text in (said, shown))


def test_a_key_that_is_taken_away_opens_nothing(shell: Shell) -> None:
    """Planted and seen: the CRM left out of the statement, so that a neighbour's key was taken away."""
    key = added(shell, "manager", "Eva")["key"]
    neighbour, here = str(shell.world.neighbour().crm_id), str(shell.world.crm_id)
    prefix = key.split("_")[1]
    assert run("people", "revoke", prefix, "--crm", neighbour).code == 1
    assert holder(shell, key)
    first = shell.ok("people", "revoke", f"rl_{prefix}", "--crm", here, "--json").document
    assert holder(shell, key) is None
    again = shell.ok("people", "revoke", key, "--crm", here, "--json").document
    assert again["revoked_at"] == first["revoked_at"]
    assert "taken away" in shell.ok("people", "list", "--crm", here).out
    assert shell.ok("people", "list", "--crm", neighbour, "--json").document == []
    assert added(shell, "manager", "Eva", "--crm", here)["key"] != key


def test_a_lost_key_is_made_anew(shell: Shell) -> None:
    first = added(shell, "seller", "Ana")
    said = run("people", "add", "seller", "Ana")
    assert (said.code, "--another-key" in said.err) == (1, True)
    second = added(shell, "seller", "Ana", "--another-key")
    assert second["id"] == first["id"]
    assert holder(shell, first["key"]) == holder(shell, second["key"])
    assert len(shell.ok("people", "list", "--json").document) == 2
    assert run("people", "add", "seller", "Nobody", "--another-key").code == 1


@pytest.mark.parametrize("role", ["seller", "dialer", "manager"])
def test_a_dry_run_shows_no_key(shell: Shell, role: str) -> None:
    assert "rl_" not in shell.ok("people", "add", role, "Ana", "--dry-run").out
    assert "key" not in added(shell, role, "Ana", "--dry-run")
    assert shell.ok("people", "list", "--json").document == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["dialer", "robot", "--adapter", "redis_queu"], "did you mean redis_queue"),
        (["seller", "Ana", "--assignment", "Sprng"], "did you mean Spring"),
        (["seller", "  "], "is no name"),
        (["manager", "Eva", "--assignment", "Spring"], "has the whole CRM"),
    ],
)
def test_what_is_wrong_is_said(shell: Shell, words: list[str], says: str) -> None:
    said = run("people", "add", *words)
    assert (said.code, says in said.err) == (2, True), said.err
    assert shell.ok("people", "list", "--json").document == []


def test_without_a_seller_it_is_said_how_to_add_one(shell: Shell) -> None:
    said = run("next", "Ana")
    assert said.code == 2
    assert "ringeliste people add seller NAME" in said.err
