"""The command line as its users meet it, run in this process on a world of the test's own."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner
from world import NOON, World

from models.tables import SHARED, TENANT
from ringeliste.cli import app
from wiring.clock import set_clock


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as one JSON document; anything else there fails."""
        return json.loads(self.out)


class Shell:
    """A terminal in which the settings name the world's servers; the business clock stands still at NOON."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        settings = world.app.settings
        monkeypatch.setenv("DATABASE_URL", settings.database_url)
        monkeypatch.setenv("DATABASE_OWNER_URL", settings.database_owner_url)
        monkeypatch.setenv("REDIS_URL", settings.redis_url)
        monkeypatch.setenv("RINGELISTE_DATA", str(settings.data))
        monkeypatch.setenv("RINGELISTE_RECALL_WAIT_SECONDS", "0")
        monkeypatch.delenv("COLUMNS", raising=False)  # as in a pipe, whoever runs the tests
        monkeypatch.chdir(settings.data)
        with world.app.shared() as session:
            set_clock(session, NOON, 0)

    def run(self, *arguments: str) -> Said:
        """Run `ringeliste` with these arguments."""
        return run(*arguments)

    def ok(self, *arguments: str) -> Said:
        """Run it; it has to succeed."""
        said = run(*arguments)
        assert said.code == 0, said.err or said.out
        return said

    def everything(self) -> dict[str, str]:
        """Every row of every table that the world's CRM sees, as one text a table."""
        with self.world.app.work(self.world.crm_id) as work:
            return {
                table.__tablename__: str(
                    work.session.scalar(
                        text(f"select string_agg(t::text, ' ' order by t::text) from {table.__tablename__} t")
                    )
                )
                for table in (*SHARED, *TENANT)
            }


def run(*arguments: str) -> Said:
    """Run `ringeliste` with these arguments, in whatever environment there is."""
    result = CliRunner().invoke(app, list(arguments), prog_name="ringeliste")
    unexpected = result.exception if not isinstance(result.exception, SystemExit) else None
    assert unexpected is None, unexpected
    return Said(result.exit_code, result.stdout, result.stderr)
