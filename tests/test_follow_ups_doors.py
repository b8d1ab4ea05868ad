"""Follow-ups through the API and on the command line."""

from collections.abc import Iterator

import pytest
from promises import HOUR, promises, row_of
from shell import Shell
from sqlalchemy import text
from web_client import Api, api_of
from world import NOON, World

from calling.handout.presence import be
from wiring.clock import set_clock

pytestmark = pytest.mark.once

LATE = {"wall_time": "2026-03-02T22:00", "note": "boat"}
OPENING = "2026-03-03T09:01:00Z"


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


def test_a_seller_promises_with_the_outcome_and_is_told_when_it_will_be(api: Api, world: World) -> None:
    work = world.assignment()
    world.customers(2, work)
    ana, bo = (api.seller(world.seller(work, name=name)) for name in ("Ana", "Bo"))
    card = ana.ok("POST", "/me/next")
    path = f"/leases/{card['lease_id']}/outcome"
    for body, why in (
        ({"outcome": "follow_up"}, "say when"),
        ({"outcome": "sale", "promise": LATE}, "say when"),
        ({"outcome": "follow_up", "promise": {"at": "2026-03-02T11:59:00Z"}}, "lies in the past"),
        ({"outcome": "follow_up", "promise": {"at": "2027-04-02T11:59:00Z"}}, "366 days"),
        ({"outcome": "follow_up", "promise": {"wall_time": "2026-02-30T10:00"}}, "no time on a wall"),
        ({"outcome": "follow_up", "promise": {**LATE, "zone": "Europe/Lisbo"}}, "Europe/Lisbon"),
    ):
        assert why in ana.refused(422, "POST", path, json=body)["detail"]
    told = ana.ok("POST", path, json={"outcome": "follow_up", "promise": LATE})
    assert (told["kind"], told["state"], told["promised"]["due_at"]) == ("first", "follow_up", OPENING)
    assert "next opening" in told["promised"]["told"]
    assert ana.ok("POST", path, json={"outcome": "follow_up", "promise": LATE})["promised"] is None
    (listed,) = ana.ok("GET", "/follow-ups")["items"]
    assert (listed["seller"], listed["standing"], listed["will_be"]) == ("Ana", "waits", OPENING)
    assert bo.ok("GET", "/follow-ups")["items"] == []
    key = listed["id"]
    bo.refused(404, "DELETE", f"/follow-ups/{key}")
    bo.refused(404, "PATCH", f"/follow-ups/{key}", json={"note": "mine"})
    ana.refused(422, "PATCH", f"/follow-ups/{key}", json={"seller_id": listed["seller_id"] + 1})
    moved = ana.ok("PATCH", f"/follow-ups/{key}", json={"at": "2026-03-02T14:00:00Z"})
    assert (moved["asked_at"], moved["note"], moved["id"] > key) == ("2026-03-02T14:00:00Z", "boat", True)
    given = ana.ok("PATCH", f"/follow-ups/{moved['id']}", json={"seller_id": None})
    assert (given["seller_id"], given["asked_at"]) == (None, "2026-03-02T14:00:00Z")
    ana.refused(409, "PATCH", f"/follow-ups/{key}", json={"note": "again"})


def test_a_manager_promises_lists_and_hands_over(api: Api, world: World) -> None:
    work = world.assignment()
    one, two, three = world.customers(3, work)
    ana, bo = world.seller(work, name="Ana"), world.seller(work, name="Bo")
    kari, seller = api.manager(), api.seller(bo)
    where = {"assignment_id": work, **LATE}
    for customer, owner in ((one, ana), (two, ana), (three, None)):
        body = {**where, "customer_id": customer, "seller_id": owner}
        assert kari.ok("POST", "/follow-ups", status=201, json=body)["due_at"] == OPENING
    seller.refused(404, "POST", "/follow-ups", json={**where, "customer_id": one})  # not on their screen
    card = seller.refused(422, "POST", "/follow-ups", json={**where, "customer_id": "one"})
    assert card["problems"]
    first = kari.ok("GET", "/follow-ups", params={"limit": 2})
    rest = kari.ok("GET", "/follow-ups", params={"limit": 2, "cursor": first["next"]})
    assert [x["customer_id"] for x in first["items"] + rest["items"]] == [one, two, three]
    assert rest["next"] is None
    assert len(kari.ok("GET", "/follow-ups", params={"seller_id": ana})["items"]) == 2
    assert kari.ok("GET", "/follow-ups", params={"which": "due"})["items"] == []
    kari.refused(422, "GET", "/follow-ups", params={"which": "late"})
    over = {"from_seller_id": ana, "to_seller_id": bo, "expected": 3}
    assert kari.refused(409, "POST", "/follow-ups/hand-over", json=over)["count"] == 2
    seller.refused(403, "POST", "/follow-ups/hand-over", json=over)
    assert kari.ok("POST", "/follow-ups/hand-over", json={**over, "expected": 2}) == {
        "handed": 2, "warning": None,
    }  # fmt: skip
    assert len(seller.ok("GET", "/follow-ups")["items"]) == 2
    (key, *_) = (x["id"] for x in seller.ok("GET", "/follow-ups")["items"])
    kari.ok("DELETE", f"/follow-ups/{key}", status=204)
    kari.refused(409, "DELETE", f"/follow-ups/{key}")
    kari.refused(404, "DELETE", "/follow-ups/999")
    (ended,) = kari.ok("GET", "/follow-ups", params={"which": "ended"})["items"]
    assert (ended["id"], ended["ended_by"], ended["will_be"]) == (key, "cancelled", None)
    assert row_of(world, one).state == "ready"


def test_a_promise_to_somebody_who_works_elsewhere_is_taken_and_told(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand, changed, handed over; not where they work, nor while they are at home.

    Planted: any assignment; nobody asked at the hand-over; each seen to fail.
    """
    spring, autumn = world.assignment("Spring", follow_up_grace_seconds=1800), world.assignment("Autumn")
    one, two = world.customers(2, spring)
    world.place([two], autumn)
    ana, bo = world.seller(spring, "Ana"), world.seller(autumn, "Bo")
    kari = api.manager()
    body = {"assignment_id": spring, "customer_id": one, "at": "2026-03-02T14:00:00Z"}
    told = "Bo works Autumn, not Spring: what is promised there waits for them to come; when the grace is "
    told += "over (30 minutes in which it could be rung), it is anybody's"
    assert kari.ok("POST", "/follow-ups", 201, json={**body, "seller_id": bo})["warning"] == told
    made = kari.ok("POST", "/follow-ups", 201, json={**body, "seller_id": ana})
    assert made["warning"] is None
    changed = kari.ok("PATCH", f"/follow-ups/{made['id']}", json={"seller_id": bo})
    assert changed["warning"] == told
    assert kari.ok("PATCH", f"/follow-ups/{changed['id']}", json={"seller_id": ana})["warning"] is None
    there = {"assignment_id": autumn, "customer_id": two, "seller_id": ana, "at": "2026-03-02T14:00:00Z"}
    kari.ok("POST", "/follow-ups", 201, json=there)
    over = {"from_seller_id": ana, "to_seller_id": bo, "expected": 2}
    assert kari.ok("POST", "/follow-ups/hand-over", json=over) == {"handed": 2, "warning": told}
    shell = Shell(world, monkeypatch)
    said = shell.ok("followups", "hand-over", "Bo", "--to", "Ana", "--yes", "--dry-run").out
    assert "Ana works Spring, not Autumn" in " ".join(said.split())
    with world.work() as work:
        be(work, bo, "away")
        name = work.run(text("select external_id from customer where id = :c"), c=one).scalar_one()
    assert kari.ok("POST", "/follow-ups", 201, json={**body, "seller_id": bo})["warning"] is None
    how = (name, "--assignment", "Autumn", "--at", "2026-03-03 10:00", "--seller", "Ana")
    assert shell.run("followups", "promise", *how).code != 0  # they are not there
    with world.work() as work:
        be(work, bo, "available", assignment_id=autumn)
    how = (name, "--assignment", "Spring", "--at", "2026-03-03 10:00", "--seller", "Bo")
    assert "Bo works Autumn" in " ".join(shell.ok("followups", "promise", *how).out.split())


def test_a_dialers_batch_promises_too(api: Api, world: World) -> None:
    work = world.assignment()
    world.customers(1, work)
    ana = api.seller(world.seller(work, name="Ana"))
    lease = ana.ok("POST", "/me/next")["lease_id"]
    report = {"lease_id": lease, "outcome": "follow_up", "by": "seller"}
    kari = api.manager()
    kari.refused(422, "POST", "/outcomes", json={"reports": [report]})
    (came,) = kari.ok("POST", "/outcomes", json={"reports": [{**report, "promise": LATE}]})["results"]
    assert came["promised"]["due_at"] == OPENING
    assert [row.made_by for row in promises(world)] == ["seller"]


def test_a_promised_card_says_so(api: Api, world: World) -> None:
    work = world.assignment()
    (customer,) = world.customers(1, work)
    ana = api.seller(world.seller(work, name="Ana"))
    body = {"assignment_id": work, "customer_id": customer, "at": "2026-03-02T13:00:00Z", "note": "boat"}
    api.manager().ok("POST", "/follow-ups", status=201, json=body)
    with world.app.shared() as session:
        set_clock(session, NOON + HOUR, 0)
    world.app.clock._read_at = float("-inf")
    card = ana.ok("POST", "/me/next")
    assert (card["promised_at"], card["promise_note"]) == ("2026-03-02T13:00:00Z", "boat")


def test_on_the_command_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(world, monkeypatch)
    work = world.assignment("Spring")
    world.customers(2, work)
    ana = world.seller(work, name="Ana")
    world.seller(work, name="Bo")
    with world.work() as session:
        names = list(session.run(text("select external_id from customer order by id")).scalars())
    ask = ("followups", "promise", names[0], "--at", "2026-03-02 22:00", "--seller", "Ana")
    before = shell.everything()
    assert "nothing is changed" in shell.ok(*ask, "--dry-run").out
    assert shell.everything() == before
    said = shell.ok(*ask).out
    assert "will be Tue 2026-03-03 09:01 UTC" in said
    assert "next opening" in said
    assert shell.run(*ask[:4], "soon").code == 2
    shell.ok("followups", "promise", names[1], "--at", "2026-03-02T14:00Z", "--seller", "Ana")
    listed = shell.ok("followups", "list", "--json").document
    assert [(x["external_id"], x["seller_id"]) for x in listed] == [(names[1], ana), (names[0], ana)]
    assert "Ana" in shell.ok("followups", "list", "--seller", "Ana").out
    assert "open, due, overdue, ended" in shell.run("followups", "list", "--which", "late").err
    refused = shell.run("followups", "hand-over", "Ana", "--to", "Bo", "--expect", "3")
    assert (refused.code, "2 open follow-ups instead of 3" in refused.err) == (1, True)
    assert "2 follow-ups of Ana" in shell.ok("followups", "hand-over", "Ana", "--to", "Bo", "--yes").out
    shell.ok("followups", "cancel", str(listed[0]["id"]))
    assert len(shell.ok("followups", "list", "--seller", "Bo", "--json").document) == 1
    lease = shell.ok("next", "Ana", "--json").document["lease_id"]
    assert shell.run("outcome", lease, "follow_up").code == 2
    told = shell.ok("outcome", lease, "follow_up", "--promised", "2026-03-02 22:00").out
    assert "The next call will be Tue 2026-03-03 09:01 UTC" in told
