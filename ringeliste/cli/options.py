"""Options that many commands share, each with one name and one meaning."""

import getpass
from math import isfinite
from typing import Annotated

import typer

from models.errors import BadInput

CrmName = Annotated[
    str | None,
    typer.Option("--crm", metavar="NAME", help="The CRM by name or id, if there are several."),
]
AssignmentName = Annotated[
    str | None,
    typer.Option("--assignment", metavar="NAME", help="The assignment by name or id, if there are several."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]


Author = Annotated[
    str | None, typer.Option("--author", metavar="WHO", help="Who signs it.", show_default="you")
]


def seconds_of(option: str, given: float | None, unit: int) -> int | None:
    """Whole seconds of an option that counts units of so many seconds. Raises BadInput for nan and inf."""
    if given is None:
        return None
    if not isfinite(given):
        raise BadInput(f"{option}: {given} is no length of time; write a number, such as 24 or 0.5")
    return round(given * unit)


def whoever(author: str | None) -> str:
    """Who signs: the one named, else the user of this terminal."""
    try:
        return author or getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"
