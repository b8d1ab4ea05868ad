"""What causes come to, at every door: shown, said, taken back, by whom and why."""

from collections.abc import Iterator
from typing import Any

import pytest
from shell import Shell
from test_inbox import hear, results, sent
from web_client import Api, api_of
from world import NOON, World

from calling.dialers import inbox
from calling.dialers.inbox import Told
from calling.dialers.set_aside import unseen

pytestmark = pytest.mark.once

WHY = "the new trunk says so"


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


def aside(world: World) -> tuple[int, Any]:
    """A dialer of one order, whose end was told by a cause that nobody knows."""
    dialer, (lease,) = sent(world, 1)
    hear(world, dialer, Told("1", lease, "ended", NOON, {"cause": "trunk 9"}))
    return dialer, lease


def test_by_api(world: World, api: Api) -> None:
    dialer, lease = aside(world)
    kari, path = api.manager(), f"/dialers/{dialer}/causes"
    shown = kari.ok("GET", path)
    assert shown["version"] == 0
    (rejected,) = [one for one in shown["causes"] if one["cause"] == "hangup 21"]
    assert (rejected["outcome"], rejected["own"], rejected["evidence"]) == ("no_answer", False, "standard")
    wanted = {"causes": {"Trunk 9": "sale"}, "reason": WHY}
    assert kari.ok("PATCH", path, json=wanted, params={"base": 0}) == {"version": 1, "counted": 1}
    kari.refused(409, "PATCH", path, json=wanted, params={"base": 0})
    inbox.process_inbox(world.opener(), dialer)
    assert results(world) == {lease: ("sale", None)}
    whole = {"causes": {"trunk 8": "busy"}, "reason": "only these"}
    assert kari.ok("PUT", path, json=whole) == {"version": 2, "counted": 0}
    assert [one["cause"] for one in kari.ok("GET", path)["causes"] if one["own"]] == ["trunk 8"]
    last = kari.ok("GET", f"{path}/changes", params={"limit": 1})
    assert last["items"][0]["lines"] == ["trunk 8: the default -> busy", "trunk 9: sale -> the default"]
    (first,) = kari.ok("GET", f"{path}/changes", params={"cursor": last["next"]})["items"]
    assert (first["version"], first["author"], first["reason"]) == (1, "a manager", WHY)
    refused = kari.refused(422, "PATCH", path, json={"causes": {"x": "sael", "": "sale"}, "reason": " "})
    assert len(refused["problems"]) == 3
    assert "did you mean sale?" in refused["detail"]


def test_whose_it_is_not(world: World, api: Api) -> None:
    dialer = world.dialer()
    path, body = f"/dialers/{dialer}/causes", {"causes": {"x": "sale"}, "reason": WHY}
    for holder in (api.dialer(dialer), api.seller(world.seller())):
        holder.refused(403, "GET", path)
        holder.refused(403, "PATCH", path, json=body)
    stranger = api.manager(world.neighbour())
    stranger.refused(404, "GET", path)
    stranger.refused(404, "PATCH", path, json=body)
    stranger.refused(404, "GET", f"{path}/changes")


def test_by_the_command_line(world: World, shell: Shell) -> None:
    dialer, lease = aside(world)
    asked = ("causes", "set", "trunk 9", "sale", "--reason", WHY, "--author", "Kari")
    assert (
        "trunk 9 comes to sale, version 1; 1 that lay aside is counted" in shell.ok(*asked, "--dry-run").out
    )
    with world.work() as work:
        assert unseen(work).many == 1
    assert shell.ok(*asked, "--json").document == {
        "cause": "trunk 9", "outcome": "sale", "version": 1, "counted": 1, "dry_run": False,
    }  # fmt: skip
    inbox.process_inbox(world.opener(), dialer)
    assert results(world) == {lease: ("sale", None)}
    (own,) = shell.ok("causes", "show", "--own", "--json").document["causes"]
    assert (own["cause"], own["outcome"], own["shipped"]) == ("trunk 9", "sale", None)
    assert "ITU-T Q.850" in shell.ok("causes", "show").out
    shell.ok("causes", "set", "trunk 9", "--default", "--reason", "no more", "--base", "1")
    told = shell.ok("causes", "history").out
    assert "trunk 9: sale -> the default" in told
    assert "no more" in told
    assert [one["author"] for one in shell.ok("causes", "history", "--json").document][1:] == ["Kari"]
    for wrong in (["x"], ["x", "sale", "--default"], ["x", "sael", "--reason", "y"], ["x", "sale"]):
        assert shell.run("causes", "set", *wrong).code == 2
