"""What every request passes: an id, one log line, two metrics, and headers that keep browsers careful.

Plain ASGI: nothing is buffered, and websockets pass by untouched.
"""

import re
import secrets
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.about import begin
from wiring.logs import bound
from wiring.metrics import REGISTRY

REQUESTS = Counter(
    "ringeliste_http_requests",
    "Requests answered, by the template of their route.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "ringeliste_http_seconds",
    "Time until a request was answered, by the template of its route.",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.3, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)

LARGEST_BODY = 4 << 20
"""Bytes of a body at most: 200 rules of 60 leaves fit."""

COMMON_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
}
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
# Vue compiles its templates in the browser, hence unsafe-eval; everything comes from here, nothing from afar.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
LONGEST_ID = 20
_QUIET = ("/_nicegui", "/static", "/healthz", "/readyz", "/metrics")
_THEIR_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger(__name__)


class Edge:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = scope["ringeliste.request"] = _request_id(scope)
        answer, found = _Answer(scope["path"], request), begin()

        async def sending(message: Message) -> None:
            await send(answer.noted(message))

        begun = perf_counter()
        with bound(request=request):
            try:
                await self._app(scope, _limited(receive), sending)
            except Exception:
                log.exception("a request failed", path=scope["path"])
                if not answer.status:
                    raise
            finally:
                _note(scope, found, answer.status or 500, perf_counter() - begun)


class _Answer:
    """What is known of the answer: its status; it gets its headers on the way out."""

    def __init__(self, path: str, request: str) -> None:
        api = path.startswith("/api/")
        headers = {
            **COMMON_HEADERS,
            "content-security-policy": API_POLICY if api else PAGE_POLICY,
            "x-request-id": request,
            **({"cache-control": "no-store"} if api else {}),
        }
        self.status = 0
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    def noted(self, message: Message) -> Message:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            ours = {name for name, _ in self._headers}
            theirs = [pair for pair in message.get("headers", []) if pair[0].lower() not in ours]
            message = {**message, "headers": [*theirs, *self._headers]}
        return message


def _limited(receive: Receive) -> Receive:
    """As `receive`, but a body that goes on for too long ends in 413."""
    left = LARGEST_BODY

    async def receiving() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"the body is larger than {LARGEST_BODY >> 20} MiB")
        return message

    return receiving


def _request_id(scope: Scope) -> str:
    """The caller's own id if it gave a decent one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _THEIR_ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return secrets.token_hex(8)


def _note(scope: Scope, found: Mapping[str, Any], status: int, seconds: float) -> None:
    """Count the request, and log it unless it is a machine's routine question. `found`: what it is about."""
    route = _template(scope)
    REQUESTS.labels(scope["method"], route, str(status)).inc()
    SECONDS.labels(scope["method"], route).observe(seconds)
    if scope["path"].startswith(_QUIET) and status < 500:
        return
    named: dict[str, Any] = dict(scope.get("path_params") or {})
    ids = {name.removesuffix("_id"): _plain(value) for name, value in named.items() if name.endswith("_id")}
    log.info(
        "request",
        method=scope["method"],
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        **{**ids, **found},
    )


def _plain(value: Any) -> int | str:
    """An id as every other line has it: a number, or a lease's as text."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < LONGEST_ID else text


def _template(scope: Scope) -> str:
    """The route's template, so that metrics stay few; what has none is named by its mount."""
    path = getattr(scope.get("route"), "path", None)
    if path:
        return f"{scope.get('root_path', '')}{path}"
    mounts = ("/api", "/_nicegui", "/static")
    return next((f"{mount}/…" for mount in mounts if scope["path"].startswith(mount)), "/…")
