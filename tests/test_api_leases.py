"""The API about the life of a lease: hang-up, skip, signs of life, who has whom and what is taken away."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from calls import say
from sqlalchemy import text
from test_connected import events
from test_outcomes import dialers_lease, tell
from web_client import Api, Caller, api_of
from world import NOON, World

from models.outcomes import Outcome

pytestmark = pytest.mark.once


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


@pytest.fixture
def work(world: World) -> int:
    """An assignment with six customers."""
    assignment_id = world.assignment(wrap_up_seconds=120)
    world.customers(6, assignment_id)
    return assignment_id


@pytest.fixture
def ana(api: Api, world: World, work: int) -> Caller:
    return api.seller(world.seller(work, name="Ana"))


def test_a_seller_hangs_up_and_their_wrap_up_has_a_limit(ana: Caller) -> None:
    lease = ana.ok("POST", "/me/next")["lease_id"]
    assert "taken" in ana.refused(409, "POST", f"/leases/{lease}/hang-up")["detail"]
    ana.ok("POST", f"/leases/{lease}/ring")
    for _ in range(2):
        done = ana.ok("POST", f"/leases/{lease}/hang-up")
        assert (done["wrap_up_at"], done["expires_at"]) == ("2026-03-02T12:00:00Z", "2026-03-02T12:02:00Z")
    assert ana.ok("POST", "/me/next")["state"] == "wrap_up"
    assert ana.ok("GET", "/me/lease")["lease_id"] == lease
    ana.ok("POST", f"/leases/{lease}/outcome", json={"outcome": "sale"})
    assert ana.ask("GET", "/me/lease").status_code == 204


def test_a_seller_skips_with_a_reason_and_the_manager_reads_it(api: Api, ana: Caller) -> None:
    lease = ana.ok("POST", "/me/next")["lease_id"]
    ana.refused(422, "POST", f"/leases/{lease}/skip", json={})
    ana.refused(422, "POST", f"/leases/{lease}/skip", json={"reason": "  "})
    done = ana.ok("POST", f"/leases/{lease}/skip", json={"reason": "my neighbour"})
    assert (done["state"], done["due_at"]) == ("resting", "2026-03-02T12:10:00Z")
    other = ana.ok("POST", "/me/next")["lease_id"]
    assert other != lease
    ana.ok("POST", f"/leases/{other}/skip", json={"reason": "wrong language"})
    first = api.manager().ok("GET", "/holders/skipped?limit=1")
    second = api.manager().ok("GET", f"/holders/skipped?limit=1&cursor={first['next']}")
    read = [(one["items"][0]["holder"], one["items"][0]["ended_reason"]) for one in (first, second)]
    assert read == [("Ana", "wrong language"), ("Ana", "my neighbour")]
    assert second["next"] is None
    api.manager().refused(422, "GET", f"/holders?cursor={first['next']}")
    ana.refused(403, "GET", "/holders/skipped")


def test_a_sign_of_life_says_what_is_on_the_screen(ana: Caller) -> None:
    assert ana.ok("POST", "/me/alive")["lease_id"] is None
    lease = ana.ok("POST", "/me/next")["lease_id"]
    told = ana.ok("POST", "/me/alive")
    assert (told["presence"], told["lease_id"], told["state"]) == ("available", lease, "taken")
    assert told["again_in_seconds"] == 20


def test_a_manager_takes_a_customer_away_and_the_seller_reads_why(api: Api, ana: Caller) -> None:
    manager = api.manager()
    lease = ana.ok("POST", "/me/next")["lease_id"]
    (held,) = manager.ok("GET", "/holders?listed=false")["items"]
    assert (held["id"], held["holder"], held["state"], held["sent"]) == (lease, "Ana", "taken", False)
    assert len(manager.ok("GET", "/holders")["items"]) == 2
    body = {"leases": [lease, str(uuid4())], "reason": "shift is over"}
    done = manager.ok("POST", "/holders/release", json=body)
    assert (done["back"], done["over"]) == ([lease], [body["leases"][1]])
    problem = ana.refused(409, "POST", f"/leases/{lease}/ring")
    assert problem["why"] == "it ended: recalled by a manager: shift is over"
    ana.refused(403, "POST", "/holders/release", json=body)
    manager.refused(422, "POST", "/holders/release", json=body | {"reason": " "})


def test_a_ringing_one_goes_on_unless_the_manager_insists(api: Api, ana: Caller) -> None:
    manager = api.manager()
    lease = ana.ok("POST", "/me/next")["lease_id"]
    ana.ok("POST", f"/leases/{lease}/ring")
    body = {"leases": [lease], "reason": "dead browser"}
    assert manager.ok("POST", "/holders/release", json=body)["rung"] == [lease]
    done = manager.ok("POST", "/holders/release", json=body | {"even_rung": True})
    assert done["given_up"] == [lease]
    (untold,) = manager.ok("GET", "/holders/unconfirmed")["items"]
    assert (untold["id"], untold["ended_reason"]) == (lease, "dead browser")
    told = {"reports": [{"lease_id": lease, "outcome": "sale", "by": "seller"}]}
    assert manager.ok("POST", "/outcomes", json=told)["results"][0]["late"]
    assert manager.ok("GET", "/holders/unconfirmed")["items"] == []


def test_another_crm_has_nothing_of_ours(api: Api, world: World, ana: Caller) -> None:
    """P7: the wall refuses, whoever knows the lease's id."""
    lease = ana.ok("POST", "/me/next")["lease_id"]
    stranger = api.manager(world.neighbour())
    assert stranger.ok("GET", "/holders")["items"] == []
    done = stranger.ok("POST", "/holders/release", json={"leases": [lease], "reason": "mine"})
    assert done["over"] == [lease]
    assert ana.ok("POST", "/me/next")["lease_id"] == lease


def test_lease_times_are_read_and_set(api: Api, ana: Caller, work: int) -> None:
    path = f"/assignments/{work}/lease-times"
    assert ana.ok("GET", path) == {"wrap_up_seconds": 120, "skip_seconds": 600}
    wanted = {"wrap_up_seconds": None, "skip_seconds": 0}
    assert api.manager().ok("PUT", path, json=wanted) == wanted
    assert ana.ok("GET", path) == wanted
    api.manager().refused(422, "PUT", path, json={"wrap_up_seconds": 0, "skip_seconds": 600})
    api.manager().refused(404, "PUT", "/assignments/999999/lease-times", json=wanted)
    ana.refused(403, "PUT", path, json=wanted)


def test_whom_a_dialer_put_through_tells_what_came_of_it_and_nobody_else_does(api: Api, world: World) -> None:
    """Seen to fail: only the holder of a lease, here the dialer, could report it."""
    assignment, dialer, lease, _ = dialers_lease(world)
    ana = api.seller(world.seller(assignment, "Ana"))
    bea = api.seller(world.seller(assignment, "Bea"))
    tell(world, dialer, *events(lease, "Ana", "taken", "connected"), now=NOON)
    assert ana.ok("GET", "/me/lease")["lease_id"] == str(lease)
    assert ana.ok("POST", f"/leases/{lease}/hang-up")["lease_id"] == str(lease)
    say(world, lease, Outcome.ANSWERED, NOON, by="dialer")
    bea.refused(404, "POST", f"/leases/{lease}/outcome", json={"outcome": "sale"})
    done = ana.ok("POST", f"/leases/{lease}/outcome", json={"outcome": "sale"})
    assert (done["kind"], done["state"]) == ("completion", "closed")
    with world.work() as work:
        who = work.run(text("select s.name from attempt a join seller s on s.id = a.seller_id")).scalars()
        assert set(who) == {"Ana"}
