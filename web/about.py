"""What a request turns out to be about, for its own log line: ids that stand in no address, only in a row."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from wiring.logs import bound

_found: ContextVar[dict[str, Any]] = ContextVar("found")


def begin() -> dict[str, Any]:
    """A new request begins; its dictionary, which `about` fills, in whatever thread it is called."""
    found: dict[str, Any] = {}
    _found.set(found)
    return found


@contextmanager
def about(*, lease: UUID | None = None, assignment: int | None = None) -> Iterator[None]:
    """Lines of the block, and the request's own line, say the lease and the assignment."""
    ids = {"lease": str(lease) if lease else None, "assignment": assignment}
    _found.get({}).update({name: value for name, value in ids.items() if value is not None})
    with bound(lease=lease, assignment=assignment):
        yield
