"""Hot leads through the API and on the command line."""

from collections.abc import Iterator
from typing import Any

import pytest
from shell import Shell
from sqlalchemy import text
from web_client import Api, api_of
from world import World

from calling.views.explain import explain

pytestmark = pytest.mark.once


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


def test_a_web_form_makes_one_and_a_seller_is_given_them_with_the_reason(api: Api, world: World) -> None:
    work = world.assignment()
    *_, lead = world.customers(20, work)
    kari, ana = api.manager(), api.seller(world.seller(work, name="Ana"))
    body = {"assignment_id": work, "customer_ids": [lead], "reason": "asked on the web"}

    told = kari.ok("POST", "/hot-leads", json=body)

    assert told["hot"] == 1
    (made,) = told["customers"]
    assert (made["became"], made["gate"]) == ("front", None)
    assert kari.ok("POST", "/hot-leads", json=body)["customers"][0]["hot_lead_id"] == made["hot_lead_id"]
    card = ana.ok("POST", "/me/next")
    assert (card["customer_id"], card["hot_reason"]) == (lead, "asked on the web")
    (listed,) = kari.ok("GET", "/hot-leads")["items"]
    assert (listed["holder"], listed["state"], listed["waited_seconds"]) == ("Ana", "leased", 0)
    assert kari.ok("POST", "/hot-leads", json=body)["customers"][0]["holder"] == "Ana"
    assert kari.ok("GET", "/hot-leads", params={"which": "ended"})["items"] == []
    kari.ok("DELETE", f"/hot-leads/{made['hot_lead_id']}", status=204)
    kari.refused(409, "DELETE", f"/hot-leads/{made['hot_lead_id']}")
    kari.refused(404, "DELETE", "/hot-leads/999")
    (ended,) = kari.ok("GET", "/hot-leads", params={"which": "ended"})["items"]
    assert ended["ended_by"] == "cooled"


def test_what_is_wrong_is_refused(api: Api, world: World) -> None:
    work = world.assignment()
    (one,) = world.customers(1, work)
    kari, ana = api.manager(), api.seller(world.seller(work))
    body = {"assignment_id": work, "customer_ids": [one], "reason": "asked"}
    ana.refused(403, "POST", "/hot-leads", json=body)
    kari.refused(404, "POST", "/hot-leads", json={**body, "assignment_id": 999})
    wrongs: tuple[dict[str, Any], ...] = (
        {"reason": " "},
        {"customer_ids": []},
        {"customer_ids": list(range(1, 202))},
        {"why": "x"},
    )
    for wrong in wrongs:
        kari.refused(422, "POST", "/hot-leads", json={**body, **wrong})


def test_pages_of_them(api: Api, world: World) -> None:
    work = world.assignment()
    customers = world.customers(3, work)
    kari = api.manager()
    kari.ok("POST", "/hot-leads", json={"assignment_id": work, "customer_ids": customers, "reason": "letter"})
    first = kari.ok("GET", "/hot-leads", params={"limit": 2, "assignment_id": work})
    rest = kari.ok("GET", "/hot-leads", params={"limit": 2, "cursor": first["next"]})
    assert [x["customer_id"] for x in first["items"] + rest["items"]] == customers
    assert kari.ok("GET", "/hot-leads", params={"assignment_id": work + 1})["items"] == []


def test_on_the_command_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    work = world.assignment("Spring")
    lead, closed = world.customers(2, work)
    with world.work() as opened:
        opened.run(text("update customer set external_id = '17' where id = :c"), c=lead)
        opened.run(text("update customer set external_id = '18' where id = :c"), c=closed)
        opened.run(text("update placement set state = 'closed' where customer_id = :c"), c=closed)
    shell = Shell(world, monkeypatch)
    how = ("--reason", "asked on the web")

    assert "Dry run" in shell.ok("hot", "make", "17", *how, "--dry-run").out
    assert "Nobody" in shell.ok("hot", "list").out
    said = shell.ok("hot", "make", "17", "18", *how).out
    assert "before all others" in said
    assert "--even-closed" in said
    (listed,) = shell.ok("hot", "list", "--json").document
    assert (listed["external_id"], listed["reason"]) == ("17", "asked on the web")
    assert "asked on the web" in shell.ok("hot", "list").out
    assert shell.run("hot", "make", "18", *how).code == 1
    assert shell.run("hot", "make", "19", *how).code == 1
    shell.ok("hot", "make", "18", *how, "--even-closed")
    shell.ok("hot", "cool", str(listed["id"]))
    assert [x["external_id"] for x in shell.ok("hot", "list", "--json").document] == ["18"]
    assert shell.run("hot", "list", "--which", "all").code == 2


def test_it_is_explained(api: Api, world: World) -> None:
    work = world.assignment()
    (lead,) = world.customers(1, work)
    api.manager().ok("POST", "/hot-leads", json={
        "assignment_id": work, "customer_ids": [lead], "reason": "asked on the web",
    })  # fmt: skip
    with world.work() as opened:
        assert "hot lead, asked on the web" in explain(opened, work, lead).answers[0].fact
