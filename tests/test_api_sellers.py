"""The API as sellers and dialers use it: presence, next, ring, release, outcome."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from web_client import Api, Caller, api_of
from world import NOON, World

from calling.handout import hand_out
from models.tables import Lease
from wiring.clock import set_clock

pytestmark = pytest.mark.once


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


@pytest.fixture
def work(world: World) -> int:
    """An assignment with five customers."""
    assignment_id = world.assignment()
    world.customers(5, assignment_id)
    return assignment_id


@pytest.fixture
def ana(api: Api, world: World, work: int) -> Caller:
    return api.seller(world.seller(work, name="Ana"))


def test_me_says_who_holds_the_key(api: Api, world: World, ana: Caller, work: int) -> None:
    dialer = api.dialer(world.dialer(work, name="robot"))
    me = ana.ok("GET", "/me")
    assert (me["role"], me["name"], me["crm_id"], me["assignment_id"]) == (
        "seller",
        "Ana",
        world.crm_id,
        work,
    )
    assert me["region"] == "PT"
    assert dialer.ok("GET", "/me")["name"] == "robot"
    assert api.manager().ok("GET", "/me")["presence"] is None


def test_the_clock_is_a_line_over_wall_time(ana: Caller) -> None:
    clock = ana.ok("GET", "/clock")
    assert (clock["now"], clock["speed"]) == ("2026-03-02T12:00:00Z", 0.0)


def test_a_seller_works_a_customer_from_next_to_outcome(ana: Caller, work: int) -> None:
    card = ana.ok("POST", "/me/next")
    assert (card["state"], card["assignment_id"], card["attempts"]) == ("taken", work, 0)
    assert ana.ok("POST", "/me/next")["lease_id"] == card["lease_id"]  # two tabs hold one customer
    lease = f"/leases/{card['lease_id']}"
    rung = ana.ok("POST", f"{lease}/ring")
    assert (rung["e164"], rung["rung_at"]) == (card["e164"], "2026-03-02T12:00:00Z")
    assert ana.ok("POST", f"{lease}/ring") == rung
    came = ana.ok("POST", f"{lease}/outcome", json={"outcome": "sale", "talk_seconds": 61})
    assert (came["kind"], came["state"], came["status"], came["late"]) == ("first", "closed", "sale", False)
    assert ana.ok("POST", "/me/next")["customer_id"] != card["customer_id"]


def test_lines_about_a_lease_say_the_lease_and_its_assignment(ana: Caller, work: int) -> None:
    """Also the requests' own, which are written outside the verbs. Planted: bound in the verbs alone."""
    with capture_logs([merge_contextvars]) as lines:
        lease = ana.ok("POST", "/me/next")["lease_id"]
        ana.ok("POST", f"/leases/{lease}/ring")
        ana.ok("POST", f"/leases/{lease}/outcome", json={"outcome": "do_not_call"})
        ana.refused(404, "POST", f"/leases/{uuid4()}/release")
    asked = [line for line in lines if line["event"] == "request"]
    assert len({line["crm"] for line in asked}) == 1
    assert [(line["lease"], line["assignment"]) for line in asked[:3]] == [(lease, work)] * 3
    assert "assignment" not in asked[3]


def test_the_verbs_that_sellers_wait_for_are_timed(api: Api, ana: Caller) -> None:
    """/metrics of the web had the family and not one sample of it."""
    lease = ana.ok("POST", "/me/next")["lease_id"]
    ana.ok("POST", f"/leases/{lease}/ring")
    ana.ok("POST", f"/leases/{lease}/outcome", json={"outcome": "no_answer"})
    ana.ok("POST", f"/leases/{ana.ok('POST', '/me/next')['lease_id']}/release", 204)
    ana.refused(404, "POST", f"/leases/{uuid4()}/ring")
    api.manager().ok("POST", "/pauses", 201, json={"scope": "crm", "reason": "lunch"})
    metrics = api.http.get("/metrics").text
    for verb in ("next", "ring", "outcome", "release", "pause"):
        assert f'ringeliste_verb_seconds_count{{end="done",verb="{verb}"}}' in metrics
    assert 'ringeliste_verb_seconds_count{end="NotFound",verb="ring"}' in metrics
    assert "_created" not in metrics


def test_an_outcome_told_twice_counts_once(api: Api, world: World, ana: Caller, work: int) -> None:
    lease = ana.ok("POST", "/me/next")["lease_id"]
    for kind in ("first", "again", "again"):
        came = ana.ok("POST", f"/leases/{lease}/outcome", json={"outcome": "no_answer"})
        assert came["kind"] == kind
    figures = api.manager().ok("GET", f"/assignments/{work}/segments")["items"]
    assert [one["attempts"] for one in figures] == [1]


def test_a_do_not_call_is_suppressed_when_it_answers(api: Api, ana: Caller) -> None:
    card = ana.ok("POST", "/me/next")
    came = ana.ok("POST", f"/leases/{card['lease_id']}/outcome", json={"outcome": "do_not_call"})
    assert came["suppressed"] is True
    listed = api.manager().ok("GET", "/suppressions")["items"]
    assert {one["e164"] for one in listed} == {card["e164"], None}


def test_a_ring_in_the_future_is_refused(api: Api, ana: Caller) -> None:
    """Else a dialer with a wrong clock would shut its customers away until then."""
    lease = ana.ok("POST", "/me/next")["lease_id"]
    said = {"outcome": "no_answer", "rung_at": "2026-03-02T12:03:00Z"}
    assert "future" in ana.refused(422, "POST", f"/leases/{lease}/outcome", json=said)["detail"]
    reports = {"reports": [{"lease_id": lease, **said}]}
    assert "future" in api.manager().refused(422, "POST", "/outcomes", json=reports)["detail"]
    said["rung_at"] = "2026-03-02T13:01:00+01:00"
    assert ana.ok("POST", f"/leases/{lease}/outcome", json=said)["kind"] == "first"


def test_released_customers_come_again(ana: Caller) -> None:
    card = ana.ok("POST", "/me/next")
    for _ in range(2):  # giving back twice is once
        ana.ok("POST", f"/leases/{card['lease_id']}/release", 204)
    problem = ana.refused(409, "POST", f"/leases/{card['lease_id']}/ring")
    assert problem["type"].endswith(":lease-gone")
    assert problem["lease"] == card["lease_id"]


def test_after_the_ring_there_is_no_release(ana: Caller) -> None:
    lease = ana.ok("POST", "/me/next")["lease_id"]
    ana.ok("POST", f"/leases/{lease}/ring")
    assert "outcome" in ana.refused(422, "POST", f"/leases/{lease}/release")["detail"]


def test_nobody_left_is_204_and_says_when_to_ask_again(api: Api, world: World) -> None:
    empty = api.seller(world.seller(world.assignment()))
    answer = empty.ask("POST", "/me/next")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["retry-after"] == "1"
    assert "next-opening" not in answer.headers


def test_at_night_the_answer_names_the_next_opening(api: Api, world: World, ana: Caller) -> None:
    with world.app.shared() as session:
        set_clock(session, NOON + timedelta(hours=10), 3600)
    world.app.clock._read_at = float("-inf")
    answer = ana.ask("POST", "/me/next")
    assert answer.status_code == 204
    assert answer.headers["next-opening"].startswith("2026-03-03T09:0")
    assert 9 <= int(answer.headers["retry-after"]) <= 11  # eleven hours at one a second


def test_presence_decides_what_a_seller_gets(api: Api, world: World, ana: Caller, work: int) -> None:
    lease = ana.ok("POST", "/me/next")["lease_id"]
    assert ana.ok("PUT", "/me/presence", json={"presence": "away"})["presence"] == "away"
    assert ana.refused(409, "POST", f"/leases/{lease}/ring")["why"].startswith("it ended")
    assert ana.refused(409, "POST", "/me/next")["presence"] == "away"
    other = world.segment(work, "none")
    ana.ok("PUT", "/me/presence", json={"presence": "available", "assignment_id": work, "segment_id": other})
    assert ana.ask("POST", "/me/next").status_code == 204
    ana.ok("PUT", "/me/presence", json={"presence": "available", "assignment_id": work})
    assert ana.ask("POST", "/me/next").status_code == 200


def test_presence_names_what_is_wrong(api: Api, world: World, ana: Caller) -> None:
    idle = api.seller(world.seller())
    assert "assignment" in idle.refused(422, "PUT", "/me/presence", json={"presence": "available"})["detail"]
    asked = {"presence": "available", "assignment_id": 999_999}
    assert ana.refused(404, "PUT", "/me/presence", json=asked)["what"] == "assignment"
    problem = ana.refused(422, "PUT", "/me/presence", json={"presence": "here", "assignmnt_id": 1})
    assert {one["path"] for one in problem["problems"]} == {"body.presence", "body.assignmnt_id"}


def test_a_shut_gate_is_named_at_the_ring(api: Api, ana: Caller) -> None:
    """A pause takes the customer back from the screen; the ring that comes too late is refused."""
    card = ana.ok("POST", "/me/next")
    stop = {"scope": "segment", "target_id": card["segment_id"], "reason": "wrong script"}
    answer = api.manager().ok("POST", "/pauses", 201, json=stop)["in_the_air"]
    assert card["lease_id"] in answer["recalled"]
    why = ana.refused(409, "POST", f"/leases/{card['lease_id']}/ring")["why"]
    assert why == "it ended: recalled: paused: wrong script"


def test_leases_of_others_do_not_exist(api: Api, world: World, ana: Caller, work: int) -> None:
    """Planted: without the check an outcome of Rui's customer was taken from Ana."""
    rui = api.seller(world.seller(work, name="Rui"))
    lease = rui.ok("POST", "/me/next")["lease_id"]
    for what in ("ring", "release"):
        ana.refused(404, "POST", f"/leases/{lease}/{what}")
    ana.refused(404, "POST", f"/leases/{lease}/outcome", json={"outcome": "sale"})
    ana.refused(404, "POST", f"/leases/{uuid4()}/outcome", json={"outcome": "sale"})
    ana.refused(422, "POST", "/leases/not-a-uuid/ring")


def test_dialers_report_in_batches_and_only_of_their_own(
    api: Api, world: World, ana: Caller, work: int
) -> None:
    robot = world.dialer(work, name="robot")
    mine, unknown = _order(world, work, robot), str(uuid4())
    hers = ana.ok("POST", "/me/next")["lease_id"]
    reports = [{"lease_id": lease, "outcome": "no_answer"} for lease in (unknown, str(mine), hers, str(mine))]
    results = api.dialer(robot).ok("POST", "/outcomes", json={"reports": reports})["results"]
    assert [one["kind"] for one in results] == ["orphan", "first", "orphan", "again"]
    assert [one["lease_id"] for one in results] == [one["lease_id"] for one in reports]
    manager = api.manager().ok("POST", "/outcomes", json={"reports": [{"lease_id": hers, "outcome": "busy"}]})
    assert manager["results"][0]["kind"] == "first"


def test_a_batch_has_one_to_two_hundred_reports(api: Api) -> None:
    manager, one = api.manager(), {"lease_id": str(uuid4()), "outcome": "busy"}
    manager.refused(422, "POST", "/outcomes", json={"reports": []})
    manager.refused(422, "POST", "/outcomes", json={"reports": [one] * 201})
    assert len(manager.ok("POST", "/outcomes", json={"reports": [one] * 200})["results"]) == 200


def _order(world: World, assignment_id: int, dialer_id: int) -> UUID:
    """An order of a dialer: a seller's lease, written over to it."""
    helper = world.seller(assignment_id)
    card = hand_out.next_customer(world.opener(), helper)
    assert card is not None
    with world.work() as work:
        lease = work.session.get_one(Lease, (world.crm_id, card.lease_id))
        lease.seller_id, lease.dialer_id = None, dialer_id
    return card.lease_id
