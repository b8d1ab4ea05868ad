"""Presence through the API and on the command line."""

from collections.abc import Iterator
from typing import Any

import pytest
from promises import HOUR, MINUTE, promise, promises, watch
from shell import Shell
from test_markup import NASTY
from web_client import Api, api_of
from world import NOON, World

from calling.follow_ups.listing import follow_ups
from calling.handout.absence import Absence
from calling.handout.presence import be
from calling.hours.floor import zone_of
from models.work import Work
from web.pages import line, promise_rows
from web.pages.snapshot import read

pytestmark = pytest.mark.once

MIDNIGHT = "2026-03-03T00:00:00Z"
LUNCH = {"presence": "away", "reason": "lunch", "back_at": "2026-03-02T12:30:00Z"}
ILL = {"presence": "away", "reason": "ill", "back_at": "today"}


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


def picked(answer: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(answer[name] for name in names)


def test_a_seller_goes_to_lunch_and_comes_back(api: Api, world: World) -> None:
    work = world.assignment()
    world.customers(5, work)
    ana, other_tab = (api.seller(seller) for seller in [world.seller(work, "Ana")] * 2)
    lease = ana.ok("POST", "/me/next")["lease_id"]
    gone = other_tab.ok("PUT", "/me/presence", json=LUNCH)
    assert picked(gone, "presence", "reason", "back_at", "off", "said_by", "assignment_id") == (
        "away", "lunch", LUNCH["back_at"], False, None, work,
    )  # fmt: skip
    assert picked(ana.ok("GET", "/me"), "presence", "reason", "back_at") == (
        "away", "lunch", LUNCH["back_at"],
    )  # fmt: skip
    refused = ana.refused(409, "POST", "/me/next")
    assert picked(refused, "reason", "said_by") == ("lunch", None)
    assert "lunch until 2026-03-02 12:30 UTC" in refused["detail"]
    ana.refused(409, "POST", f"/leases/{lease}/ring")
    there = ana.ok("PUT", "/me/presence", json={"presence": "available"})
    assert picked(there, "presence", "reason", "back_at", "assignment_id") == ("available", None, None, work)
    assert ana.ok("POST", "/me/next")["lease_id"] != lease


def test_a_manager_says_who_is_ill(api: Api, world: World) -> None:
    work = world.assignment("Spring")
    world.customers(5, work)
    ana_id, bo_id = world.seller(work, "Ana"), world.seller(work, "Bo")
    ana, kari = api.seller(ana_id), api.manager()
    ana.ok("POST", "/me/next")
    ill = kari.ok("PUT", f"/sellers/{ana_id}/presence", json=ILL)
    assert picked(ill, "id", "reason", "back_at", "off", "said_by") == (
        ana_id, "ill", MIDNIGHT, True, "a manager",
    )  # fmt: skip
    assert picked(ana.refused(409, "POST", "/me/next"), "reason", "said_by") == ("ill", "a manager")
    hers, his = kari.ok("GET", "/sellers")["items"]
    assert picked(hers, "name", "assignment", "presence", "off") == ("Ana", "Spring", "away", True)
    assert picked(his, "id", "presence", "off") == (bo_id, "available", False)
    seen = kari.ok("GET", f"/assignments/{work}/floor")["sellers"][0]
    assert picked(seen, "state", "reason", "back_at", "said_by", "off") == (
        "away", "ill", MIDNIGHT, "a manager", True,
    )  # fmt: skip
    kari.ok("PUT", f"/sellers/{ana_id}/presence", json={"presence": "available"})
    path = f"/sellers/{ana_id}/presence/changes"
    first = kari.ok("GET", path, params={"limit": 1})
    (last,) = first["items"]
    assert picked(last, "presence", "before_reason", "said_by") == ("available", "ill", "a manager")
    (older,) = kari.ok("GET", path, params={"limit": 1, "cursor": first["next"]})["items"]
    assert picked(older, "reason", "off", "before_presence", "id") == (
        "ill",
        True,
        "available",
        last["id"] - 1,
    )
    assert kari.ok("GET", f"/sellers/{bo_id}/presence/changes") == {"items": [], "next": None}


def test_what_is_wrong_is_named_and_strangers_are_nobodys(api: Api, world: World) -> None:
    ana, kari = world.seller(world.assignment()), api.manager()
    path = f"/sellers/{ana}/presence"
    problem = kari.refused(422, "PUT", path, json={"presence": "available", "reason": "luhcn"})
    assert {one["path"] for one in problem["problems"]} == {"reason", "presence"}
    assert "did you mean 'lunch'?" in problem["detail"]
    for back_at in ("2026-03-02T11:00:00Z", "2027-06-02T11:00:00Z"):
        assert "back_at" in kari.refused(422, "PUT", path, json={**ILL, "back_at": back_at})["detail"]
    assert kari.refused(422, "PUT", path, json={**ILL, "back_at": "tomorrow"})["problems"]
    stranger = world.neighbour().seller()
    kari.refused(404, "PUT", f"/sellers/{stranger}/presence", json=ILL)
    kari.refused(404, "GET", f"/sellers/{stranger}/presence/changes")
    assert [one["id"] for one in kari.ok("GET", "/sellers")["items"]] == [ana]


def test_on_the_command_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    world = shell.world
    work = world.assignment("Spring")
    world.seller(work, "Ana")
    kari = ("--author", "Kari")
    said = shell.ok("sellers", "away", "Ana", "--reason", "ill", "--today", "--dry-run", *kari).out
    assert "Dry run" in said
    assert "everybody's from its time on" in said
    assert shell.ok("sellers", "list", "--json").document[0]["presence"] == "available"
    gone = shell.ok(
        "sellers", "away", "ana", "--reason", "lunch", "--until", "12:30", "--json", *kari
    ).document
    assert picked(gone["seller"], "reason", "back_at", "off", "said_by") == (
        "lunch", "2026-03-02T12:30:00+00:00", False, "Kari",
    )  # fmt: skip
    assert "away: lunch until 12:30" in shell.ok("sellers", "list").out
    for until, back_at in (
        ("2026-03-09", "2026-03-09T00:00:00+00:00"), ("2026-07-06 10:00", "2026-07-06T09:00:00+00:00"),
        ("2026-03-09T10:00+02:00", "2026-03-09T08:00:00+00:00"),
    ):  # fmt: skip
        gone = shell.ok("sellers", "away", "Ana", "--reason", "holiday", "--until", until, "--json").document
        assert picked(gone["seller"], "back_at", "off") == (back_at, True)
    assert "Ana is back" in shell.ok("sellers", "back", "Ana").out
    history = shell.ok("sellers", "history", "Ana").out
    assert "lunch" in history
    assert "Kari" in history
    assert len(shell.ok("sellers", "history", "Ana", "--json").document) == 5


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("away", "Anna"), "did you mean Ana"),
        (("away", "Ana", "--reason", "sick"), "none of break, lunch"),
        (("away", "Ana", "--until", "soon"), "write 12:30"),
        (("away", "Ana", "--until", "11:00"), "lies in the past"),
        (("away", "Ana", "--until", "13:00", "--today"), "say one of them"),
        (("back", "Idle"), "say which assignment"),
    ],
)
def test_what_the_command_line_refuses(shell: Shell, words: tuple[str, ...], why: str) -> None:
    shell.world.seller(shell.world.assignment(), "Ana")
    shell.world.seller(None, "Idle", presence="away")
    before = shell.everything()
    said = shell.run("sellers", *words)
    assert (said.code, why in said.err) == (2, True), said.err
    assert shell.everything() == before


def test_what_others_wrote_is_shown_as_it_is(shell: Shell) -> None:
    """Markup in a name, and in who said it. Planted: printed as it came; seen to fail."""
    shell.world.seller(shell.world.assignment(), NASTY)
    shell.ok("sellers", "away", NASTY, "--reason", "ill", "--author", NASTY)
    shell.ok("sellers", "list")
    shell.ok("sellers", "history", NASTY)


def test_the_pages_say_why_and_whose(world: World) -> None:
    """On the line and on the Promised page, on the floor's clock."""
    work = world.assignment()
    (customer,) = world.customers(1, work)
    ana, rui = world.seller(work, "Ana"), world.seller(work, "Rui")
    world.seller(work, "Ute", presence="away")
    promise(world, work, customer, NOON + HOUR, seller=ana)
    with world.work() as db:
        be(db, rui, "away", said=Absence("lunch", NOON + 30 * MINUTE))
        be(db, ana, "away", said=Absence("ill", "today"), said_by="Kari")
    zone = zone_of("PT")

    def standing(db: Work) -> tuple[str, str]:
        (one,) = follow_ups(db, 0, 9)
        return promise_rows._whose(one, db.now, zone), promise_rows._standing(one, db.now, zone)[1]

    with world.work() as db:
        now = read(db, work, zone)
        assert [line._away(seller, now) for seller in now.floor.sellers] == [
            "ill today, says Kari", "lunch until 12:30", "",
        ]  # fmt: skip
        assert standing(db) == ("Ana is ill today", "everybody's then")
    later = NOON + HOUR
    with world.work(later) as db:
        assert standing(db) == ("Ana is ill today", "everybody's in a moment")
    watch(world, later)
    assert promises(world)[0].anybodys_at == later
    with world.work(later) as db:
        assert standing(db) == ("Ana is ill today", "whoever is free")
