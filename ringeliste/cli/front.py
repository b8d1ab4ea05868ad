"""The frame around every command: errors in plain words, and exit codes that scripts may rely on."""

import os
import sys
from collections.abc import Callable
from inspect import cleandoc
from typing import Any

import typer
from typer.core import TyperGroup

from models.errors import BadInput, BadRule, BadRuleText, BadSettings, BadValues, RingelisteError, Unavailable

DONE, REFUSED, USED_WRONGLY, VIOLATIONS = 0, 1, 2, 3


class Front(TyperGroup):
    """Says what went wrong on standard error, without a traceback unless it is asked for."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.obj:
                raise
            for line in told(error):
                sys.stderr.write(f"ringeliste: {line}\n")
            raise typer.Exit(code_of(error)) from None


def add(
    app: typer.Typer, command: Callable[..., None], panel: str | None = None, name: str | None = None
) -> None:
    """Add a command; its docstring is its help, its paragraphs as wide as the terminal."""
    app.command(name, rich_help_panel=panel, help=unwrapped(command.__doc__ or ""))(command)


def unwrapped(text: str) -> str:
    """`text` with each paragraph on one line; one that begins with a backspace keeps its lines."""
    paragraphs = cleandoc(text).split("\n\n")
    return "\n\n".join(one if one.startswith("\b") else one.replace("\n", " ") for one in paragraphs)


def code_of(error: Exception) -> int:
    """Which exit code an error has."""
    return USED_WRONGLY if isinstance(error, BadInput | FileNotFoundError) else REFUSED


def told(error: Exception) -> list[str]:
    """An error as lines for a person: what is wrong, and what to do."""
    if isinstance(error, BadRuleText):
        from ringeliste.cli.rule_files import drawn

        return [*drawn(error), *_and_more(error)]
    if isinstance(error, BadRule | BadValues):
        return [*(f"{path}: {message}" for path, message in error.problems), *_and_more(error)]
    if isinstance(error, BadSettings):
        return [str(problem) for problem in error.data.get("problems", [error.message])]
    if isinstance(error, Unavailable):
        return [error.message, *_where(error), *_how_to_start()]
    if isinstance(error, RingelisteError):
        return [error.message]
    if isinstance(error, OSError):
        return [f"{error.filename}: {error.strerror}" if error.filename else str(error)]
    return _unexpected(error)


def _and_more(error: BadRule | BadValues) -> list[str]:
    return ["and more, told when these are mended"] if "and_more" in error.data else []


def _unexpected(error: Exception) -> list[str]:
    if getattr(getattr(error, "orig", None), "sqlstate", None) == "42P01":  # undefined table
        return ["the database has no tables of ours yet: run `ringeliste db upgrade`"]
    first = (str(error).splitlines() or [""])[0]
    return [f"{type(error).__name__}: {first}", "this is a bug of ours; `ringeliste --debug ...` shows where"]


def _where(error: Unavailable) -> list[str]:
    """Which PostgreSQL it was, where it could not be asked; never who logs in there."""
    if error.data.get("sqlstate", "") is not None:
        return []
    from wiring.reading import place_of
    from wiring.settings import Settings

    return [f"the database is {place_of(Settings.from_env().database_url)}"]


def _how_to_start() -> list[str]:
    """Our own servers can be started; somebody else's are theirs."""
    if os.environ.get("DATABASE_URL"):
        return []
    return ["start the servers with `ringeliste up`, or with `ringeliste db start`"]
