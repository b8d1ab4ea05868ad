"""Why a zone that somebody vouches for is not taken, and whether it is when they say it all the same."""

from typing import Any

from sqlalchemy import Row

from calling.hours.verified import read_zone
from models.errors import BadValues, Conflict, NotFound

Problem = BadValues | Conflict | NotFound

ANYWAY = "anyway"
"""In the data of a refusal: it would be taken if this was said. How it is said is each door's own."""


def check(zone: str | None, author: str, reason: str, source: str | None) -> str:
    """The name of the zone; empty for none. Raises BadValues with everything that is wrong."""
    problems, name = [], ""
    if zone is not None:
        try:
            name = read_zone(zone)
        except ValueError as error:
            problems.append(("zone", f"{zone!r} {error}"))
    if not reason.strip():
        problems.append(("reason", "say how it is known; whoever doubts it wants to know"))
    if not author.strip():
        problems.append(("author", "say who vouches for it"))
    if source is not None and not source.strip():
        problems.append(("source", "name the system of record, or leave it out for a person"))
    if problems:
        raise BadValues(problems)
    return name


def refusal(
    customer_id: int, row: Row[Any] | None, standing: Row[Any] | None, against: str | None,
    source: str | None, anyway: bool,
) -> Problem | None:  # fmt: skip
    """Why a zone cannot be said of a customer; None: it can. `against`: what speaks for another one."""
    if row is None:
        return NotFound("customer", customer_id)
    if row.anonymised_at is not None:
        return Conflict(f"customer {customer_id} was anonymised: nothing is kept of them any more")
    if anyway:
        return None
    if against is not None:
        error = BadValues([("zone", against)])
        error.data["unless"] = ANYWAY
        return error
    if source is not None and standing is not None and standing.source is None:
        return Conflict(
            f"{standing.author} has verified {standing.zone}: a person's word stands against a system's",
            zone=standing.zone, author=standing.author, unless=ANYWAY,
        )  # fmt: skip
    return None


def by_anyway(error: Problem) -> bool:
    """Whether it would be taken if `anyway` was said."""
    return error.data.get("unless") == ANYWAY


def with_way(error: Problem, way: str) -> Problem:
    """The refusal with how it is said all the same at this door (`way`), where that helps."""
    if not by_anyway(error):
        return error
    if isinstance(error, BadValues):
        told: Problem = BadValues([(path, wayed(message, way)) for path, message in error.problems])
        told.data["unless"] = ANYWAY
        return told
    return Conflict(wayed(error.message, way), **error.data)


def wayed(why: str, way: str) -> str:
    """A reason, and how it is said all the same."""
    return f"{why}; say {way} if they are there all the same"
