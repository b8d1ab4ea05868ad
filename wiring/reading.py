"""How one value of the environment is read; every refusal says what to give instead."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


@dataclass(frozen=True, slots=True)
class Between:
    """The smallest and the largest value that make sense."""

    low: float
    high: float


def did_you_mean(word: str, known: list[str], likeness: float = 0.7) -> str:
    """ ", did you mean X?" when something known is close, else an empty string."""
    close = get_close_matches(word, known, n=1, cutoff=likeness)
    return f", did you mean {close[0]}?" if close else ""


def read_value(text: str, kind: Any, bounds: Between | None) -> Any:
    """`text` as a value of type `kind`, within `bounds`. Raises ValueError with words for the reader."""
    if get_origin(kind) is Literal:
        return _read_choice(text, [str(choice) for choice in get_args(kind)])
    if kind is Path:
        return Path(text).expanduser()
    if kind in (int, float):
        return _read_number(text, kind, bounds)
    return text


def _read_choice(text: str, choices: list[str]) -> str:
    if text not in choices:
        raise ValueError(f"{text!r} is none of {', '.join(choices)}{did_you_mean(text, choices)}")
    return text


def _read_number(text: str, kind: type[int] | type[float], bounds: Between | None) -> float:
    try:
        number = kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise ValueError(f"{text!r} is not {wanted}") from None
    if bounds and not bounds.low <= number <= bounds.high:
        raise ValueError(f"{number:g} is not between {bounds.low:g} and {bounds.high:g}")
    return number


def read_database_url(text: str) -> str:
    """A PostgreSQL URL, spelled so that SQLAlchemy takes psycopg 3."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError("not a URL; give postgresql://user:password@host:5432/name") from None
    backend = url.get_backend_name()
    if backend not in ("postgresql", "postgres"):
        raise ValueError(f"{backend} is not PostgreSQL; give postgresql://user:password@host:5432/name")
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def place_of(url: str) -> str:
    """Where a database is, without who logs in: "db.example:5432/calls"."""
    made = make_url(url)
    return f"{made.host or made.query.get('host', 'localhost')}:{made.port or 5432}/{made.database or ''}"


def read_redis_url(text: str) -> str:
    """A Redis URL as redis-py reads it."""
    if not text.startswith(REDIS_SCHEMES):
        raise ValueError("not a Redis URL; give redis://host:6379/0, rediss:// or unix:///path")
    return text
