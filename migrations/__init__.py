"""The way from an empty database to today's, and from any earlier release."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory


def config(url: str) -> Config:
    """Alembic's configuration for the database at `url` (the owner's login)."""
    made = Config()
    made.set_main_option("script_location", str(files(__name__)))
    made.attributes["url"] = url
    return made


def upgrade(url: str) -> None:
    """Bring the database at `url` to today's schema. Safe to repeat; two at once wait for each other."""
    command.upgrade(config(url), "head")


def head() -> str:
    """The newest revision that this release knows."""
    newest = ScriptDirectory.from_config(config("")).get_current_head()
    assert newest is not None  # noqa: S101 - there is a first migration
    return newest
