"""API v1 as its callers see it: a client for each role, on a world of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient
from world import NOON, World

from calling import register
from web.api import PREFIX
from web.app import create
from wiring.clock import set_clock


class Api:
    """The application over one world; the business clock stands still at NOON."""

    def __init__(self, world: World) -> None:
        self.world = world
        with world.app.shared() as session:
            set_clock(session, NOON, 0)
        self.site = create(world.app, pages=False)
        self.http = TestClient(self.site, base_url="http://testserver", raise_server_exceptions=False)

    def key(self, role: str, world: World | None = None, **whose: int) -> str:
        """A new key."""
        with self.world.app.shared() as session:
            crm_id = (world or self.world).crm_id
            return register.add_key(session, crm_id, role, f"a {role}", now=NOON, **whose)

    def manager(self, world: World | None = None) -> "Caller":
        """A manager of a world's CRM."""
        return Caller(self, self.key("manager", world))

    def seller(self, seller_id: int, world: World | None = None) -> "Caller":
        """A seller with their own key."""
        return Caller(self, self.key("seller", world, seller_id=seller_id))

    def dialer(self, dialer_id: int) -> "Caller":
        """A dialer with its own key."""
        return Caller(self, self.key("dialer", dialer_id=dialer_id))


class Caller:
    """Whoever calls with one key."""

    def __init__(self, api: Api, key: str) -> None:
        self._http, self.key = api.http, key

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """The whole response."""
        headers = {"Authorization": f"Bearer {self.key}"} | options.pop("headers", {})
        return self._http.request(method, PREFIX + path, headers=headers, **options)

    def ok(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """The body of an answer that has to have this status."""
        answer = self.ask(method, path, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def refused(self, status: int, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The problem that this has to end in, checked for its form."""
        answer = self.ask(method, path, **options)
        assert answer.status_code == status, answer.text
        return problem(answer)


def problem(answer: Any) -> dict[str, Any]:
    """The body of an error: a problem with its five members, under the request's id."""
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "request"} <= body.keys()
    assert body["status"] == answer.status_code
    assert body["request"] == answer.headers["x-request-id"]
    assert body["type"].startswith("urn:ringeliste:problem:")
    return body


@contextmanager
def api_of(world: World) -> Iterator[Api]:
    """The API over a world, closed afterwards."""
    api = Api(world)
    with api.http:
        yield api
