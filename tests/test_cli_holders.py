"""The command line about leases: who has whom, what is taken away, skips, calls of which nobody told."""

import pytest
from calls import take
from shell import Shell
from world import World

from calling.handout.skipping import skip

pytestmark = pytest.mark.once


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


@pytest.fixture
def ana(shell: Shell) -> int:
    """Ana, with whom six customers can be rung."""
    assignment = shell.world.assignment("Spring")
    shell.world.customers(6, assignment)
    return shell.world.seller(assignment, "Ana")


def refused(shell: Shell, *arguments: str) -> str:
    """What was wrong with the command."""
    said = shell.run(*arguments)
    assert said.code == 2, said.out
    return said.err


def test_who_has_whom_is_listed_and_taken_away(shell: Shell, ana: int) -> None:
    assert "Nobody has anybody" in shell.ok("holders").out
    card = take(shell.world, ana, rung=False)
    (row,) = shell.ok("holders", "--json").document
    assert (row["id"], row["holder"], row["state"]) == (str(card.lease_id), "Ana", "taken")
    assert len(shell.ok("holders", "--seller", "Ana", "--listed", "--json").document) == 2
    assert "Ana" in shell.ok("holders").out
    tried = shell.ok("release", row["id"], "--dry-run")
    assert "nothing is changed" in tried.out
    assert shell.ok("holders", "--json").document == [row]
    done = shell.ok("release", row["id"], "--reason", "a complaint", "--json").document
    assert done["released"]["back"] == [row["id"]]
    assert shell.ok("holders", "--json").document == []


def test_all_of_a_seller_is_taken_away_even_what_rings(shell: Shell, ana: int) -> None:
    card = take(shell.world, ana)
    kept = shell.ok("release", "--seller", "Ana", "--json").document["released"]
    assert kept["rung"] == [str(card.lease_id)]
    assert "--even-rung ends them" in shell.ok("release", "--seller", "Ana").out
    done = shell.ok("release", "--seller", "Ana", "--even-rung", "--reason", "dead browser", "--json")
    assert done.document["released"]["given_up"] == [str(card.lease_id)]
    (untold,) = shell.ok("unconfirmed", "--json").document
    assert (untold["id"], untold["ended_reason"]) == (str(card.lease_id), "dead browser")
    assert "dead browser" in shell.ok("unconfirmed").out
    shell.ok("outcome", str(card.lease_id), "sale")
    assert shell.ok("unconfirmed", "--json").document == []


def test_what_to_release_is_said_once_and_read_in_words(shell: Shell, ana: int) -> None:
    assert "name leases" in refused(shell, "release")
    assert "name leases" in refused(shell, "release", "x", "--seller", "Ana")
    assert "is no lease" in refused(shell, "release", "x")
    assert "Ana" in refused(shell, "release", "--seller", "Anna")


def test_skipped_cards_and_why(shell: Shell, ana: int) -> None:
    assert "Nobody was skipped" in shell.ok("skipped").out
    card = take(shell.world, ana, rung=False)
    with shell.world.work() as work:
        skip(work, card.lease_id, ana, "my neighbour")
    (row,) = shell.ok("skipped", "--json").document
    assert (row["holder"], row["ended_reason"]) == ("Ana", "my neighbour")
    assert "my neighbour" in shell.ok("skipped").out


def test_lease_times_are_shown_set_and_refused(shell: Shell, ana: int) -> None:
    assert "may take an hour" in shell.ok("lease-times").out
    tried = shell.ok("lease-times", "--wrap-up", "120", "--dry-run", "--json").document
    assert tried == {"wrap_up_seconds": 120, "skip_seconds": 600, "dry_run": True}
    assert shell.ok("lease-times", "--json").document["wrap_up_seconds"] is None
    shell.ok("lease-times", "--wrap-up", "120", "--skip", "0")
    assert shell.ok("lease-times", "--json").document["wrap_up_seconds"] == 120
    shell.ok("lease-times", "--wrap-up", "none")
    assert shell.ok("lease-times", "--json").document == {
        "wrap_up_seconds": None, "skip_seconds": 0, "dry_run": False,
    }  # fmt: skip
    assert "no number of seconds" in refused(shell, "lease-times", "--wrap-up", "soon")
    assert "skip_seconds" in refused(shell, "lease-times", "--skip", "-1")
