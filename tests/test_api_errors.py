"""The API's walls and errors: keys, roles, foreign CRMs, and a problem for everything that goes wrong."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from sqlalchemy import text
from web_client import Api, Caller, api_of, problem
from world import World

from models.errors import PromiseBroken, Unavailable
from web.api import PARTS, PREFIX, make_api
from web.edge import LARGEST_BODY
from web.keys import KeyRing

pytestmark = pytest.mark.once

ZERO = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with api_of(world) as made:
        yield made


def operations(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation of the API: method, path template, its description."""
    described = make_api(api.world.app, KeyRing(api.world.app)).openapi()
    return [
        (method.upper(), path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def concrete(path: str) -> str:
    """A path with ids that nobody has."""
    return path.replace("{lease_id}", ZERO).replace("_id}", "}").replace("{", "9999").replace("}", "")


def example_of(operation: dict[str, Any]) -> Any:
    body = operation.get("requestBody")
    return body and body["content"]["application/json"]["examples"]["example"]["value"]


def test_without_a_good_key_nothing_answers(api: Api) -> None:
    stolen = api.key("manager")
    for method, path, _ in operations(api):
        for headers in ({}, {"Authorization": "Bearer rl_0_x"}, {"Authorization": f"Basic {stolen}"}):
            answer = api.http.request(method, PREFIX + concrete(path), headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer"), path
            problem(answer)


ROLES = {
    "GET /me": "manager seller dialer", "GET /clock": "manager seller dialer",
    "PUT /me/presence": "seller", "POST /me/next": "seller",
    "POST /leases/{lease_id}/ring": "seller", "POST /leases/{lease_id}/release": "seller",
    "POST /me/alive": "seller", "GET /me/lease": "seller",
    "POST /leases/{lease_id}/skip": "seller", "POST /leases/{lease_id}/hang-up": "seller",
    "GET /assignments/{assignment_id}/lease-times": "manager seller",
    "POST /leases/{lease_id}/outcome": "seller dialer",
    "GET /me/news": "seller",
    "POST /follow-ups": "manager seller", "GET /follow-ups": "manager seller",
    "PATCH /follow-ups/{follow_up_id}": "manager seller",
    "DELETE /follow-ups/{follow_up_id}": "manager seller",
    "GET /assignments": "manager seller", "GET /assignments/{assignment_id}": "manager seller",
    "GET /assignments/{assignment_id}/segments": "manager seller",
    "GET /assignments/{assignment_id}/retries": "manager seller",
    "GET /assignments/{assignment_id}/follow-up-grace": "manager seller",
    "GET /assignments/{assignment_id}/number-plan": "manager seller",
    "POST /suppressions": "manager seller", "POST /outcomes": "manager dialer",
    "GET /fields": "manager seller", "GET /fields/handbook": "manager seller", "GET /tags": "manager seller",
    "PATCH /customers/{customer_id}/numbers": "manager seller",
    "PATCH /customers/{customer_id}": "manager seller", "GET /customers/{customer_id}/tags": "manager seller",
    "PUT /customers/{customer_id}/tags/{tag}": "manager seller",
    "DELETE /customers/{customer_id}/tags/{tag}": "manager seller",
}  # fmt: skip
PAGES = {"GET /fields/handbook": "text/markdown", "GET /me/news": "text/event-stream"}


def test_every_endpoint_takes_its_roles_and_no_other(api: Api, world: World) -> None:
    """What is not named in ROLES is for managers. Planted: an audit open to anybody."""
    work = world.assignment()
    callers = {
        "manager": api.manager(),
        "seller": api.seller(world.seller(work)),
        "dialer": api.dialer(world.dialer(work)),
    }
    for method, path, operation in operations(api):
        allowed = ROLES.get(f"{method} {path}", "manager").split()
        for role, caller in callers.items():
            if role in allowed and path == "/me/news":  # a stream, which goes on: tests/test_waiting.py
                continue
            answer = caller.ask(method, concrete(path), json=example_of(operation))
            assert (answer.status_code != 403) == (role in allowed), f"{role}: {method} {path}: {answer.text}"
            assert answer.status_code < 500, answer.text


def test_what_lies_behind_the_wall_does_not_exist(api: Api, world: World) -> None:
    """A foreign CRM's ids are 404, in the path and in a body (P7)."""
    near, far = world.assignment(), world.neighbour()
    theirs = far.assignment("theirs")
    (customer,) = far.customers(1, theirs)
    stranger = api.seller(far.seller(theirs), far)
    lease = stranger.ok("POST", "/me/next")["lease_id"]
    kari, ana = api.manager(), api.seller(world.seller(near))
    stop = {"scope": "segment", "target_id": far.unsegmented(theirs), "reason": "x"}
    pause = api.manager(far).ok("POST", "/pauses", 201, json=stop)["id"]
    entry = api.manager(far).ok("POST", "/suppressions", 201, json={"customer_id": customer, "reason": "x"})
    segment = f"/segments/{far.unsegmented(theirs)}"
    stories = [f"{segment}/{story}" for story in ("history", "portrait", "deeds", "affected")]
    for path in ("", "/segments", "/hours", "/floor", "/rules", "/holds", "/bulk-actions", *stories):
        kari.refused(404, "GET", f"/assignments/{theirs}{path}")
        if path.startswith(segment):
            kari.refused(404, "GET", f"/assignments/{near}{path}")
    why = {"expected": 1, "reason": "x"}
    for path in (f"{segment}/free", f"{segment}/wake", f"{segment}/release"):
        kari.refused(404, "POST", f"/assignments/{near}{path}", json=why)
        kari.refused(404, "POST", f"/assignments/{theirs}{path}", json=why)
    into = {"filters": {}, "segment_id": far.unsegmented(theirs), "expected": 0, "reason": "x"}
    kari.refused(404, "POST", f"/assignments/{near}/selection/move", json=into)
    kari.refused(404, "POST", f"/assignments/{theirs}/facets", json={})
    kari.refused(404, "PUT", f"/assignments/{theirs}/rules", json={"segments": []})
    kari.refused(404, "GET", f"/customers/{customer}")
    kari.refused(404, "GET", f"/customers/{customer}/explanation", params={"assignment": theirs})
    kari.refused(404, "DELETE", f"/pauses/{pause}")
    kari.refused(404, "DELETE", f"/suppressions/{entry['id']}")
    kari.refused(404, "POST", "/pauses", json=stop)
    kari.refused(404, "POST", "/suppressions", json={"customer_id": customer, "reason": "x"})
    for what in ("ring", "release"):
        ana.refused(404, "POST", f"/leases/{lease}/{what}")
    ana.refused(404, "POST", f"/leases/{lease}/outcome", json={"outcome": "sale"})
    ana.refused(404, "PUT", "/me/presence", json={"presence": "available", "assignment_id": theirs})
    reports = {"reports": [{"lease_id": lease, "outcome": "sale"}]}
    assert kari.ok("POST", "/outcomes", json=reports)["results"][0]["kind"] == "orphan"
    assert kari.ok("GET", "/customers")["items"] == kari.ok("GET", "/pauses")["items"] == []


def test_a_revoked_key_works_no_longer_than_two_seconds(api: Api, world: World) -> None:
    kari = api.manager()
    kari.ok("GET", "/me")
    with world.app.shared() as session:
        session.execute(text("update api_key set revoked_at = now()"))
    ring: KeyRing = api.site.state.keys
    assert ring.remembered(kari.key) is not None
    ring._ticking = lambda: float("inf")  # two seconds later
    kari.refused(401, "GET", "/me")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Unavailable("PostgreSQL is stopping; try again"), 503, "unavailable"),
        (PromiseBroken("two leases of one customer", lease="x"), 500, "promise-broken"),
        (RuntimeError("secret insides"), 500, "internal-error"),
    ],
)
def test_errors_from_within_are_problems(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, kind: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    kari = api.manager()
    monkeypatch.setattr("calling.views.audit.audit", fail)
    answer = kari.ask("GET", "/audit")
    said = problem(answer)
    assert (answer.status_code, said["type"]) == (status, f"urn:ringeliste:problem:{kind}")
    assert "secret" not in answer.text
    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)


def test_a_database_that_is_away_is_503_also_for_the_key(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("PostgreSQL cannot be reached; try again")

    kari = api.manager()
    monkeypatch.setattr("calling.register.holder_of", away)
    kari.refused(503, "GET", "/me")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("POST", "/me", 405), ("DELETE", "/pauses", 405), ("GET", "/", 404)],
)
def test_unknown_paths_and_methods_are_problems(api: Api, method: str, path: str, status: int) -> None:
    said = api.manager().refused(status, method, path)
    assert said["title"] == HTTPStatus(status).phrase.capitalize()


def test_a_wrong_method_names_the_right_ones(api: Api) -> None:
    answer = api.manager().ask("PATCH", "/assignments/1/rules")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PUT")


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"\xff", b'"text"', b"{" * 3000, b""])
def test_bodies_that_are_no_json_object_are_refused(api: Api, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    api.manager().refused(422, "POST", "/pauses", content=content, headers=headers)


@pytest.mark.parametrize("reason", ["\x00", "\ud800", "x" * 201, 5, None])
def test_texts_that_cannot_be_kept_are_refused(api: Api, reason: object) -> None:
    kari = api.manager()
    body = f'{{"scope": "crm", "reason": {json.dumps(reason)}}}'
    kari.refused(422, "POST", "/pauses", content=body, headers={"Content-Type": "application/json"})


def test_ids_out_of_range_are_refused_not_broken(api: Api) -> None:
    kari = api.manager()
    kari.refused(422, "GET", f"/customers/{2**63}")
    kari.refused(422, "GET", "/customers/0")
    kari.refused(422, "POST", "/pauses", json={"scope": "segment", "target_id": 2**63, "reason": "x"})
    kari.refused(422, "POST", "/pauses", json={"scope": "segment", "target_id": "5", "reason": "x"})


def test_the_edge_sets_headers_and_takes_a_decent_request_id(api: Api) -> None:
    kari = api.manager()
    answer = kari.ask("GET", "/me", headers={"X-Request-Id": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (
        kari.ask("GET", "/me", headers={"X-Request-Id": "a b\tc" * 30}).headers["x-request-id"]
        != "a b\tc" * 30
    )


def test_health_and_metrics_stand_outside(api: Api) -> None:
    caller: Caller = api.manager()
    caller.ok("GET", "/me")
    assert api.http.get("/healthz").json() == {"status": "ok"}
    assert api.http.get("/readyz").json()["ready"] is True
    metrics = api.http.get("/metrics").text
    assert 'ringeliste_http_requests_total{method="GET",route="/api/v1/me",status="200"}' in metrics
    assert "ringeliste_leases" in metrics


def test_every_operation_is_described_with_examples_and_its_errors(api: Api) -> None:
    for method, path, operation in operations(api):
        where = f"{method} {path}"
        assert operation["description"], where
        assert {"401", "403", "500", "503"} <= operation["responses"].keys(), where
        assert ("422" in operation["responses"]) >= bool(
            operation.get("parameters") or example_of(operation)
        ), where
        if "requestBody" in operation:
            assert example_of(operation), where
        for status, answer in operation["responses"].items():
            assert answer["description"], f"{where} {status}"
            if status == "204":
                continue
            fits = PAGES.get(f"{method} {path}", "application/json")
            media = fits if status < "300" else "application/problem+json"
            assert answer["content"].keys() == {media}, f"{where} {status}"
            assert answer["content"][media]["example"] is not None, f"{where} {status}"
            assert "schema" in answer["content"][media], f"{where} {status}"


def test_examples_of_answers_fit_their_schemas() -> None:
    """Each example is read by the model that it is an example of."""
    checked = 0
    for route in [route for part in PARTS for route in part.router.routes]:
        assert isinstance(route, APIRoute)
        if route.response_model:
            example = route.responses[route.status_code or 200]["content"]["application/json"]["example"]
            TypeAdapter(route.response_model).validate_json(json.dumps(example))
            checked += 1
    assert checked > 20


def test_a_body_that_never_ends_is_cut_off(api: Api) -> None:
    content = (b" " * 65_536 for _ in range(LARGEST_BODY // 65_536 + 1))
    headers = {"Content-Type": "application/json"}
    api.manager().refused(413, "POST", "/pauses", content=content, headers=headers)
