"""Every error of the API as problem+json (RFC 9457): what happened, in words and in data, and who asked.

`type` names the kind for machines; members beside the five usual ones are the error's own data.
"""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from models.errors import BadInput, Conflict, NotFound, RingelisteError, Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
"""What Retry-After says when a server of ours is away: it heals by itself, soon."""

_STATUS: tuple[tuple[type[RingelisteError], int], ...] = (
    (NotFound, 404),
    (BadInput, 422),
    (Conflict, 409),
    (Unavailable, 503),
    (RingelisteError, 500),
)
_WORDS = re.compile(r"(?<!^)(?=[A-Z])")

log = structlog.get_logger(__name__)


def install(app: FastAPI) -> None:
    """From now on every error that leaves an endpoint of `app` is answered as a problem."""
    app.add_exception_handler(RingelisteError, _ours)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(Exception, _unknown)


def problem(
    request: Request, status: int, kind: str, detail: str,
    *, data: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """One problem as a response. `kind`: words with hyphens, the last part of its type."""
    body = {
        **(data or {}),
        "type": f"urn:ringeliste:problem:{kind}",
        "title": kind.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "request": request_id(request),
    }
    try:
        content = orjson.dumps(body, default=str)
    except orjson.JSONEncodeError:  # half a character that somebody sent, and that is told back
        content = json.dumps(body, default=str).encode()
    return Response(content, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def request_id(request: Request) -> str:
    """The id that this request's log lines carry."""
    return str(request.scope.get("ringeliste.request", ""))


def kind_of(error: Exception) -> str:
    """LeaseGone -> lease-gone."""
    return _WORDS.sub("-", type(error).__name__).lower()


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, RingelisteError)  # noqa: S101 - registered for these alone
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("a promise is broken", error=error.message, **error.data)
    return problem(request, status, kind_of(error), error.message, data=error.data, headers=headers)


def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
    if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI could not read the body at all
        return problem(request, 422, "bad-input", "body: not JSON in UTF-8, or nested too deeply")
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _methods(request) or headers.get("Allow", "")
    return problem(request, error.status_code, kind, str(error.detail), headers=headers)


def _methods(request: Request) -> str:
    """Every method of the path asked for; Starlette names those of the first route only."""
    template = getattr(request.scope.get("route"), "path", "")
    described = request.app.openapi()["paths"].get(template, {})
    return ", ".join(sorted(method.upper() for method in described))


def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for these alone
    problems = [{"path": _path(one["loc"]), "message": str(one["msg"])} for one in error.errors()]
    detail = "; ".join(f"{one['path']}: {one['message']}" for one in problems)
    return problem(request, 422, "bad-input", detail, data={"problems": problems})


def _path(where: Sequence[Any]) -> str:
    """("body", "reports", 3, "outcome") -> body.reports[3].outcome."""
    path = ""
    for step in where:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return path


def _unknown(request: Request, _error: Exception) -> Response:
    """A bug of ours. It is logged where it passes by; the answer tells nothing of our insides."""
    detail = "something of ours is broken; the log has it under the request's id"
    return problem(request, 500, "internal-error", detail)
