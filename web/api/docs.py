"""How endpoints are documented: an example of every body and answer, and each error that may come."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from web.problems import MEDIA_TYPE


class Problem(BaseModel):
    """An error (RFC 9457). Further members carry the error's own data."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="What kind of error it is, for machines.")
    title: str = Field(description="The same in words.")
    status: int
    detail: str = Field(description="What happened, for people.")
    request: str = Field(description="Under this id the log knows the request.")


_ALWAYS = (401, 403, 500, 503)
_ERRORS = {
    401: ("unauthorized", "No valid key."),
    403: ("forbidden", "The role of the key may not do this."),
    404: ("not-found", "No such thing in this CRM."),
    409: ("conflict", "True once, no longer: look again."),
    413: ("content-too-large", "The body is too large."),
    422: ("bad-input", "The input is wrong; `detail` says what, where, and what to give instead."),
    500: ("internal-error", "A bug of ours."),
    503: ("unavailable", "A server that we need is away; try again after `Retry-After` seconds."),
}


def answers(
    example: Any = None, *, errors: Iterable[int] = (), status: int = 200, says: str = "Done."
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint: its answer with an example, and every error that it may give."""
    done: dict[str, Any] = {"description": says}
    if example is not None:
        done["content"] = {"application/json": {"example": example}}
    return {status: done, **{code: _error(code) for code in sorted({*_ALWAYS, *errors})}}


def _error(code: int) -> dict[str, Any]:
    kind, meaning = _ERRORS[code]
    example = {
        "type": f"urn:ringeliste:problem:{kind}",
        "title": kind.replace("-", " ").capitalize(),
        "status": code,
        "detail": meaning,
        "request": "5f1d3a9be0c24d77",
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": meaning, "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}


def example(value: Any) -> dict[str, Any]:
    """The body's example, for a parameter of `Body(...)`."""
    return {"openapi_examples": {"example": {"value": value}}}


def describe_problems(api: FastAPI) -> None:
    """Put the schema of errors, which no endpoint returns as a model, among the components."""

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            made = get_openapi(
                title=api.title, version=api.version, summary=api.summary, description=api.description,
                routes=api.routes, tags=api.openapi_tags, servers=api.servers,
                separate_input_output_schemas=api.separate_input_output_schemas,
            )  # fmt: skip
            made["components"]["schemas"]["Problem"] = Problem.model_json_schema()
            api.openapi_schema = made
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]
