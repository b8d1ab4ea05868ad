"""What all endpoints share: strict models, the words of the API, and paging."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Path, Query, Request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from calling.intake.numbers import Number, read_number
from models.errors import BadInput
from models.tables import FOREVER
from web import cursors
from web.desks import Desks
from wiring.app import App

LARGEST = 2**63 - 1
MOST = 200
"""Rows of one page, reports of one batch."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


class Model(BaseModel):
    """A body or an answer. Unknown fields are refused, so that a misspelled one is never silently lost."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


def without_nul(text: str) -> str:
    """PostgreSQL cannot keep the character NUL in a text."""
    if "\x00" in text:
        raise ValueError("must not contain the character NUL")
    return text


def without_nul_in(value: Any) -> None:
    """Refuse the character NUL in any text of a JSON value. Raises BadInput."""
    if "\\u0000" in json.dumps(value):
        raise BadInput("body: a text contains the character NUL, which cannot be kept")


def _written_out(value: Any) -> Any:
    """A number of seconds is no instant here: whose seconds, since when?"""
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise ValueError("write an instant as 2026-03-02T12:00:00Z")


def _within_reason(at: datetime) -> datetime:
    """PostgreSQL and Python agree on these years, whatever the zone; 9000 means for ever."""
    if not 1970 < at.year < FOREVER.year:
        raise ValueError(f"must lie between 1971 and {FOREVER.year - 1}")
    return at


Id = Annotated[int, Field(strict=True, ge=1, le=LARGEST)]
PathId = Annotated[int, Path(ge=1, le=LARGEST)]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(without_nul)
]
Instant = AwareDatetime
AskedInstant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_within_reason)]
"""An instant in a question; with its zone, since business time knows no default."""


def get_app(request: Request) -> App:
    """The application that the endpoint works with."""
    app: App = request.app.state.app
    return app


def get_desks(request: Request) -> Desks:
    """Who waits for a customer in this process."""
    desks: Desks = request.app.state.desks
    return desks


TheApp = Annotated[App, Depends(get_app)]
TheDesks = Annotated[Desks, Depends(get_desks)]

Item = TypeVar("Item")


def e164_of(number: str, region: str) -> str:
    """A number as it is kept, or BadInput with the reason why it is none."""
    read = read_number(number, region)
    if isinstance(read, Number):
        return read.e164
    raise BadInput(f"number: {read}; write it as in {region}, or with + and the country's code", why=read)


class Page(Model, Generic[Item]):
    """One page of a list, in the list's own order."""

    items: list[Item]
    next: str | None = Field(description="Pass it as `cursor` to get the next page; null on the last one.")


class Asked(Model):
    """Which page of a list."""

    cursor: str | None = Field(None, max_length=200, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=MOST, description="Rows of this page at most.")


Paging = Annotated[Asked, Query()]


def page_of_leases(
    kind: str, asked: Asked, first: UUID, read: Callable[[UUID, int], Sequence[Any]]
) -> dict[str, Any]:
    """The same of a list that goes by ids of leases; `first`: where it begins. Raises BadInput."""
    last = cursors.decode_text(kind, asked.cursor)
    try:
        rows = read(UUID(last) if last else first, asked.limit + 1)
    except ValueError:
        raise BadInput(
            f"cursor: not one of this list; take it from `next` of the page before ({kind})"
        ) from None
    items = list(rows[: asked.limit])
    more = len(rows) > asked.limit
    return {"items": items, "next": cursors.encode_text(kind, str(items[-1].id)) if more else None}


def page(kind: str, asked: Asked, read: Callable[[int, int], Sequence[Any]]) -> dict[str, Any]:
    """The page asked for. `read(after_id, most)` gives rows with an `id`, in the order of their ids."""
    rows = read(cursors.decode(kind, asked.cursor), asked.limit + 1)
    items = list(rows[: asked.limit])
    more = len(rows) > asked.limit
    return {"items": items, "next": cursors.encode(kind, items[-1].id) if more else None}
