"""Pauses beyond one CRM by the command line, and what managers see of them by the API."""

from collections.abc import Iterator

import pytest
from promises import live
from shell import Shell
from sqlalchemy import text
from test_scopes import sister
from test_shared_pauses import at_work
from web_client import Caller, api_of
from world import World

from calling.handout.hand_out import next_customer
from calling.walls.pause import pause

pytestmark = pytest.mark.once


@pytest.fixture
def kari(world: World) -> Iterator[Caller]:
    with api_of(world) as made:
        yield made.manager()


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


def test_the_machine_stops_an_owners_crms_and_lets_them_go_on(shell: Shell) -> None:
    """Planted: the first CRM taken, whoever is named; seen to fail."""
    world = shell.world
    other, third, twin = [sister(world, same_owner=False) for _ in range(3)]
    with world.app.shared() as session:
        moved = text("update crm set owner_id = :owner where id = :id")
        session.execute(moved, {"owner": other.owner_id, "id": twin.crm_id})
        named = text("select name from data_owner where id = :owner")
        name = session.execute(named, {"owner": other.owner_id}).scalar_one()
    worlds = (other, third, twin)
    scene = at_work(*worlds)
    for w, _, seller in scene:
        assert next_customer(w.opener(), seller)
    tried = shell.ok("pause", "owner", name, "--dry-run")
    assert "Dry run" in tried.out
    assert "2 taken back" in tried.out
    assert "A dry run looks at one CRM" in tried.out
    assert [len(live(w)) for w in worlds] == [2, 2, 2]
    told = shell.ok("pause", "owner", name, "--reason", "contract", "--author", "Per", "--json").document
    assert (len(told["recalled"]), told["elsewhere"]["crms"], told["elsewhere"]["recalled"]) == (2, 1, 2)
    assert [len(live(w)) for w in worlds] == [0, 2, 0]
    (row,) = shell.ok("pauses", "--crm", str(twin.crm_id), "--json").document["pauses"]
    assert (row["scope"], row["reason"], row["author"], row["state"]) == (
        "owner", "contract", "Per", "standing",
    )  # fmt: skip
    assert shell.ok("resume", "owner", name, "--author", "Ola", "--json").document["lifted"] == 1
    assert "Nothing is paused." in shell.ok("pauses", "--crm", str(twin.crm_id)).out
    listed = " ".join(shell.ok("pauses", "--all", "--crm", str(twin.crm_id)).out.split())
    assert "owner contract Per" in listed
    assert "by Ola" in listed


def test_the_machine_stops_everything(shell: Shell) -> None:
    world = shell.world
    scene = at_work(world, sister(world), sister(world, same_owner=False))
    said = shell.ok("pause", "everything", "--reason", "fire drill", "--minutes", "60").out
    assert "in 2 further CRMs" in said
    for w, _, seller in scene:
        assert next_customer(w.opener(), seller) is None
    assert "with everything, is paused" in shell.ok("segments", "--crm", str(world.crm_id)).out
    assert "1 pause lifted" in shell.ok("resume", "everything").out
    assert "No pause stood on it" in shell.ok("resume", "everything").out


def test_what_cannot_be_meant_is_told(shell: Shell) -> None:
    world = shell.world
    sister(world, same_owner=False)
    for words, wanted in (
        (["owner"], "say which data owner: Ringende AS, "),
        (["owner", "Ringend AS"], "did you mean Ringende AS?"),
        (["owner", "Ringende AS", "--crm", "1"], "goes beyond one CRM; leave out --crm"),
        (["everything", "Ringende"], "everything: takes no name"),
    ):
        said = shell.run("pause", *words)
        assert said.code == 2
        assert wanted in " ".join(said.err.split())


@pytest.mark.parametrize("scope", ["owner", "everything"])
def test_managers_see_what_stops_them_and_do_not_lift_it(world: World, kari: Caller, scope: str) -> None:
    """Planted: no look at the scope when one is lifted; seen to fail."""
    ((_, assignment, _),) = at_work(world)
    pause(world.opener(), scope, None, reason="fire", author="Per")
    (row,) = kari.ok("GET", "/pauses")["items"]
    assert (row["scope"], row["target"], row["reason"], row["author"]) == (scope, None, "fire", "Per")
    said = kari.refused(409, "DELETE", f"/pauses/{row['id']}")["detail"]
    assert f"`ringeliste resume {scope}` lifts it on the machine" in said
    kari.refused(422, "POST", "/pauses", json={"scope": scope, "reason": "x"})
    (segment,) = kari.ok("GET", f"/assignments/{assignment}/segments")["items"]
    assert (segment["paused"], segment["pause"]["scope"]) == (True, scope)


def test_the_pauses_that_are_over_are_told_with_who_lifted_them(world: World, kari: Caller) -> None:
    for reason in ("one", "two"):
        made = kari.ok("POST", "/pauses", 201, json={"scope": "crm", "reason": reason})
        kari.ok("DELETE", f"/pauses/{made['id']}")
    assert kari.ok("GET", "/pauses")["items"] == []
    first = kari.ok("GET", "/pauses?state=all&limit=1")
    rest = kari.ok("GET", f"/pauses?state=all&cursor={first['next']}")
    assert [row["reason"] for row in first["items"] + rest["items"]] == ["one", "two"]
    assert {(row["state"], row["lifted_by"]) for row in rest["items"]} == {("lifted", "a manager")}
