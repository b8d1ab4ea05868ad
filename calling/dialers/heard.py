"""What a dialer told, on its way into the journal and out of it: odd bodies stop nobody (P4).

Going in, what jsonb cannot hold is written in a form that people can still read. Coming out, whatever can
be used is used: a do-not-call with a senseless talk time is still a do-not-call.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.dialers.results import Unusable, result_of, saying
from calling.follow_ups.asking import HORIZON, Wish
from models.outcomes import Outcome

TAKEN, RUNG, ENDED = ("taken",), ("ringing", "answered", "connected"), ("ended",)
HUNG_UP = ("hung_up",)
NOTED = ("key", "intent")
"""Kinds that change no lease: they stay in the journal, for who reads the call later."""

LONGEST_TALK = 86_400
"""Seconds of talk; whoever tells more, or less than none, is brought back to the edge."""

LONGEST_NAME = 200
"""Characters of an event's id or kind; an index takes no text of any length."""

UNREADABLE = ("unreadable", "malformed")
"""Kinds of what was journalled only as a text of itself: by us, or by the wire."""

_DEEPEST = 20
_MOST = 2**63


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that can be used. `at`, `rung_at` (UTC) are not after the instant at which we heard of it.

    `seller`: to whom the call was put through, by name or id as the dialer calls them. `problem`: what of it
    could not be used, None: all was well.
    """

    event_id: str
    lease_id: UUID
    kind: str
    at: datetime
    result: Outcome | None
    talk_seconds: int | None
    rung_at: datetime | None
    promise: Wish | None
    problem: str | None
    seller: str | None = None


NO_CAUSES: Mapping[str, Outcome] = MappingProxyType({})


def read(row: Row[Any], causes: Mapping[str, Outcome] = NO_CAUSES) -> Heard:
    """The event of a journal's row; `causes`: what its dialer's causes come to. Raises Unusable."""
    if row.kind not in (*TAKEN, *RUNG, *HUNG_UP, *ENDED, *NOTED):
        raise Unusable(
            f"unknown kind {row.kind!r}", "unreadable" if row.kind in UNREADABLE else "unknown_kind"
        )
    if row.lease_id is None:
        raise Unusable("it names no lease", "no_lease")
    body = row.body
    result, noted = result_of(body, causes) if row.kind in ENDED else (None, None)
    odd = [] if noted is None else [noted]
    talk, rung_at = _seconds(body.get("talk_seconds")), _instant(body.get("rung_at"))
    for name, value in (("talk_seconds", talk), ("rung_at", rung_at)):
        if value is None and body.get(name) is not None:
            odd.append(f"left out {name}: {saying(body[name])}")
    at = min(_instant(body.get("at")) or row.received_at, row.received_at)
    promise, unusable = _promise(body, at) if result is Outcome.FOLLOW_UP else (None, [])
    odd += [f"left out {name}: {saying(body[name])}" for name in unusable]
    return Heard(
        row.event_id,
        row.lease_id,
        row.kind,
        at,
        result,
        talk,
        min(rung_at or at, row.received_at),
        promise,
        "; ".join(odd) or None,
        _seller(body.get("seller")) if row.kind == "connected" else None,
    )


def left_out(event: Heard) -> str:
    """The problem of an event that names a seller whom nobody knows."""
    return "; ".join(filter(None, (event.problem, f"left out seller: {saying(event.seller)}")))


def _seller(value: Any) -> str | None:
    """A name or an id as text; None where none was told."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


_A_DAY = timedelta(days=1)


def _promise(body: Mapping[str, Any], at: datetime) -> tuple[Wish | None, list[str]]:
    """What was promised by key press, for anybody to keep; and the names of what could not be used.

    `promised_at` is an instant, `promised_wall_time` a time on the customer's wall ("2026-03-05T10:00").
    """
    instant, wall = _instant(body.get("promised_at")), _wall(body.get("promised_wall_time"))
    if instant is not None and at < instant <= at + HORIZON:
        return Wish(instant, shared=True), []
    # A day is left for zones: the wall's own is known where the customer is.
    if wall is not None and -_A_DAY < wall - at.replace(tzinfo=None) <= HORIZON:
        return Wish(wall_time=wall, shared=True), []
    return None, [name for name in ("promised_at", "promised_wall_time") if body.get(name) is not None]


def _wall(value: Any) -> datetime | None:
    """A time on a wall of ISO text without an offset; None for anything else."""
    try:
        found = datetime.fromisoformat(value)
        return None if found.tzinfo else found.replace(second=0, microsecond=0)
    except (TypeError, ValueError, OverflowError):
        return None


def _seconds(value: Any) -> int | None:
    """Whole seconds, rounded down; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return max(0, min(LONGEST_TALK, math.floor(value)))


def _instant(value: Any) -> datetime | None:
    """The instant (UTC) of ISO text with its offset; None for anything else."""
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def name(told: str) -> str:
    """An event's id or kind as the journal keeps it: readable, and short enough for an index."""
    said = _text(told)
    if len(said) <= LONGEST_NAME:
        return said
    digest = sha256(told.encode(errors="backslashreplace")).hexdigest()
    return f"{said[: LONGEST_NAME - len(digest) - 1]}~{digest}"


def plain(value: Any, depth: int = 0) -> Any:
    """`value` as jsonb can hold it: what it refuses is written out as text."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -_MOST <= value < _MOST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth == _DEEPEST or not isinstance(value, Mapping | list | tuple):
        return _text(_whole(value))
    if isinstance(value, Mapping):
        return {_text(str(key)): plain(inner, depth + 1) for key, inner in value.items()}
    return [plain(inner, depth + 1) for inner in value]


def _text(told: str) -> str:
    """Without the characters that neither jsonb nor text can hold: NUL, and halves of surrogate pairs."""
    return told.encode(errors="backslashreplace").decode().replace("\0", "\\u0000")


def _whole(value: Any) -> str:
    try:
        return str(value)
    except RecursionError:
        return "nested too deeply to be read"
