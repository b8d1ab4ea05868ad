"""The law's limits: reviewed rows of calling/laws/limits.toml, by place."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from calling.limits.limit import Limit
from models.errors import BadInput
from models.outcomes import Outcome
from models.tables.limits import LIMIT_SCOPES

HOUR = 3600


@cache
def shipped() -> tuple[Limit, ...]:
    """The rows that come with the program: one for each place and scope."""
    return read_limits((files("calling") / "laws" / "limits.toml").read_text(encoding="utf-8"))


@cache
def of_places(places: tuple[str, ...]) -> tuple[Limit, ...]:
    """The shipped limits of these legal places; a subdivision has its country's as well."""
    names = {name for place in places for name in (place, place.partition("-")[0])}
    return tuple(limit for limit in shipped() if limit.place in names)


def read_limits(text: str) -> tuple[Limit, ...]:
    """Rows from TOML (its keys are explained on top of the shipped file). Raises BadInput."""
    return tuple(limit for row in tomllib.loads(text)["limit"] for limit in _read(row))


def _read(row: Mapping[str, Any]) -> Iterable[Limit]:
    """The row for each of its scopes, for its place and each territory that keeps to it."""
    known = {str(outcome) for outcome in Outcome}
    after = frozenset(row.get("after", ()))
    if wrong := set(row["scopes"]) - set(LIMIT_SCOPES) | after - known:
        raise BadInput(f"limit of {row['place']}: there is no {', '.join(sorted(wrong))}")
    if ("hours" in row) == ("calendar_days" in row):
        raise BadInput(f"limit of {row['place']}: give hours or calendar_days, one of the two")
    for place in (row["place"], *row.get("also", [])):
        for scope in row["scopes"]:
            yield Limit(
                most=row["most"],
                scope=scope,
                seconds=row["hours"] * HOUR if "hours" in row else None,
                days=row.get("calendar_days"),
                name=row["name"],
                source=row["source"] + (" (restated)" if row["evidence"] == "secondary" else ""),
                place=place,
                after=after,
                debts=row.get("debts", False),
                valid_from=row.get("valid_from", date.min),
                valid_to=row.get("valid_to", date.max),
            )
