"""Whether this process can do its work: /healthz and /readyz say what these functions return."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import migrations
from models.errors import BadSettings, Unavailable
from wiring.app import App
from wiring.database import APP_ROLE
from wiring.failures import reason
from wiring.letters import wrong_letters
from wiring.redis_client import make_redis

Verdict = Literal["ok", "degraded", "down"]

_WALLED = text(
    """
    select current_user = :role and not (rolsuper or rolbypassrls)
    from pg_roles where rolname = current_user
    """
)


@dataclass(frozen=True, slots=True)
class Part:
    """How one thing that we lean on is doing."""

    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Ready: PostgreSQL answers behind the walls, at the schema that this release knows.

    Without Redis we are degraded, not unready: sellers go on, ticks run in the scheduler. So we are in a
    database whose locale does not know capitals: `db upgrade` begins in none such.
    """

    ready: bool
    verdict: Verdict
    parts: dict[str, Part] = field(default_factory=dict)

    def also(self, name: str, part: Part) -> "Readiness":
        """With one more part."""
        return _of({**self.parts, name: part})

    def as_json(self) -> dict[str, Any]:
        """Plain values for an answer."""
        return asdict(self)


def _of(parts: dict[str, Part]) -> Readiness:
    verdicts = {part.verdict for part in parts.values()}
    worst: Verdict = "down" if "down" in verdicts else "degraded" if "degraded" in verdicts else "ok"
    return Readiness(ready=worst != "down", verdict=worst, parts=parts)


def health() -> dict[str, str]:
    """The process is up; asks nobody."""
    return {"status": "ok"}


def ready(app: App) -> Readiness:
    """Ask every part; never raises for what is down."""
    return _of({**_database(app), "redis": _redis(app)})


def _database(app: App) -> dict[str, Part]:
    try:
        with app.shared() as session:
            walled = session.scalar(_WALLED, {"role": APP_ROLE})
            known = session.scalar(text("select to_regclass('alembic_version') is not null"))
            found = session.scalar(text("select version_num from alembic_version")) if known else None
            letters = wrong_letters(session.connection())
    except (Unavailable, SQLAlchemyError) as error:
        return {"postgresql": Part("down", reason(error))}
    head = migrations.head()
    behind = Part("down", f"schema {found or 'none'}, this release wants {head}: run `ringeliste db upgrade`")
    return {
        "postgresql": Part("ok"),
        "walls": Part("ok") if walled else Part("down", f"not working as {APP_ROLE}"),
        "migrations": Part("ok", head) if found == head else behind,
        "letters": Part("degraded", letters) if letters else Part("ok"),
    }


def _redis(app: App) -> Part:
    try:
        with make_redis(app.settings) as client:
            client.ping()
    except (RedisError, BadSettings) as error:
        return Part("degraded", f"hints are lost and orders wait: {error}")
    return Part("ok")
